import os
import subprocess
import sys

from conftest import REPOSITORY

from DiffusionSegLib import __version__
from DiffusionSegLib.client import WorkerClient

COMMAND = [sys.executable, "-m", "DiffusionSegLib", "worker"]


def test_the_command_serves_a_client():
    with WorkerClient(COMMAND, {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}) as client:
        found, _ = client.call("hello", {})
        assert found["version"] == __version__
        assert "brain-t1" in {bundle["name"] for bundle in found["bundles"]}


def test_the_command_ends_with_its_input():
    found = subprocess.run(COMMAND, cwd=REPOSITORY, input=b"", capture_output=True, check=False, timeout=60)
    assert found.returncode == 0


def test_the_command_tells_what_is_no_message():
    found = subprocess.run(COMMAND, cwd=REPOSITORY, input=b"GET / HTTP/1.1", capture_output=True, check=False)
    assert found.returncode == 2
    assert b"is no message" in found.stdout
