import threading

import numpy as np
import pytest
import torch
from ensemble_members import an_ensemble, one_by_one

from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import _drawn, train_ensemble
from DiffusionSegLib.segmenter.training_draws import TrainingDraws, TrainingVoxels


def test_the_batched_ensemble_is_its_members_one_by_one():
    ensemble = an_ensemble().eval()
    batch = torch.randn(3, 11, 5)
    for member in range(3):
        torch.testing.assert_close(ensemble(batch)[member], one_by_one(ensemble, member).eval()(batch[member]))


def separable_voxels(count: int = 3000) -> TrainingVoxels:
    """Three classes, the last of which has a dozen voxels."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 2, count)
    classes[:12] = 2
    centres = random.normal(size=(3, 8)) * 2
    features = centres[classes] + random.normal(size=(count, 8)) * 0.6
    points = random.integers(0, 60, (count, 3))
    return TrainingVoxels(torch.from_numpy(features).half(), torch.from_numpy(classes), torch.from_numpy(points), 2)


def test_training_learns_classes_and_does_not_lose_the_smallest():
    voxels = separable_voxels()
    config = EnsembleConfig(members=4, hidden=(16, 8), batch=128, steps=300)
    ensemble = train_ensemble(voxels, 3, config, 0, torch.device("cpu"))
    logits = ensemble(voxels.features.float()[None].expand(4, -1, -1))
    found = logits.softmax(-1).mean(0).argmax(-1)
    for value in range(3):
        assert (found == value)[voxels.classes == value].float().mean() > 0.9


@pytest.mark.parametrize("members", [1, 6, 7])
def test_any_number_of_members_learns(members):
    voxels = separable_voxels(400)
    config = EnsembleConfig(members=members, hidden=(8, 4), batch=64, steps=120)
    ensemble = train_ensemble(voxels, 3, config, 0, torch.device("cpu"))
    found = ensemble(voxels.features.float()[None].expand(members, -1, -1)).softmax(-1).argmax(-1)
    assert ((found == voxels.classes).float().mean(1) > 0.8).all()


def test_hiding_all_activations_leaves_the_other_features_to_learn_from():
    voxels = separable_voxels()
    voxels.features[:, :2] = 1000 * voxels.classes[:, None].half()
    config = EnsembleConfig(members=2, hidden=(16, 8), batch=128, steps=300, feature_dropout=0.999)
    ensemble = train_ensemble(voxels, 3, config, 0, torch.device("cpu"))
    features = voxels.features.float()
    features[:, :2] = 0
    found = ensemble(features[None].expand(2, -1, -1)).softmax(-1).mean(0).argmax(-1)
    assert (found == voxels.classes).float().mean() > 0.9


def test_members_differ_and_a_seed_repeats_them():
    voxels = separable_voxels(500)
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=32, steps=20, check_every=10)
    first, again, other = (train_ensemble(voxels, 3, config, seed, torch.device("cpu")) for seed in (0, 0, 1))
    torch.testing.assert_close(first.weights[0], again.weights[0], rtol=0, atol=0)
    assert not torch.allclose(first.weights[0], other.weights[0])
    assert not torch.allclose(first.weights[0][0], first.weights[0][1])


def test_training_stops_once_held_out_voxels_get_no_better():
    steps = []
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=32, steps=5000, check_every=10, patience=2)
    train_ensemble(
        separable_voxels(), 3, config, 0, torch.device("cpu"), lambda _stage, done, _total: steps.append(done)
    )
    assert steps[-1] < 5000


class DrawsOnTheCpu(TrainingDraws):
    """What is drawn for any device, on the CPU; `threads` are those that drew it."""

    def of_steps(self, steps, _device):
        self.threads = {*getattr(self, "threads", ()), threading.get_ident()}
        return super().of_steps(steps, torch.device("cpu"))


def test_what_is_drawn_while_a_gpu_learns_is_what_is_drawn_in_turn():
    voxels, config = separable_voxels(), EnsembleConfig(members=2, batch=16, steps=50, check_every=20)

    def drawn(device):
        random = torch.Generator().manual_seed(0)
        draws = DrawsOnTheCpu(torch.arange(3000), voxels, 3, config, random)
        return draws, list(_drawn(draws, config, torch.device(device)))

    (in_turn, expected), (meanwhile, found) = drawn("cpu"), drawn("cuda")
    assert in_turn.threads == {threading.get_ident()} != meanwhile.threads
    assert [len(rows) for rows, _ in found] == [20, 20, 10]
    for one, other in zip(found, expected, strict=True):
        assert all(map(torch.equal, one, other))


def test_a_warm_start_goes_on_from_where_it_was_in_fewer_steps():
    voxels, device = separable_voxels(), torch.device("cpu")
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=64, steps=400, check_every=20)
    start = train_ensemble(voxels, 3, config, 0, device)
    before = start.weights[0].clone()
    cold, warm = [], []
    train_ensemble(voxels, 3, config, 0, device, curve=lambda *point: cold.append(point))
    train_ensemble(voxels, 3, config, 0, device, start=start, curve=lambda *point: warm.append(point))
    assert warm[0][1] < cold[0][1]
    assert warm[-1][0] <= 100
    torch.testing.assert_close(start.weights[0], before, rtol=0, atol=0)


def test_the_curve_tells_of_the_loss_and_of_the_agreement_on_held_out_voxels():
    points = []
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=64, steps=200, check_every=50, patience=10)
    train_ensemble(separable_voxels(), 3, config, 0, torch.device("cpu"), curve=lambda *point: points.append(point))
    assert [step for step, _, _ in points] == [50, 100, 150, 200]
    assert points[-1][1] < points[0][1]
    assert 0 < points[0][2] < points[-1][2] <= 1


def test_voxels_that_nothing_can_be_learnt_from_leave_the_ensemble_as_it_was():
    voxels = separable_voxels(400)
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=32, steps=20, check_every=10)
    start = train_ensemble(voxels, 3, config, 0, torch.device("cpu"))
    voxels.features[:] = torch.nan
    found = train_ensemble(voxels, 3, config, 0, torch.device("cpu"), start=start)
    torch.testing.assert_close(found.weights[0], start.weights[0], rtol=0, atol=0)
