"""The choice of the model: one that comes along, or one in a folder of the user's own, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from DiffusionSegWidgets.messages import ERROR_STYLE

# In place of a model's name: the model is in the folder that stands beside it.
OWN_FOLDER = ""


def chosen_bundle(parameters) -> str:
    """The name or the folder of the chosen model; empty as long as there is none."""
    return parameters.bundle or parameters.bundle_folder.strip()


class BundleChoice:
    """Shows description and licence of the chosen model, which needs no worker.

    Args:
        ui: the panel's controls.
        runs_elsewhere: whether the worker may be on another computer, whose folders are not to be seen from here.
    """

    def __init__(self, ui, *, runs_elsewhere) -> None:
        from DiffusionSegLib.bundles.description import bundled_descriptions
        from DiffusionSegLib.configuration import to_json

        self._ui, self._runs_elsewhere = ui, runs_elsewhere
        self._bundles: dict[str, dict] = {}
        self.offer([to_json(bundle) for bundle in bundled_descriptions()])
        ui.bundleSelector.currentIndexChanged.connect(self.show)
        ui.bundleFolderEdit.currentPathChanged.connect(self.show)

    def offer(self, bundles: list[dict]) -> None:
        """Offer these models and a folder; what was chosen stays chosen.

        Args:
            bundles: each with `name`, `description`, `licence` and `card`.
        """
        self._bundles = {bundle["name"]: bundle for bundle in bundles}
        selector = self._ui.bundleSelector
        chosen = selector.itemData(selector.currentIndex) if selector.count else None
        blocked = selector.blockSignals(True)
        selector.clear()
        for name in self._bundles:
            selector.addItem(name, name)
        selector.addItem(_("in a folder of your own"), OWN_FOLDER)
        if chosen is not None and selector.findData(chosen) < 0:
            selector.addItem(chosen, chosen)
        selector.setCurrentIndex(max(selector.findData(chosen), 0))
        selector.blockSignals(blocked)
        self.show()

    def show(self, _changed=None) -> None:
        """Tell what the chosen model is for and its licence, with its card in the tooltip, or why it cannot be used."""
        ui = self._ui
        name = ui.bundleSelector.itemData(ui.bundleSelector.currentIndex)
        for widget in (ui.bundleFolderEditLabel, ui.bundleFolderEdit):
            widget.visible = name == OWN_FOLDER
        style, text, card = self._described(name)
        ui.licenceLabel.styleSheet, ui.licenceLabel.text, ui.licenceLabel.toolTip = style, text, card

    def _described(self, name: str) -> tuple[str, str, str]:
        """Style, text and tooltip of the label."""
        folder = self._ui.bundleFolderEdit.currentPath.strip() if name == OWN_FOLDER else name
        if name in self._bundles:
            return "", _licence_text().format(**self._bundles[name]), self._bundles[name]["card"]
        if not folder:
            return "", _("Choose the folder of the model: it holds config.json and model.safetensors."), ""
        return self._in_folder(Path(folder))

    def _in_folder(self, folder: Path) -> tuple[str, str, str]:
        from DiffusionSegLib.bundles.description import BundleDescription
        from DiffusionSegLib.errors import DiffusionSegError

        try:
            if not folder.is_absolute():
                # The name of a model that came along with another version, or is damaged.
                message = _("There is no model {name} on this computer.").format(name=folder)
                raise DiffusionSegError(message, _("Choose another one, or install DiffusionSeg again."))
            found = BundleDescription.read(folder)
        except DiffusionSegError as error:
            if self._runs_elsewhere():
                text = _(
                    "The model {folder} is looked for where the worker runs; its licence is in MODEL_CARD.md there."
                )
                return "", text.format(folder=folder), ""
            return ERROR_STYLE, f"{error.message} {error.hint}", ""
        text = _licence_text().format(description=found.description, licence=found.licence)
        return "", f"{found.name}: {text}", found.card


def _licence_text() -> str:
    return _("{description} Licence of the weights: {licence}")
