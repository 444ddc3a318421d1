import json
import math
import shutil

import pytest

from DiffusionSegLib.bundles.bundle import ModelBundle
from DiffusionSegLib.errors import DiffusionSegError

OUT_OF_RANGE = [
    ("features", "time_steps", [1000], "time steps"),
    ("features", "time_steps", [-1], "time steps"),
    ("features", "time_steps", [], "time_steps is empty"),
    ("features", "blocks", [], "blocks is empty"),
    ("features", "blocks", [-1], "blocks"),
    ("features", "views", [], "views is empty"),
    ("features", "intensity_sigmas_mm", [-1.0], "intensity_sigmas_mm"),
    ("features", "intensity_sigmas_mm", [math.nan], "intensity_sigmas_mm"),
    ("features", "noise_scale", math.inf, "noise_scale"),
    ("features", "edge_sigmas_mm", [0.0], "edge_sigmas_mm"),
    ("features", "activation_weight", 0.0, "activation_weight"),
    ("features", "position_wavelengths_mm", [0.0], "position_wavelengths_mm"),
    ("features", "noise_seed", -1, "noise_seed"),
    (None, "spacing_mm", 0.0, "spacing_mm is 0"),
    (None, "spacing_mm", -1.0, "spacing_mm is -1"),
    (None, "spacing_mm", math.nan, "spacing_mm is nan"),
    (None, "spacing_mm", math.inf, "spacing_mm is inf"),
    ("schedule", "steps", 0, "schedule has no steps"),
    ("unet", "dims", 3, "slice by slice"),
    ("unet", "patch", 0, "patch is 0"),
    ("unet", "channels_in", 0, "channels_in is 0"),
    ("unet", "head_channels", 0, "head_channels is 0"),
    ("unet", "heads", -1, "heads is -1"),
    ("unet", "heads", 3, r"heads do not divide the channels .*\[16\]"),
    ("unet", "head_channels", 3, r"heads do not divide the channels .*\[16\]"),
    ("unet", "residual_blocks", -1, "residual_blocks is -1"),
    ("unet", "base_channels", 7, "no even number"),
    ("unet", "groups", 7, "7 groups do not divide"),
    ("unet", "groups", 0, "groups is 0"),
    ("unet", "multipliers", [], "multipliers are"),
    ("unet", "multipliers", [1, 0], "multipliers are"),
]


def load_with(bundle, folder, part, name, value):
    shutil.copytree(bundle.folder, folder)
    said = json.loads((folder / "config.json").read_text())
    (said if part is None else said[part])[name] = value
    (folder / "config.json").write_text(json.dumps(said))
    return ModelBundle.load(folder)


@pytest.mark.parametrize(("part", "name", "value", "words"), OUT_OF_RANGE)
def test_a_value_out_of_its_range_is_told_when_the_bundle_is_loaded(tiny_bundle, tmp_path, part, name, value, words):
    with pytest.raises(DiffusionSegError, match=f"bundle tiny cannot be used: .*{words}"):
        load_with(tiny_bundle, tmp_path / "other", part, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_steps", [0, 999]),
        ("blocks", [0, 99]),
        ("intensity_sigmas_mm", []),
        ("edge_sigmas_mm", []),
        ("noise_scale", 0.0),
    ],
)
def test_the_ends_of_a_range_are_taken(tiny_bundle, tmp_path, name, value):
    bundle = load_with(tiny_bundle, tmp_path / "other", "features", name, value)
    assert json.loads(json.dumps(getattr(bundle.config.features, name))) == value


def test_heads_of_levels_without_attention_do_not_count(tiny_bundle, tmp_path):
    # Of 8 and 16 channels only the latter see attention.
    assert load_with(tiny_bundle, tmp_path / "other", "unet", "heads", 16).config.unet.heads == 16


def test_a_config_that_is_nested_without_end_is_told_of(tiny_bundle, tmp_path):
    shutil.copytree(tiny_bundle.folder, tmp_path / "other")
    (tmp_path / "other" / "config.json").write_text("[" * 100_000)
    with pytest.raises(DiffusionSegError, match="no readable model bundle"):
        ModelBundle.load(tmp_path / "other")
