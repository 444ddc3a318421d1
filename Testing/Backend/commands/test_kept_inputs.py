from __future__ import annotations

import shutil

import pytest

from DiffusionSegLib import batch
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.commands.kept_inputs import check_inputs_kept
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.session import Session


@pytest.fixture
def no_work(monkeypatch):
    """What would replace its own input must not begin."""
    monkeypatch.setattr(Session, "open", lambda *_: pytest.fail("opened a scan before the inputs were looked at"))


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def folder(case, tmp_path):
    """The case, and what was painted in a folder of results: the usual way to correct one."""
    shutil.copytree(case, tmp_path / "case")
    (tmp_path / "case" / "out").mkdir()
    shutil.copy(case / "painted.nii.gz", tmp_path / "case" / "out" / "segmentation.nii.gz")
    return tmp_path / "case"


def is_told(capsys, path):
    return f"would replace {path}" in capsys.readouterr().err


def test_a_painting_is_not_replaced_by_the_segmentation(folder, no_work, capsys):
    painting = folder / "out" / "segmentation.nii.gz"
    before = painting.read_bytes()
    assert run("segment", folder / "scan.nii.gz", "--labels", painting, "--out", folder / "out") == 2
    assert is_told(capsys, painting)
    assert painting.read_bytes() == before


def test_the_description_of_a_painting_is_not_replaced_by_the_report(folder, no_work, capsys):
    for name in ("painted.nii.gz", "painted.json"):
        (folder / name).rename(folder / "out" / name.replace("painted", "report"))
    painting = folder / "out" / "report.nii.gz"
    assert run("segment", folder / "scan.nii.gz", "--labels", painting, "--out", folder / "out") == 2
    assert is_told(capsys, folder / "out" / "report.json")


def test_a_scan_is_not_replaced_by_the_segmenter(folder, no_work, capsys):
    scan = folder / "scan.nii.gz"
    arguments = ["--labels", folder / "painted.nii.gz", "--out", folder / "new", "--segmenter-out", scan]
    assert run("segment", scan, *arguments) == 2
    assert is_told(capsys, scan)


def test_a_scan_is_not_replaced_by_what_is_found_in_another(folder, no_work, monkeypatch, capsys):
    other = folder / "scan_segmentation.nii.gz"
    shutil.copy(folder / "scan.nii.gz", other)
    monkeypatch.setattr(batch, "Segmenter", pytest.fail)
    assert run("apply", folder / "two.safetensors", folder / "scan.nii.gz", other, "--out", folder) == 2
    assert is_told(capsys, other)


def test_a_link_to_an_input_counts_as_the_input(tmp_path):
    (tmp_path / "scan.nii.gz").touch()
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "scan.nii.gz")
    with pytest.raises(DiffusionSegError, match="would replace"):
        check_inputs_kept([tmp_path / "link.nii.gz"], [tmp_path / "scan.nii.gz"])


def test_results_of_an_earlier_run_and_inputs_that_are_missing_are_passed_over(tmp_path):
    (tmp_path / "segmentation.nii.gz").touch()
    check_inputs_kept(
        [tmp_path / "missing.nii.gz", tmp_path], [tmp_path / "segmentation.nii.gz", tmp_path / "new.json"]
    )
