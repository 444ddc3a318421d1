from __future__ import annotations

import gc
import subprocess
import sys
import warnings

import pytest

from DiffusionSegLib import __version__, batch
from DiffusionSegLib.__main__ import main
from DiffusionSegLib.commands import info
from DiffusionSegLib.diffusion.pretraining_job import PretrainingJob
from DiffusionSegLib.errors import DiffusionSegWarning

COMMANDS = ["segment", "apply", "suggest", "evaluate", "pretrain", "import", "info", "demo", "benchmark", "worker"]


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS), ["benchmark", "nine-slices"]])
def test_every_command_explains_itself(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--help"])
    assert stopped.value.code == 0
    assert "usage: diffusionseg" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["segment"], ["no-such-command"], ["segment", "a.nii.gz", "--out", "b"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(("options", "flip"), [([], True), (["--asymmetric"], False)])
def test_images_of_an_asymmetric_body_part_are_not_flipped(options, flip, monkeypatch):
    jobs = []
    monkeypatch.setattr(PretrainingJob, "run", lambda job, *_: jobs.append(job))
    assert main(["pretrain", "scans", "--out", "bundle", "--device", "cpu", *options]) == 0
    assert jobs[0].config.augmentation.flip == flip


def test_channels_of_a_pretraining_are_inputs_and_outputs_of_its_denoiser(monkeypatch):
    jobs = []
    monkeypatch.setattr(PretrainingJob, "run", lambda job, *_: jobs.append(job))
    assert main(["pretrain", "scans", "--out", "x", "--positions", "--channels", "T1w", "FLAIR"]) == 0
    assert jobs[0].channels == ("T1w", "FLAIR")
    assert (jobs[0].config.unet.channels_in, jobs[0].config.unet.channels_out) == (2, 5)


def test_help_does_not_wait_for_torch():
    script = "import sys\nfrom DiffusionSegLib.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


def test_ctrl_c_exits_with_130(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(info, "run", interrupted)
    assert main(["info"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_while_the_program_starts_is_told_like_any_other():
    script = (
        "import builtins, sys\n"
        "load = builtins.__import__\n"
        "def interrupted(name, *more):\n"
        "    if name == 'numpy': raise KeyboardInterrupt\n"
        "    return load(name, *more)\n"
        "builtins.__import__ = interrupted\n"
        "from DiffusionSegLib.__main__ import main\n"
        "sys.exit(main(['info']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done.stderr


def test_after_ctrl_c_nothing_is_printed_below_what_is_told(monkeypatch, capsys):
    def interrupted(*_, progress, **__):
        progress("features", 1, 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "Batch", interrupted)
    assert main(["apply", "two.safetensors", "scan.nii.gz", "--out", "never-made"]) == 130
    gc.collect()
    told = capsys.readouterr().err
    assert "features" in told
    assert told.splitlines()[-1].startswith("diffusionseg: stopped")


def test_a_warning_is_one_line_without_the_code_that_it_comes_from(monkeypatch, capsys):
    def warned(arguments):
        warnings.warn("The memory is short.", DiffusionSegWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(info, "run", warned)
    assert main(["info"]) == 0
    assert capsys.readouterr().err.strip() == "diffusionseg: The memory is short."


def test_nothing_is_told_when_nobody_reads_what_is_printed():
    command = [sys.executable, "-m", "DiffusionSegLib", "info"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 141
    assert told == ""
