import pytest
import torch

from DiffusionSegLib.features.few_directions import few_directions


@pytest.mark.parametrize(("channels", "units"), [(20, 64), (300, 64), (64, 64)])
def test_a_layer_of_few_directions_is_two_thin_ones(channels, units):
    torch.manual_seed(0)
    weight = torch.randn(channels, 5) @ torch.randn(5, units)
    first, second = few_directions(weight)
    assert first.shape == (channels, 5)
    assert second.shape == (5, units)
    torch.testing.assert_close(first @ second, weight, rtol=0, atol=1e-5 * float(weight.abs().max()))


def test_a_layer_of_many_directions_stays_whole():
    assert few_directions(torch.randn(20, 64)) is None
    assert few_directions(torch.randn(20, 9) @ torch.randn(9, 64)) is None


def test_a_layer_of_fewer_channels_than_directions_would_spare_stays_whole():
    assert few_directions(torch.randn(5, 64)) is None


def test_a_layer_that_sees_nothing_gives_nothing():
    first, second = few_directions(torch.zeros(20, 64))
    torch.testing.assert_close(first @ second, torch.zeros(20, 64))
