import json
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY

from DiffusionSegLib.bundles import description
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, bundled
from DiffusionSegLib.bundles.description import BundleDescription, bundled_descriptions
from DiffusionSegLib.errors import DiffusionSegError


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    """A copy of a bundle, to be damaged."""
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_folder_tells_what_its_bundle_does(folder, tiny_bundle):
    found = BundleDescription.read(folder)
    config = tiny_bundle.config
    assert (found.name, found.description, found.licence) == (config.name, config.description, config.licence)
    assert (found.card, found.channels) == ("A card.", config.unet.channels_in)


def test_bundles_that_come_along_are_described_as_they_are_loaded():
    described = [(found.name, found.licence, found.card) for found in bundled_descriptions()]
    assert described == [(bundle.name, bundle.licence, bundle.card) for bundle in bundled()]
    assert DEFAULT_BUNDLE in {name for name, *_ in described}


def test_a_damaged_bundle_does_not_hide_the_others(folder, tiny_bundle, monkeypatch):
    shutil.copytree(tiny_bundle.folder, folder.parent / "whole")
    (folder / "model.safetensors").unlink()
    monkeypatch.setattr(description, "FOLDER", folder.parent)
    assert [found.name for found in bundled_descriptions()] == ["tiny"]


def test_no_card_is_no_error(folder):
    (folder / "MODEL_CARD.md").unlink()
    assert BundleDescription.read(folder).card == ""


def test_a_folder_that_is_gone_is_told_of(tmp_path):
    with pytest.raises(DiffusionSegError, match="is gone"):
        BundleDescription.read(tmp_path / "gone")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_all_of_a_bundle_is_told_of(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(DiffusionSegError, match="no readable model bundle"):
        BundleDescription.read(folder)


@pytest.mark.parametrize("changes", [{"licence": 3}, {"unet": []}, {"unet": {"channels_in": "one"}}, {"name": None}])
def test_settings_of_another_kind_are_told_of(folder, changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(DiffusionSegError, match="no readable model bundle"):
        BundleDescription.read(folder)


@pytest.mark.parametrize("content", ["[]", "{", "\xff"])
def test_what_is_no_json_object_is_told_of(folder, content):
    (folder / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(DiffusionSegError, match="no readable model bundle"):
        BundleDescription.read(folder)


def test_descriptions_are_read_without_pytorch():
    code = (
        "import sys; from DiffusionSegLib.bundles.description import bundled_descriptions; bundled_descriptions(); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {*found.stdout.split()} & {"torch", "safetensors", "SimpleITK", "nibabel", "numpy"}
