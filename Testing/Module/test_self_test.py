"""The module's own self-test, on slicer-core instead of in Slicer."""

from __future__ import annotations

import time
import unittest

import pytest

slicer = pytest.importorskip("slicer", reason="the module's logic is tested on slicer-core")

from DiffusionSegTesting import WholeStory  # noqa: E402
from Module.mrml import AScene  # noqa: E402


def test_the_self_test_passes_in_under_a_minute(tmp_path, monkeypatch):
    a_scene = AScene(tmp_path)
    monkeypatch.setattr(slicer, "mrmlScene", a_scene.scene, raising=False)
    case = type("DiffusionSegTest", (WholeStory, unittest.TestCase), {})
    start, result = time.perf_counter(), unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun == 2
    assert not result.skipped
    assert not [text for _, text in [*result.errors, *result.failures]], result.errors or result.failures
    assert time.perf_counter() - start < 60
