"""Several calls to the worker as one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from DiffusionSegCore.call_sequence import CallSequence, Step

from DiffusionSegLib.errors import DiffusionSegError


class Calls:
    """A client whose calls are done at once, and answer with their method."""

    alive = True

    def __init__(self):
        self.made = []

    def start(self, method, *_, **__):
        self.made.append(method)
        return SimpleNamespace(done=True, result=lambda _: ({"said": method}, {}))


def broken(*_):
    raise AttributeError("no image data")


@pytest.mark.parametrize("broken_step", [Step("open", {}, arrays=broken), Step("open", {}, succeeded=broken)])
def test_what_nobody_has_foreseen_ends_the_sequence(broken_step):
    failed = []
    client = Calls()
    sequence = CallSequence(client, [Step("hello", {}), broken_step, Step("train", {})], failed=failed.append)
    with pytest.raises(AttributeError):
        sequence.result()
    assert sequence.done
    assert "train" not in client.made
    assert [type(error) for error in failed] == [AttributeError]


def test_an_error_about_something_else_says_about_what():
    def refused(*_):
        raise DiffusionSegError("It is empty.", "Choose another one.")

    with pytest.raises(DiffusionSegError, match=r"^other: It is empty\. Choose another one\.$"):
        CallSequence(Calls(), [Step("open", {}, succeeded=refused, about="other")]).result()
