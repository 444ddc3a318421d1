"""Whatever the panel may ask of the fake engine, it may ask of the real one."""

from __future__ import annotations

import inspect

import pytest
from DiffusionSegCore import DiffusionSegEngine
from slicer_fakes.engine import FakeEngine

# How a test plays the user.
OF_TESTS = {"paint", "unpaint"}
METHODS = {name for name, _ in inspect.getmembers(FakeEngine, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(METHODS - OF_TESTS))
@pytest.mark.parametrize("optional", [True, False])
def test_the_real_engine_can_be_called_as_the_fake_is(name, optional):
    fake = inspect.signature(getattr(FakeEngine, name)).parameters.values()
    given = [one for one in fake if optional or one.default is inspect.Parameter.empty]
    named = [one.name for one in given if one.kind is inspect.Parameter.KEYWORD_ONLY]
    real = inspect.signature(getattr(DiffusionSegEngine, name))
    real.bind(*given[: len(given) - len(named)], **dict.fromkeys(named))


@pytest.mark.parametrize(
    "name", [name for name, _ in inspect.getmembers(FakeEngine, lambda member: isinstance(member, property))]
)
def test_the_real_engine_knows_what_the_fake_knows(name):
    assert isinstance(getattr(DiffusionSegEngine, name), property)
