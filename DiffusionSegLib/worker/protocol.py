"""What the two ends of the pipe say to each other: JSON-RPC 2.0."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.errors import DiffusionSegError

# Raised whenever an older client or worker would no longer understand the other.
PROTOCOL = 5
HEARTBEAT_SECONDS = 2.0

PARSE_ERROR = -32700
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
PROBLEM = -32000
STOPPED = -32800

STOPPED_MESSAGE = "Stopped."


def request(identifier: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A call that is to be answered."""
    return {"jsonrpc": "2.0", "protocol": PROTOCOL, "id": identifier, "method": method, "params": params}


def notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Something to know that nobody answers."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def result(identifier: int, value: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call."""
    return {"jsonrpc": "2.0", "id": identifier, "result": value}


def failure(identifier: int | None, code: int, problem: DiffusionSegError) -> dict[str, Any]:
    """The answer to a call that did not work; None where it cannot be told which one."""
    error = {"code": code, "message": problem.message, "data": {"hint": problem.hint}}
    return {"jsonrpc": "2.0", "id": identifier, "error": error}
