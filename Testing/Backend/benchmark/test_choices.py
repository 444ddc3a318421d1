"""Our method with one choice after the other undone, on small made-up people."""

from dataclasses import replace

import pytest
import torch
from conftest import a_head, a_volume
from side_by_side import printed

from DiffusionSegLib.benchmark.choices import CHOICES, NO_MATTER_OF_FEATURES, changed_method
from DiffusionSegLib.benchmark.extracted_once import ExtractedOnce
from DiffusionSegLib.session import SessionOptions

LIKE_NO_HEAD = pytest.mark.filterwarnings("ignore:The scan hardly looks like")


@pytest.fixture
def method(aligned_bundle):
    features = replace(aligned_bundle.config.features, noise_scale=0.0)
    bundle = replace(aligned_bundle, config=replace(aligned_bundle.config, features=features))
    options = SessionOptions(bundle=bundle, device="cpu")
    extracted = ExtractedOnce(options)
    return lambda name: changed_method(extracted, options, CHOICES[name](bundle))


def settings(options) -> dict:
    """All that a session works with, by name."""
    features = options.features or options.bundle.config.features
    return {
        "weights of seed": options.bundle.random_seed,
        "smoothed": options.smoothed,
        "annotated_neighbours": options.annotated_neighbours,
        **vars(features),
        **vars(options.ensemble),
    }


def test_every_choice_undoes_what_its_name_says_and_nothing_else(method):
    undone = {
        "as it is": {},
        "not learnt as in a mirror": {"mirrored": False},
        "all activations, not 32 axes": {"activation_axes": 0},
        "annotated voxels tell of no others": {"annotated_neighbours": False},
        "not smoothed either": {"smoothed": False},
        "no activations hidden": {"feature_dropout": 0.0},
        "voxels drawn as they come": {"balance": 1.0},
        "one network": {"members": 1},
        "random weights": {"weights of seed": 1},
        "no activations": {"activation_weight": 1e-9},
        "three time steps with noise": {"time_steps": (50, 150, 250), "noise_scale": 1.0},
        "no edges": {"edge_sigmas_mm": ()},
        # Without the template nobody knows where the mirror stands.
        "positions in the bounding box, no mirror": {"coordinates": "box"},
        "the same with random weights": {"coordinates": "box", "weights of seed": 1},
    }
    ours = settings(method("as it is").session.options)
    found = {name: settings(method(name).session.options) for name in CHOICES}
    differing = {
        name: {setting: value for setting, value in chosen.items() if value != ours[setting]}
        for name, chosen in found.items()
    }
    assert differing == undone


@LIKE_NO_HEAD
def test_without_activations_these_are_tiny_beside_the_rest(method):
    features = method("no activations").open(a_volume(a_head((24, 24, 24))[0])).features
    found = features.at(torch.tensor([[12, 12, 12], [9, 12, 14]]))
    assert found[:, : features.view_channels].abs().max() < 1e-3
    assert found[:, features.view_channels :].abs().max() > 0.1


@LIKE_NO_HEAD
def test_what_is_learnt_otherwise_is_learnt_from_the_same_features(method):
    scan = a_volume(a_head((24, 24, 24))[0])
    ours = method("as it is").open(scan)
    assert method("one network").open(scan) is ours
    assert method("no edges").open(scan).features is not ours.features


@LIKE_NO_HEAD
def test_all_choices_are_measured_and_features_extracted_only_where_they_change(
    tmp_path, aligned_bundle, capsys, monkeypatch
):
    rows, extracted = printed("choices", aligned_bundle, tmp_path, monkeypatch, capsys, steps=5)
    assert list(dict.fromkeys(row[0] for row in rows)) == list(CHOICES)
    assert [row[2:] for row in rows] == [
        ["9+background", "completion"],
        ["9+background", "transfer"],
        ["volume", "transfer"],
    ] * len(CHOICES)
    others = [name for name, change in CHOICES.items() if not change(aligned_bundle).keys() <= NO_MATTER_OF_FEATURES]
    assert extracted == 2 * (1 + len(others))
