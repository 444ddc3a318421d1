import warnings

import pytest

from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.told_warnings import warnings_told


def warn_of_both():
    warnings.warn("The memory is short.", DiffusionSegWarning, stacklevel=1)
    warnings.warn("of no concern", UserWarning, stacklevel=1)


def test_what_the_user_should_know_is_told_each_time_and_nothing_else(capsys):
    told = []
    with warnings_told(told.append):
        warn_of_both()
        warn_of_both()
    assert told == ["The memory is short."] * 2
    assert "UserWarning: of no concern\n" in capsys.readouterr().err


def test_an_error_leaves_warnings_as_they_were():
    before = warnings.showwarning
    with pytest.raises(ValueError, match="now"), warnings_told(print):
        raise ValueError("now")
    assert warnings.showwarning is before
