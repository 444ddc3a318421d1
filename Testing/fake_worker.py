"""Workers that a test writes in a line or two of Python; they start at once, for they load nothing."""

from __future__ import annotations

import sys

from DiffusionSegLib.client import WorkerClient

PRELUDE = r"""
import json, os, subprocess, sys, time
pipe_in, pipe_out = sys.stdin.buffer.raw, sys.stdout.buffer.raw
def send(data):
    pipe_out.write(data)
def say(message):
    text = json.dumps(message).encode()
    send(b"Content-Length: %d\r\n\r\n" % len(text) + text)
def told():
    return pipe_in.read(65536)
def linger():
    while True:
        say({"method": "heartbeat"})
        time.sleep(0.05)
"""


def a_fake_worker(code: str, **options: float) -> WorkerClient:
    """A client of a worker that runs `code`; see the prelude for what that may call."""
    return WorkerClient([sys.executable, "-I", "-S", "-c", PRELUDE + code], **options)
