import pytest
import torch

from DiffusionSegLib.uncertainty import disagreement


def test_members_that_agree_leave_no_uncertainty():
    logits = torch.randn(1, 6, 4).expand(5, -1, -1)
    torch.testing.assert_close(disagreement(logits), torch.zeros(6), rtol=0, atol=1e-6)


def test_members_that_are_sure_of_different_classes_leave_all_of_it():
    logits = 50 * torch.eye(3)[:, None, :]
    assert float(disagreement(logits)) == pytest.approx(1.0, abs=1e-5)


def test_a_single_member_is_never_uncertain():
    assert disagreement(torch.randn(1, 3, 4)).tolist() == [0, 0, 0]
