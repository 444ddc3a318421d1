"""Which voxels and which of their features a step learns from."""

import pytest
import torch

from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.training_draws import TrainingDraws, TrainingVoxels

ROWS, ACTIVATIONS, FEATURES = 1000, 6, 8


def voxels():
    """A tenth of the rows are of class 2, the others of class 0; of class 1 there are none."""
    classes = 2 * (torch.arange(ROWS) % 10 == 0).long()
    features = torch.arange(ROWS)[:, None] + torch.arange(FEATURES) / 100
    return TrainingVoxels(features.double(), classes, torch.zeros(ROWS, 3), ACTIVATIONS)


def draws(**changes):
    config = EnsembleConfig(members=4, batch=50, feature_dropout=0.5, **changes)
    learnt = torch.arange(100, ROWS)
    return TrainingDraws(learnt, voxels(), 3, config, torch.Generator().manual_seed(0))


def test_balance_tells_how_often_classes_are_drawn():
    for balance, share in ((1.0, 0.1), (0.0, 0.5), (0.5, 1 / 4)):
        rows, _ = draws(balance=balance).of_steps(40, torch.device("cpu"))
        assert rows.shape == (40, 4, 50)
        assert abs(float((rows % 10 == 0).double().mean()) - share) < 0.02


def test_only_rows_to_learn_from_are_drawn_and_all_of_them():
    rows, _ = draws(balance=1.0).of_steps(200, torch.device("cpu"))
    assert rows.unique().tolist() == list(range(100, ROWS))


def test_members_differ_in_rows_and_in_what_they_see():
    rows, counts = draws().of_steps(5, torch.device("cpu"))
    assert not torch.equal(rows[:, 0], rows[:, 1])
    assert not torch.equal(counts[:, 0], counts[:, 1])
    assert counts.shape == (5, 4, FEATURES, 1)


def test_activations_that_are_seen_make_up_for_those_hidden():
    _, counts = draws().of_steps(5, torch.device("cpu"))
    activations, others = counts[..., 0].tensor_split([ACTIVATIONS], dim=-1)
    assert ((activations == 0) | (activations == 2)).all()
    assert (activations.sum(-1) == ACTIVATIONS).all()
    assert (others == 1).all()


def test_where_all_activations_are_hidden_the_other_features_are_seen():
    config = EnsembleConfig(members=4, batch=50, feature_dropout=1.0)
    found = TrainingDraws(torch.arange(ROWS), voxels(), 3, config, torch.Generator().manual_seed(0))
    _, counts = found.of_steps(1, torch.device("cpu"))
    assert (counts[..., 0] == torch.tensor([0] * ACTIVATIONS + [1, 1])).all()


@pytest.mark.parametrize("kept_as", [torch.float16, torch.bfloat16, torch.float32])
def test_batches_hold_what_was_drawn(kept_as):
    given, found = voxels(), draws()
    rows, counts = (of_steps[0] for of_steps in found.of_steps(1, torch.device("cpu")))
    features = given.features.to(kept_as)
    batches = found.batches(features, given.classes, rows, counts)
    for member, of_member in enumerate(rows):
        torch.testing.assert_close(batches.features[member].float(), features[of_member].float(), rtol=0, atol=0)
        assert torch.equal(batches.targets[member, :, 0], given.classes[of_member])
    assert torch.equal(batches.counts, counts)
    # Products in half precision are slow on a CPU, and overflow.
    assert batches.features.dtype != torch.float16
