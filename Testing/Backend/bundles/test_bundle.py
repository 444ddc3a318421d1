import json
import shutil

import numpy as np
import pytest
import torch

from DiffusionSegLib.bundles import bundle as bundle_module
from DiffusionSegLib.bundles import description
from DiffusionSegLib.bundles.bundle import DEFAULT_BUNDLE, ModelBundle, find_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.template import Template


def changed(bundle, folder, **changes):
    shutil.copytree(bundle.folder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return find_bundle(str(folder))


def test_every_bundle_that_comes_along_loads_and_states_its_licence():
    found = [ModelBundle.load(folder) for folder in description.bundled_folders()]
    assert DEFAULT_BUNDLE in {bundle.name for bundle in found}
    for bundle in found:
        bundle.denoisers()
        assert bundle.licence
        assert bundle.card


def test_weights_that_do_not_match_the_settings_are_refused(tiny_bundle, tmp_path):
    shape = json.loads((tiny_bundle.folder / "config.json").read_text())["unet"]
    other = changed(tiny_bundle, tmp_path / "other", unet=shape | {"base_channels": 16})
    with pytest.raises(DiffusionSegError, match="do not match"):
        other.denoisers()


@pytest.mark.parametrize(
    "changes", [{"spacing_mm": "one"}, {"modality": "pet"}, {"surprise": 1}, {"unet": {"dims": "two"}}]
)
def test_settings_that_make_no_sense_are_refused(tiny_bundle, tmp_path, changes):
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        changed(tiny_bundle, tmp_path / "other", **changes)


def test_damaged_weights_are_told_of(tiny_bundle, tmp_path):
    shutil.copytree(tiny_bundle.folder, tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").write_bytes(b"short")
    with pytest.raises(DiffusionSegError, match="cannot be read"):
        find_bundle(str(tmp_path / "other")).denoisers()


def test_an_unknown_bundle_is_named():
    with pytest.raises(DiffusionSegError, match="no readable model bundle nonsense"):
        find_bundle("nonsense")


def test_a_damaged_bundle_that_comes_along_does_not_keep_others_from_being_used(tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(description, "FOLDER", tmp_path)
    changed(tiny_bundle, tmp_path / "damaged", name="damaged")
    (tmp_path / "damaged" / "config.json").write_text("{")
    changed(tiny_bundle, tmp_path / "whole", name="whole")
    assert find_bundle("whole").name == "whole"
    with pytest.raises(DiffusionSegError, match="no readable model bundle damaged") as told:
        find_bundle("damaged")
    assert "one of: whole; if it came with DiffusionSeg, install that again" in told.value.hint


def test_untrained_denoisers_are_random_but_repeatable(tiny_bundle):
    images, steps, views = torch.randn(1, 1, 8, 8), torch.tensor([5]), torch.tensor([0])
    first, again, other = (tiny_bundle.untrained(seed).denoisers()(images, steps, views) for seed in (0, 0, 1))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.allclose(first, other)
    bundles = (tiny_bundle, tiny_bundle.untrained(0), tiny_bundle.untrained(1))
    assert len({bundle.digest for bundle in bundles}) == len({bundle.weights_digest for bundle in bundles}) == 3


def test_another_template_makes_another_bundle(tiny_bundle, tmp_path):
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    bundles, untrained = [tiny_bundle], [tiny_bundle.untrained(0).digest]
    for brightness in (0.5, 1.0):
        Template(np.full((8, 8, 8), brightness), 2.0).save(tmp_path / "bundle" / "template.nii.gz")
        bundles.append(find_bundle(str(tmp_path / "bundle")))
        untrained.append(bundles[-1].untrained(0).digest)
        assert bundles[-1].digest != untrained[-1]
    assert len({bundle.digest for bundle in bundles}) == len(set(untrained)) == 3
    assert len({bundle.weights_digest for bundle in bundles}) == 1


def test_a_version_that_scales_aligned_features_otherwise_takes_no_segmenter_from_before(
    tiny_bundle, aligned_bundle, monkeypatch
):
    digests = [find_bundle(str(bundle.folder)).digest for bundle in (tiny_bundle, aligned_bundle)]
    monkeypatch.setattr(bundle_module, "FEATURES_VERSION", b"another")
    unaligned, aligned = (find_bundle(str(bundle.folder)).digest for bundle in (tiny_bundle, aligned_bundle))
    assert unaligned == digests[0]
    assert aligned != digests[1]


@pytest.mark.parametrize(
    "change", [{"spacing_mm": 2.0}, {"modality": "ct"}, {"schedule": {"steps": 1000, "kind": "cosine"}}]
)
def test_settings_that_features_follow_from_make_another_bundle(tiny_bundle, tmp_path, change):
    assert changed(tiny_bundle, tmp_path / "bundle", **change).digest != tiny_bundle.digest


def test_another_name_or_choice_of_features_makes_no_other_bundle(tiny_bundle, tmp_path):
    settings = json.loads((tiny_bundle.folder / "config.json").read_text())
    features = {**settings["features"], "blocks": [0]}
    assert changed(tiny_bundle, tmp_path / "bundle", name="other", features=features).digest == tiny_bundle.digest


def test_a_folder_of_a_bundles_name_does_not_hide_it(tmp_path, monkeypatch):
    (tmp_path / DEFAULT_BUNDLE).mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_bundle(DEFAULT_BUNDLE).name == DEFAULT_BUNDLE
