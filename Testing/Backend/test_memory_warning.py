"""What is told where a scan needs more memory than there is."""

import pytest

from DiffusionSegLib.memory_warning import GIGABYTE, gpu_memory_warning, memory_warning


@pytest.mark.parametrize("available", [None, 5 * GIGABYTE, 8 * GIGABYTE])
def test_nothing_is_told_where_it_fits_or_nobody_knows(available):
    assert memory_warning(5 * GIGABYTE, available) is None
    assert gpu_memory_warning(5 * GIGABYTE, available) is None


def test_what_is_missing_is_told_in_one_sentence_with_the_way_out():
    told = memory_warning(5 * GIGABYTE, 2 * GIGABYTE)
    assert told.startswith("It needs 5.0 GB of memory, but only 2.0 GB are free: close other programs, crop")
    assert told.count(". ") == 0


def test_a_gpu_is_only_slower():
    assert "is faster with 5.0 GB" in gpu_memory_warning(5 * GIGABYTE, 2 * GIGABYTE)
