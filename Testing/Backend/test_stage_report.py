import mmap
import sys

import pytest

from DiffusionSegLib import resident_memory, stage_report
from DiffusionSegLib.resident_memory import forget_peak
from DiffusionSegLib.stage_report import StageReport

LARGE = 300 * 2**20


def hold_much_for_a_moment():
    """Memory straight from the system and back to it: what an allocator keeps of the tests before would hide it."""
    with mmap.mmap(-1, LARGE) as memory:
        for start in range(0, LARGE, mmap.PAGESIZE):
            memory[start] = 1


@pytest.mark.skipif(not forget_peak(), reason="Linux alone lets a peak be forgotten")
def test_a_stage_does_not_answer_for_the_memory_of_the_one_before():
    report = StageReport()
    with report.stage("large"):
        hold_much_for_a_moment()
    with report.stage("small"):
        pass
    told = report.to_json()
    assert told["stages"]["large"]["peak_memory_mb"] > told["stages"]["small"]["peak_memory_mb"] + 200
    assert told["peak_memory_mb"] == told["stages"]["large"]["peak_memory_mb"]


@pytest.mark.skipif(sys.platform == "win32", reason="nobody tells the peak")
def test_the_peak_of_all_counts_what_lies_between_the_stages_too():
    report = StageReport()
    with report.stage("first"):
        pass
    hold_much_for_a_moment()
    with report.stage("last"):
        pass
    told = report.to_json()
    assert told["peak_memory_mb"] >= max(stage["peak_memory_mb"] for stage in told["stages"].values())
    assert told["peak_memory_mb"] > told["stages"]["first"]["peak_memory_mb"] + 200


def test_a_stage_that_comes_again_adds_its_time_and_keeps_its_largest_peak(monkeypatch):
    peaks = iter([0, 3 * 2**20, 0, 2 * 2**20, 0])
    monkeypatch.setattr(stage_report, "peak_bytes", lambda: next(peaks))
    monkeypatch.setattr(stage_report.time, "perf_counter", iter([0.0, 1.0, 5.0, 7.0]).__next__)
    report = StageReport()
    for _ in range(2):
        with report.stage("twice"):
            pass
    assert report.to_json()["stages"] == {"twice": {"seconds": 3.0, "peak_memory_mb": 3}}


def test_where_nobody_tells_the_memory_there_is_none(monkeypatch):
    monkeypatch.setattr(resident_memory.sys, "platform", "win32")
    report = StageReport()
    with report.stage("only"):
        pass
    assert report.to_json()["peak_memory_mb"] is None
    assert report.to_json()["stages"]["only"]["peak_memory_mb"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="nobody tells the peak")
def test_without_a_status_the_peak_is_that_of_the_whole_process(monkeypatch):
    monkeypatch.setattr(resident_memory, "_status", lambda _name: None)
    assert resident_memory.held_bytes() is None
    assert resident_memory.peak_bytes() > 2**20
