"""How slices are computed: in which precision, and how many at a time."""

import sys

import pytest
import torch
from conftest import a_head

from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.features import extraction
from DiffusionSegLib.features.extraction import ActivationExtractor
from DiffusionSegLib.features.feature_config import FeatureConfig

CONFIG = FeatureConfig(time_steps=(50, 150), blocks=(0, 1, 3))
IMAGE = a_head((22, 27, 18))[0]
SCAN, TISSUE = (IMAGE / IMAGE.max() * 2 - 1)[None], IMAGE > 0


def extracted(bundle, kept_as=torch.float16, denoisers=None):
    extractor = ActivationExtractor(denoisers or bundle.denoisers(), bundle.config.schedule, CONFIG, kept_as=kept_as)
    return extractor.extract(SCAN, TISSUE)


@pytest.fixture
def in_half_precision(monkeypatch):
    """Denoisers compute as on a GPU."""
    monkeypatch.setattr(extraction, "inference_precision", lambda *_: torch.float16)


def all_levels(views):
    return [level.values for view in views for level in view.levels.values()]


def test_half_precision_makes_nearly_the_same_activations(tiny_bundle, in_half_precision, monkeypatch):
    found = extracted(tiny_bundle)
    monkeypatch.undo()
    for half, single in zip(all_levels(found), all_levels(extracted(tiny_bundle)), strict=True):
        assert half.dtype == torch.float16
        assert not torch.equal(half, single)
        torch.testing.assert_close(half.float(), single.float(), rtol=0, atol=0.05 * float(single.float().std()))


def test_denoisers_stay_in_single_precision_where_theirs_is_half(tiny_bundle, in_half_precision):
    denoisers = tiny_bundle.denoisers()
    extracted(tiny_bundle, denoisers=denoisers)
    assert {parameter.dtype for parameter in denoisers.parameters()} == {torch.float32}


def with_large_values_inside(bundle, factor):
    """Denoisers whose skip connections are beyond what half precision holds, which a normalisation takes back."""
    denoisers = bundle.denoisers()
    with torch.no_grad():
        for parameter in denoisers.unet.input_blocks[0].parameters():
            parameter.mul_(factor)
    return denoisers


def test_what_half_precision_has_no_numbers_for_is_computed_in_single_precision(
    tiny_bundle, in_half_precision, monkeypatch
):
    denoisers = with_large_values_inside(tiny_bundle, 1e6)
    found = extracted(tiny_bundle, torch.float32, denoisers)
    monkeypatch.undo()
    expected = extracted(tiny_bundle, torch.float32, denoisers)
    for one, other in zip(all_levels(found), all_levels(expected), strict=True):
        assert torch.equal(one, other)


def test_activations_beyond_half_precision_are_kept_as_the_largest_that_it_has(tiny_bundle):
    denoisers = with_large_values_inside(tiny_bundle, 1e7)
    exact, kept = (extracted(tiny_bundle, kept_as, denoisers) for kept_as in (torch.float32, torch.float16))
    largest = max(float(level.abs().max()) for level in all_levels(exact))
    assert largest > 65504
    assert max(float(level.abs().max()) for level in all_levels(kept)) == 65504


def short_of_memory_above(most, monkeypatch):
    """A memory that suffices for so many slices at a time; the numbers that were tried, and what is called after."""
    tried, slices_of = [], ActivationExtractor._slices

    def limited(self, slices, view):
        tried.append((view, len(slices)))
        if len(slices) > most:
            raise torch.OutOfMemoryError("injected")
        return slices_of(self, slices, view)

    monkeypatch.setattr(ActivationExtractor, "_slices", limited)
    return tried


def test_all_views_learn_from_one_shortage(tiny_bundle, monkeypatch):
    expected = extracted(tiny_bundle)
    tried = short_of_memory_above(3, monkeypatch)
    with pytest.warns(DiffusionSegWarning, match="memory is short") as told:
        found = extracted(tiny_bundle)
    assert len(told) == sum(count > 3 for _, count in tried)
    first_view = [count for view, count in tried if view == 0]
    assert max(first_view) > 3
    # Slices of the other views are of other sizes: hardly more of them than of the first one's make as many pixels.
    assert max(count for view, count in tried if view > 0) < max(first_view) / 2
    for one, other in zip(all_levels(found), all_levels(expected), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3 * float(other.float().abs().max()))


def test_one_slice_that_does_not_fit_is_an_error(tiny_bundle, monkeypatch):
    short_of_memory_above(0, monkeypatch)
    with pytest.warns(DiffusionSegWarning), pytest.raises(torch.OutOfMemoryError):
        extracted(tiny_bundle)


def test_the_cache_is_given_back_before_and_after_and_at_each_shortage_when_the_error_is_gone(tiny_bundle, monkeypatch):
    error_lasted, tried = [], short_of_memory_above(6, monkeypatch)
    monkeypatch.setattr(extraction, "give_back_cache", lambda _: error_lasted.append(sys.exc_info()[0] is not None))
    with pytest.warns(DiffusionSegWarning):
        extracted(tiny_bundle)
    assert len(error_lasted) == sum(count > 6 for _, count in tried) + 2 > 2
    assert not any(error_lasted)


def test_nothing_is_kept_of_slices_beside_the_tissue(tiny_bundle):
    tissue = TISSUE.copy()
    tissue[:9] = False
    extractor = ActivationExtractor(tiny_bundle.denoisers(), tiny_bundle.config.schedule, CONFIG)
    level = next(iter(extractor.extract(SCAN, tissue)[0].levels.values()))
    assert not level.rows[:9].any()
    assert level.rows[9:13].any()
    assert level.values[1:].any(dim=1).all()
    assert level.values.isfinite().all()
