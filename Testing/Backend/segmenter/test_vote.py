import torch

from DiffusionSegLib.segmenter.consensus import Consensus
from DiffusionSegLib.segmenter.vote import Vote


def told(kind, logits):
    """What a consensus of some kind makes of logits (members, N, classes)."""
    found = kind(logits[0].T)
    for member in logits:
        found.add(member.T.clone())
    return found


def shares(logits):
    return told(Vote, logits).probabilities().T


def test_a_class_has_the_share_of_the_members_whose_most_probable_it_is():
    torch.manual_seed(0)
    logits = torch.randn(10, 200, 5)
    expected = torch.zeros(200, 5)
    for member in logits.tolist():
        for voxel, of_classes in enumerate(member):
            expected[voxel, of_classes.index(max(of_classes))] += 1 / 10
    torch.testing.assert_close(shares(logits), expected)


def test_it_does_not_matter_how_sure_a_member_is():
    sure, unsure = [9.0, 0.0], [0.0, 0.1]
    assert shares(torch.tensor([[sure], [unsure], [unsure]]))[0].argmax() == 1


def test_a_member_that_finds_classes_equally_probable_votes_for_the_first_of_them_alone():
    logits = torch.tensor([[[-1.0, 2.0, 2.0]], [[0.0, 0.0, 0.0]]])
    assert shares(logits).tolist() == [[0.5, 0.5, 0.0]]


def test_as_many_votes_are_shares_that_are_exactly_equal():
    logits = torch.eye(3).repeat(3, 1)[:, None]
    found = shares(logits)[0]
    assert found[0] == found[1] == found[2]


def test_members_disagree_as_much_as_their_probabilities_whether_they_vote_or_not():
    torch.manual_seed(0)
    logits = torch.randn(4, 50, 3)
    assert torch.equal(told(Vote, logits).disagreement(), told(Consensus, logits).disagreement())
