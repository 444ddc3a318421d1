import pytest
import torch

from DiffusionSegLib.segmenter.consensus import Consensus
from DiffusionSegLib.segmenter.ensemble import mean_probabilities


def consensus(logits):
    """Of logits (members, N, classes)."""
    found = Consensus(logits[0].T)
    for member in logits:
        found.add(member.T.clone())
    return found


def test_members_that_agree_leave_no_uncertainty():
    logits = torch.randn(1, 6, 4).expand(5, -1, -1)
    torch.testing.assert_close(consensus(logits).disagreement(), torch.zeros(6), rtol=0, atol=1e-6)


def test_members_that_are_sure_of_different_classes_leave_all_of_it():
    logits = 50 * torch.eye(3)[:, None, :]
    assert float(consensus(logits).disagreement()) == pytest.approx(1.0, abs=1e-5)


def test_a_single_member_is_never_uncertain():
    assert consensus(torch.randn(1, 3, 4)).disagreement().tolist() == [0, 0, 0]


def test_probabilities_are_the_mean_of_the_members_own_also_where_logits_are_huge():
    logits = torch.randn(4, 7, 5) * 300
    torch.testing.assert_close(consensus(logits).probabilities().T, mean_probabilities(logits), rtol=1e-5, atol=1e-6)


def test_disagreement_is_the_entropy_of_the_mean_less_the_mean_entropy():
    logits = torch.randn(4, 7, 5)
    entropy = torch.special.entr(logits.softmax(-1)).sum(-1).mean(0)
    expected = (torch.special.entr(mean_probabilities(logits)).sum(-1) - entropy) / torch.log(torch.tensor(4.0))
    torch.testing.assert_close(consensus(logits).disagreement(), expected, rtol=1e-4, atol=1e-6)
