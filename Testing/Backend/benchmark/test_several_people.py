"""Learning from several made-up people."""

import json

import pytest
from brief_training import training_with
from oasis_phantoms import write_people

from DiffusionSegLib import session
from DiffusionSegLib.__main__ import main

PEOPLE = {"sub-1": "train", "sub-2": "test", "sub-3": "test", "sub-4": "validation"}


@pytest.fixture
def measure(tmp_path, tiny_bundle, monkeypatch, capsys):
    """Runs the protocol on made-up people: what was printed, and how many voxels each training was given."""
    write_people(tmp_path, PEOPLE)
    briefly, given = training_with(steps=40, check_every=40), []
    monkeypatch.setattr(
        session, "train_ensemble", lambda voxels, *more: given.append(len(voxels.classes)) or briefly(voxels, *more)
    )

    def measured(*arguments):
        options = ["--bundle", str(tiny_bundle.folder), "--device", "cpu", *map(str, arguments)]
        code = main(["benchmark", "several-people", "--data", str(tmp_path), *options])
        return code, capsys.readouterr(), given

    return measured


def test_each_setting_is_learnt_from_one_person_after_the_other_and_tested_on_the_rest(measure, tmp_path):
    report = tmp_path / "rows.json"
    code, printed, voxels = measure("--train-on", "sub-1", "sub-2", "--json", report)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in printed.out.splitlines()[2:]]
    assert rows == [
        ["ours", people, setting, "transfer"]
        for setting in ("9+background", "volume")
        for people in ("sub-1", "sub-1 + sub-2")
    ]
    # The one person of the split who was not painted.
    assert [len(row["people"]) for row in json.loads(report.read_text())] == [1] * 4
    first, first_whole, both, both_whole = voxels
    assert both > 1.5 * first
    assert both_whole > 1.5 * first_whole


def test_where_all_are_painted_nobody_is_left(measure):
    code, printed, _ = measure("--train-on", "sub-2", "sub-3")
    assert code == 2
    assert "Nobody is left" in printed.err
