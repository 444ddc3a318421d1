import math

import pytest
import torch

from DiffusionSegLib.diffusion.schedule import NoiseSchedule


def test_the_linear_schedule_is_the_product_of_its_betas():
    alpha_bar = NoiseSchedule(1000, "linear").alpha_bar
    expected = 1.0
    for step in range(3):
        expected *= 1 - (1e-4 + (0.02 - 1e-4) * step / 999)
    assert float(alpha_bar[2]) == pytest.approx(expected, rel=1e-12)
    assert float(alpha_bar[-1]) < 1e-4


def test_the_cosine_schedule_follows_its_curve():
    alpha_bar = NoiseSchedule(4000, "cosine").alpha_bar

    def curve(step):
        return math.cos((step / 4000 + 0.008) / 1.008 * math.pi / 2) ** 2

    assert float(alpha_bar[199]) == pytest.approx(curve(200) / curve(0), rel=1e-9)


@pytest.mark.parametrize("target", ["epsilon", "v"])
def test_the_image_is_recovered_from_a_perfect_prediction(target):
    schedule = NoiseSchedule()
    images, noise, steps = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.tensor([0, 200, 700])
    noised = schedule.noised(images, steps, noise)
    perfect = noise if target == "epsilon" else schedule.velocity(images, steps, noise)
    torch.testing.assert_close(schedule.denoised(noised, steps, perfect, target), images, rtol=1e-3, atol=1e-3)
