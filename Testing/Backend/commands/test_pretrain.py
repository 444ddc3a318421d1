from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

STEPS = 100_000


@pytest.mark.usefixtures("obeyed_ctrl_c")
@pytest.mark.skipif(sys.platform == "win32", reason="no other process can be sent Ctrl-C alone")
@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_ctrl_c_ends_a_pretraining_within_a_second_and_leaves_nothing_half_written(case, tmp_path, seconds):
    command = [sys.executable, "-m", "DiffusionSegLib", "pretrain", case / "scan.nii.gz", "--out", tmp_path / "bundle"]
    command += ["--steps", STEPS, "--device", "cpu"]
    with subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE) as process:
        said = b""
        # The bar is shown after the first step.
        while f"/{STEPS}".encode() not in said and (more := process.stderr.read1()):
            said += more
        time.sleep(seconds)
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        process.wait()
        took = time.monotonic() - pressed
    assert process.returncode == 130, said.decode()
    assert said.decode().splitlines()[-1] == "diffusionseg: stopped; nothing was left half-written."
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["pretraining.json"]
    # A quarter of a second where nothing else runs.
    assert took < 5
