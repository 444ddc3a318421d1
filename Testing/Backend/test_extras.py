import sys

import pytest

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.extras import of_extra


def test_a_package_that_is_missing_is_told_of_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "colorsys", None)
    with (
        pytest.raises(
            DiffusionSegError, match=r"^Pictures need colours, which is not installed\..*DiffusionSeg\[paint\]"
        ),
        of_extra("paint", "Pictures need colours"),
    ):
        import colorsys  # noqa: F401


def test_other_errors_are_not_taken_for_a_missing_package():
    with pytest.raises(ZeroDivisionError), of_extra("paint", "Pictures need colours"):
        1 / 0  # noqa: B018
