from __future__ import annotations

import argparse

import pytest

from DiffusionSegLib.__main__ import main
from DiffusionSegLib.commands.options import add_seed

COMMANDS = {
    "segment": ["scan.nii.gz", "--labels", "painting.nii.gz", "--out", "out"],
    "pretrain": ["scans", "--out", "bundle"],
    "demo": ["--out", "out"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("seed", ["-1", str(2**63), "1.5", "many"])
def test_a_seed_that_random_numbers_cannot_follow_from_is_refused(command, seed, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([command, *COMMANDS[command], f"--seed={seed}"])
    assert "argument --seed" in capsys.readouterr().err


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_first_and_the_last_seed_are_taken(seed):
    parser = argparse.ArgumentParser()
    add_seed(parser)
    assert parser.parse_args(["--seed", str(seed)]).seed == seed


@pytest.mark.parametrize("count", ["-1", "0"])
def test_fewer_suggestions_than_one_are_refused(count, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["suggest", "two.safetensors", "scan.nii.gz", f"--count={count}"])
    assert "argument --count" in capsys.readouterr().err
