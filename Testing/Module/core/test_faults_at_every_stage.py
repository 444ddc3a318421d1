"""Each fault at each stage of the work: what is told, what is left, and that the next click works."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time

import painted_head
import pytest
from held_worker import Hold
from Module.core.desk import STAGES, Desk
from Module.fake_worker_client import FakeWorkerError

from DiffusionSegLib.client import WorkerClient
from DiffusionSegLib.errors import DiffusionSegError

KILLED, STOPPED, GONE = "was ended by force", r"^Stopped\.$", "removed while it was worked on"
REFUSED, FULL, WARNED = "The memory is short", "no space left", "warned"
# Nothing of the scene goes into the work or comes out of it.
DONE = "^$"
# Nothing is written, or it is the click of another row.
NONE = None
FAULTS = ("killed", "cancelled", "refused", "scene closed", "volume deleted", "disk full")
TABLE = {
    "open":     (KILLED, STOPPED, REFUSED, GONE, GONE, NONE),
    "annotate": (KILLED, STOPPED, REFUSED, GONE, GONE, NONE),
    "extract":  (KILLED, STOPPED, REFUSED, DONE, DONE, WARNED),
    "train":    (KILLED, STOPPED, REFUSED, GONE, GONE, NONE),
    "keep":     (KILLED, STOPPED, REFUSED, GONE, GONE, WARNED),
    "preview":  (KILLED, STOPPED, REFUSED, GONE, GONE, WARNED),
    "predict":  (KILLED, STOPPED, REFUSED, GONE, GONE, WARNED),
    "suggest":  (KILLED, STOPPED, REFUSED, GONE, GONE, WARNED),
    "apply":    (KILLED, STOPPED, REFUSED, GONE, GONE, WARNED),
    "save":     (KILLED, STOPPED, REFUSED, DONE, DONE, FULL),
    "load":     (KILLED, STOPPED, REFUSED, DONE, DONE, NONE),
}  # fmt: skip
CELLS = [(stage, fault, told) for stage, row in TABLE.items() for fault, told in zip(FAULTS, row, strict=True)]


def cells(*faults: str):
    chosen = [cell for cell in CELLS if cell[1] in faults and cell[2] is not NONE]
    return pytest.mark.parametrize(
        ("stage", "fault", "told"), chosen, ids=[" at ".join(cell[1::-1]) for cell in chosen]
    )


@pytest.fixture(scope="module")
def hold(tmp_path_factory):
    return Hold(tmp_path_factory.mktemp("hold"))


@pytest.fixture(scope="module")
def worker(hold):
    with WorkerClient(hold.command, painted_head.environment()) as client:
        # One that is still starting would tell of its end in other words.
        client.call("hello", {})
        yield client


@pytest.fixture
def desk(scene, worker, tiny_bundle, tmp_path):
    return Desk(scene, worker, tiny_bundle, tmp_path / "work")


def problem(act) -> str:
    """What the user is told; nothing where all went well."""
    try:
        act()
    except DiffusionSegError as error:
        return error.message
    return ""


def held(desk, hold, step):
    """The work on a step, in which the worker is held."""
    work = step.begin(desk)
    hold.wait(lambda: work.done)
    return work


@cells("killed", "cancelled")
def test_a_worker_that_is_stopped_is_told_within_a_second_and_costs_one_click(desk, hold, worker, stage, fault, told):
    if fault == "killed" and not hasattr(signal, "SIGKILL"):
        pytest.skip("Windows has no SIGKILL")
    step = STAGES[stage]
    step.prepare(desk)
    before, nodes = desk.contents(), desk.scene.GetNumberOfNodes()
    with hold.at(step.held_at):
        work = held(desk, hold, step)
        start = time.monotonic()
        if fault == "killed":
            os.kill(worker.process_id, signal.SIGKILL)
        else:
            desk.engine.cancel()
        assert re.search(told, problem(lambda: work.result(10)))
        assert time.monotonic() - start < 1
    assert re.search(told, problem(lambda: step.finish(desk, work)))
    assert desk.contents() == before
    assert desk.scene.GetNumberOfNodes() == nodes
    step.complete(desk)


@cells("refused")
def test_what_the_worker_cannot_do_is_told_and_the_next_click_works(
    scene, client, tiny_bundle, tmp_path, stage, fault, told
):
    desk, step = Desk(scene, client, tiny_bundle, tmp_path), STAGES[stage]
    step.prepare(desk)
    before = desk.contents()
    client.faults = {step.method: FakeWorkerError("The memory is short.", "Close other programs.")}
    assert re.search(told, problem(lambda: step.complete(desk)))
    assert not client.faults
    assert desk.contents() == before
    step.complete(desk)


@cells("scene closed", "volume deleted")
def test_a_scan_that_is_taken_away_is_told_and_the_next_one_works(desk, hold, scene, stage, fault, told):
    step = STAGES[stage]
    step.prepare(desk)
    before, nodes = desk.contents(), desk.scene.GetNumberOfNodes()
    with hold.at(step.held_at):
        work = held(desk, hold, step)
        if fault == "scene closed":
            scene.Clear(False)
        else:
            scene.RemoveNode(desk.other if stage == "apply" else desk.volume)
    assert re.search(told, problem(lambda: step.finish(desk, work)))
    if fault == "scene closed":
        assert scene.GetNumberOfNodesByClass("vtkMRMLDisplayableNode") == 0
    else:
        assert desk.contents() == before
        assert scene.GetNumberOfNodes() < nodes
    desk.lay_out()
    step.prepare(desk)
    step.complete(desk)


@cells("disk full")
def test_a_full_disk_costs_what_was_to_be_written_only(desk, worker, full_disk, stage, fault, told):
    step = STAGES[stage]
    step.prepare(desk)
    before = desk.contents()
    fill(full_disk)
    desk.engine.renew_worker(str(full_disk))
    worker.poll()
    if told == WARNED:
        step.complete(desk)
        warnings = [said["params"]["message"] for said in worker.poll() if said["method"] == "warning"]
        assert any(FULL in warning for warning in warnings)
    else:
        desk.path, elsewhere = str(full_disk / "mine.safetensors"), desk.path
        assert re.search(told, problem(lambda: step.complete(desk)))
        assert desk.contents() == before
        desk.path = elsewhere
    step.complete(desk)


def fill(disk):
    """Leave no byte on a disk."""
    with (disk / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))
