import subprocess
import sys

from conftest import REPOSITORY

NOISY = """
import os, subprocess, sys
from DiffusionSegLib.worker.standard_streams import take_standard_streams
incoming, outgoing = take_standard_streams()
print("Python")
os.write(1, b"C\\n")
subprocess.run(["echo", "child"])
assert sys.stdin.read() == ""
outgoing.write(incoming.read(5)[::-1])
"""


def test_only_messages_go_over_the_pipe_and_all_else_to_standard_error():
    found = subprocess.run(
        [sys.executable, "-c", NOISY], cwd=REPOSITORY, input=b"olleh", capture_output=True, check=True
    )
    assert found.stdout == b"hello"
    assert set(found.stderr.split()) == {b"Python", b"C", b"child"}
