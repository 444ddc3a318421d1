"""The memory that a large scan takes, on a small one."""

import re

import numpy as np
import pytest

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.benchmark.speed.large_scan import _head


def test_the_peak_memory_of_segmenting_is_told(tiny_bundle, capfd):
    arguments = ["--bundle", str(tiny_bundle.folder), "--device", "cpu", "--grid", "48", "52", "40"]
    assert main(["benchmark", "speed", *arguments]) == 0
    printed = capfd.readouterr().out
    told = re.search(r"Scan of 48 x 52 x 40 voxels, cpu: peak memory (\d+) MB", printed)
    # Torch alone takes a fifth of a gigabyte.
    assert 100 < int(told[1]) < 4000
    for stage in ("features", "gathering", "training", "prediction", "writing"):
        assert f"| {stage} |" in printed


def test_a_command_that_fails_is_told_of(tmp_path, capfd):
    assert main(["benchmark", "speed", "--bundle", str(tmp_path), "--grid", "48", "52", "40"]) == 2
    assert "could not be segmented" in capfd.readouterr().err


def test_the_synthetic_head_has_air_around_it_and_both_structures_in_it():
    image, reference = _head((40, 44, 36))
    assert set(np.unique(reference)) == {0, 1, 2}
    assert (image[reference > 0] > 0).all()
    assert not image[0].any()
    assert (image > 0).mean() == pytest.approx(4 / 3 * np.pi * 0.6 * 0.75 * 0.7 / 8, rel=0.1)
