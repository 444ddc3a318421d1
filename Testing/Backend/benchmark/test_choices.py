"""Our method with one choice after the other undone, on small made-up people."""

import pytest
import torch
from brief_training import training_with
from conftest import a_head, a_volume
from oasis_phantoms import write_people

from DiffusionSegLib import session
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark.choices import CHOICES, changed_method
from DiffusionSegLib.benchmark.extracted_once import ExtractedOnce
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.session import SessionOptions

LIKE_NO_HEAD = pytest.mark.filterwarnings("ignore:The scan hardly looks like")


@pytest.fixture
def method(aligned_bundle):
    options = SessionOptions(bundle=aligned_bundle, device="cpu")
    extracted = ExtractedOnce(options)
    return lambda name: changed_method(extracted, options, CHOICES[name](aligned_bundle))


def test_every_choice_differs_from_the_method_as_it_is_in_one_option_alone(method):
    ours = method("as it is").session.options
    for name in CHOICES.keys() - {"as it is"}:
        options = method(name).session.options
        assert sum(value != vars(ours)[option] for option, value in vars(options).items()) == 1, name


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
    extracted = []
    extract = ActivationExtractor.extract
    monkeypatch.setattr(ActivationExtractor, "extract", lambda *given: extracted.append(given) or extract(*given))
    monkeypatch.setattr(session, "train_ensemble", training_with(steps=5, check_every=5))
    write_people(tmp_path, {"sub-1": "train", "sub-2": "validation"})
    bundle = ["--bundle", str(aligned_bundle.folder), "--device", "cpu"]
    assert main(["benchmark", "choices", "--data", str(tmp_path), *bundle]) == 0
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in capsys.readouterr().out.splitlines()[2:]]
    assert list(dict.fromkeys(row[0] for row in rows)) == list(CHOICES)
    assert [row[2:] for row in rows] == [
        ["9+background", "completion"],
        ["9+background", "transfer"],
        ["volume", "transfer"],
    ] * len(CHOICES)
    others = [name for name, change in CHOICES.items() if not change(aligned_bundle).keys() <= {"ensemble"}]
    assert len(extracted) == 2 * (1 + len(others))
