"""Which voxels and which of their features a step learns from."""

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
    rows, columns = draws().of_steps(5, torch.device("cpu"))
    assert not torch.equal(rows[:, 0], rows[:, 1])
    assert not torch.equal(columns[:, 0], columns[:, 1])
    assert columns.shape == (5, 4, ACTIVATIONS // 2 + FEATURES - ACTIVATIONS)
    # Features beside the activations are never hidden.
    assert (columns[..., -2:] == torch.tensor([6, 7])).all()


def test_batches_hold_what_was_drawn_with_activations_made_up_for_those_hidden():
    given, found = voxels(), draws()
    rows, columns = (of_steps[0] for of_steps in found.of_steps(1, torch.device("cpu")))
    batches = found.batches(given.features, given.classes, rows, columns)
    for member, (of_member, seen) in enumerate(zip(rows, columns, strict=True)):
        expected = given.features[of_member][:, seen].float()
        expected[:, : ACTIVATIONS // 2] *= 2
        torch.testing.assert_close(batches.features[member], expected)
        assert torch.equal(batches.targets[member], given.classes[of_member])
    assert torch.equal(batches.columns, columns)
