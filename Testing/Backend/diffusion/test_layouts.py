from dataclasses import replace

import pytest
import torch
from small_denoiser import SMALL, with_random_weights

from DiffusionSegLib.diffusion.layouts import read_checkpoint
from DiffusionSegLib.errors import DiffusionSegError


def test_a_published_checkpoint_computes_what_it_did(tmp_path):
    model = with_random_weights(SMALL)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    images, steps = torch.randn(1, 1, 8, 8), torch.tensor([5])
    torch.testing.assert_close(
        read_checkpoint(tmp_path / "model.pt", SMALL)(images, steps), model(images, steps).detach()
    )


def test_a_grey_slice_is_fed_as_if_it_were_all_colours(tmp_path):
    colours = replace(SMALL, channels_in=3)
    model = with_random_weights(colours)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    grey, steps = torch.randn(2, 1, 8, 8), torch.tensor([5, 60])
    found = read_checkpoint(tmp_path / "model.pt", colours, grey=True)(grey, steps)
    torch.testing.assert_close(found, model(grey.expand(-1, 3, -1, -1), steps).detach(), rtol=1e-4, atol=1e-3)


def test_a_checkpoint_of_another_layout_is_refused(tmp_path):
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "model.pt")
    with pytest.raises(DiffusionSegError, match="another kind"):
        read_checkpoint(tmp_path / "model.pt", SMALL)


class Malicious:
    def __reduce__(self):
        return print, ("executed",)


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"weight": Malicious()}, tmp_path / "model.pt")
    with pytest.raises(DiffusionSegError, match="no checkpoint"):
        read_checkpoint(tmp_path / "model.pt", SMALL)
    assert "executed" not in capsys.readouterr().out
