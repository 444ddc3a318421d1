"""The choice of the model: one that comes along, or one in a folder of the user's own, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from DiffusionSegWidgets.messages import ERROR_STYLE, sentence

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
        # What the worker has said of folders on its computer: style, text and tooltip.
        self._told: dict[str, tuple[str, str, str]] = {}
        self._channels_told: dict[str, int] = {}
        self.offer([to_json(bundle) for bundle in bundled_descriptions()])
        ui.bundleSelector.currentIndexChanged.connect(self.show)
        ui.bundleFolderEdit.currentPathChanged.connect(self.show)

    def offer(self, bundles: list[dict]) -> None:
        """Offer these models and a folder; what was chosen stays chosen.

        Args:
            bundles: each with `name`, `description`, `licence`, `card` and `channels`.
        """
        self._bundles = {bundle["name"]: bundle for bundle in bundles}
        # These come from a worker that was just started, perhaps on another computer.
        self._told = {}
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

    @property
    def to_ask(self) -> str | None:
        """The chosen model's folder where only the worker can tell what it holds, and has not yet."""
        ui = self._ui
        folder = ui.bundleFolderEdit.currentPath.strip()
        if ui.bundleSelector.itemData(ui.bundleSelector.currentIndex) != OWN_FOLDER or not folder:
            return None
        if not self._runs_elsewhere() or _description(folder) is not None:
            return None
        style, _text, _card = self._told.get(folder, (ERROR_STYLE, "", ""))
        # What went wrong may be in order by now.
        return folder if style == ERROR_STYLE else None

    @property
    def channels(self) -> int:
        """How many volumes a scan for the chosen model consists of; 1 where that is not known."""
        name = self._ui.bundleSelector.itemData(self._ui.bundleSelector.currentIndex)
        if name in self._bundles:
            return self._bundles[name]["channels"]
        folder = self._ui.bundleFolderEdit.currentPath.strip()
        found = _description(folder)
        return self._channels_told.get(folder, 1) if found is None else found.channels

    def take_description(self, folder: str, call) -> None:
        """Show what the worker says of a folder, or why that cannot be used; raises the latter, too."""
        from DiffusionSegLib.bundles.description import BundleDescription

        try:
            description = BundleDescription(**call.result()[0])
            self._told[folder], self._channels_told[folder] = _in_words(description), description.channels
        except Exception as error:
            self._told[folder] = (ERROR_STYLE, sentence(error, _("Asking about the model")), "")
            raise
        finally:
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
        if folder in self._told and self._runs_elsewhere():
            return self._told[folder]
        return self._in_folder(Path(folder))

    def _in_folder(self, folder: Path) -> tuple[str, str, str]:
        from DiffusionSegLib.bundles.description import BundleDescription
        from DiffusionSegLib.errors import DiffusionSegError

        if self._runs_elsewhere() and _description(folder) is None:
            text = _(
                "The model {folder} is looked for where the worker runs; its licence is shown once that was started."
            )
            return "", text.format(folder=folder), ""
        try:
            if not folder.is_absolute():
                # The name of a model that came along with another version, or is damaged.
                message = _("There is no model {name} on this computer.").format(name=folder)
                raise DiffusionSegError(message, _("Choose another one, or install DiffusionSeg again."))
            return _in_words(BundleDescription.read(folder))
        except DiffusionSegError as error:
            return ERROR_STYLE, f"{error.message} {error.hint}", ""


def _description(folder):
    """What the model in a folder of this computer says of itself; None if there is none."""
    from DiffusionSegLib.bundles.description import BundleDescription
    from DiffusionSegLib.errors import DiffusionSegError

    try:
        return BundleDescription.read(Path(folder)) if Path(folder).is_absolute() else None
    except DiffusionSegError:
        return None


def _in_words(found) -> tuple[str, str, str]:
    """Style, text and tooltip of the label for a model's description."""
    text = _licence_text().format(description=found.description, licence=found.licence)
    return "", f"{found.name}: {text}", found.card


def _licence_text() -> str:
    return _("{description} Licence of the weights: {licence}")
