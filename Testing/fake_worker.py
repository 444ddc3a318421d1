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
def answer_all():
    # Refuses where the call wants it, and writes what it got to standard error.
    while header := sys.stdin.buffer.readline():
        sys.stdin.buffer.readline()
        message = json.loads(sys.stdin.buffer.read(int(header.split()[1])))
        for array in message.get("attachments", []):
            size = int(array["dtype"][2:])
            for edge in array["shape"]:
                size *= edge
            sys.stdin.buffer.read(size)
        params = message.get("params", {})
        sys.stderr.write(f"{message['method']} {params.get('stem', '')}\n")
        sys.stderr.flush()
        outcome = {"error": {"message": "Refused."}} if params.get("refuse") else {"result": {}}
        if "id" in message:
            say({"id": message["id"], **outcome})
        if message["method"] == "shutdown":
            break
def linger():
    while True:
        say({"method": "heartbeat"})
        time.sleep(0.05)
"""


def a_fake_worker(code: str, **options: float) -> WorkerClient:
    """A client of a worker that runs `code`; see the prelude for what that may call."""
    return WorkerClient([sys.executable, "-I", "-S", "-c", PRELUDE + code], **options)
