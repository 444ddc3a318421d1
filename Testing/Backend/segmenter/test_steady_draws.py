import numpy as np

from DiffusionSegLib.segmenter.steady_draws import steady_draws


def test_draws_are_spread_evenly_and_neighbours_have_nothing_in_common():
    found = steady_draws(np.arange(100_000), 0)
    counts, _ = np.histogram(found, bins=20, range=(0, 1))
    assert counts.sum() == 100_000
    assert abs(counts - 5000).max() < 300
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.02


def test_a_key_keeps_its_number_whatever_else_is_drawn():
    np.testing.assert_array_equal(steady_draws(np.arange(50), 3)[20:30], steady_draws(np.arange(20, 30), 3))


def test_seeds_differ():
    keys = np.arange(10_000)
    for other in (1, 2, 12345):
        assert abs(np.corrcoef(steady_draws(keys, 0), steady_draws(keys, other))[0, 1]) < 0.05
