from dataclasses import replace

import torch

from DiffusionSegLib.segmenter.ensemble import MlpEnsemble
from DiffusionSegLib.segmenter.ensemble_config import EnsembleConfig
from DiffusionSegLib.segmenter.ensemble_training import train_ensemble
from DiffusionSegLib.segmenter.principal_axes import PrincipalAxes
from DiffusionSegLib.segmenter.training_draws import TrainingVoxels

CPU = torch.device("cpu")


def voxels_in_a_plane(count=600):
    """Ten activations that differ in two directions only, then three other features; the class is where they lie."""
    random = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 2, (count,), generator=random)
    places = torch.randn(count, 2, generator=random) + 4 * classes[:, None]
    directions = torch.linalg.qr(torch.randn(10, 2, generator=random)).Q.T
    others = torch.randn(count, 3, generator=random)
    points = torch.randint(0, 60, (count, 3), generator=random)
    return TrainingVoxels(torch.cat([places @ directions, others], dim=1), classes, points, 10)


def outputs(ensemble, voxels):
    return ensemble(voxels.features.expand(ensemble.members, -1, -1))


def test_axes_are_orthonormal_and_the_first_has_the_largest_variance():
    axes = PrincipalAxes.of(voxels_in_a_plane(), 4).axes
    torch.testing.assert_close(axes.T @ axes, torch.eye(4), rtol=0, atol=1e-5)
    variances = (voxels_in_a_plane().features[:, :10] @ axes).var(0)
    assert (variances.diff() <= 1e-5).all()


def test_activations_that_differ_in_two_directions_lose_nothing_along_two_axes():
    voxels = voxels_in_a_plane()
    axes = PrincipalAxes.of(voxels, 2)
    along = axes.along(voxels)
    assert along.features.shape == (600, 5)
    assert along.activations == 2
    torch.testing.assert_close(along.features[:, :2] @ axes.axes.T, voxels.features[:, :10], rtol=0, atol=1e-4)
    torch.testing.assert_close(along.features[:, 2:], voxels.features[:, 10:])


def test_a_widened_ensemble_says_of_the_activations_what_it_said_along_the_axes():
    voxels = voxels_in_a_plane()
    axes = PrincipalAxes.of(voxels, 3)
    ensemble = MlpEnsemble(4, 6, (8, 4), 2).eval()
    torch.testing.assert_close(outputs(axes.widened(ensemble), voxels), outputs(ensemble, axes.along(voxels)))


def test_an_ensemble_that_learnt_along_axes_is_narrowed_to_them_without_loss():
    voxels = voxels_in_a_plane()
    learnt_along = PrincipalAxes.of(voxels, 2)
    ensemble = learnt_along.widened(MlpEnsemble(4, 5, (8, 4), 2).eval())
    axes = PrincipalAxes.that_matter_to(ensemble, voxels)
    torch.testing.assert_close(
        outputs(axes.narrowed(ensemble), axes.along(voxels)), outputs(ensemble, voxels), rtol=1e-3, atol=1e-4
    )
    # The same axes as before but for their signs: training hides the same things as it did.
    torch.testing.assert_close((axes.axes.T @ learnt_along.axes).abs(), torch.eye(2), rtol=0, atol=1e-3)


def test_nothing_is_lost_of_an_ensemble_that_did_not_learn_along_axes():
    voxels, ensemble = voxels_in_a_plane(), MlpEnsemble(4, 13, (8, 4), 2).eval()
    axes = PrincipalAxes.that_matter_to(ensemble, voxels)
    torch.testing.assert_close(
        outputs(axes.narrowed(ensemble), axes.along(voxels)), outputs(ensemble, voxels), rtol=1e-3, atol=1e-4
    )


def test_a_warm_start_from_all_activations_begins_with_what_was_learnt():
    voxels = voxels_in_a_plane()
    config = EnsembleConfig(members=2, hidden=(8, 4), batch=64, steps=200, check_every=10, feature_dropout=0)
    whole = train_ensemble(voxels, 2, replace(config, activation_axes=0), 0, CPU)
    cold, warm = [], []
    along = replace(config, activation_axes=2)
    train_ensemble(voxels, 2, along, 0, CPU, curve=lambda *point: cold.append(point))
    train_ensemble(voxels, 2, along, 0, CPU, start=whole, curve=lambda *point: warm.append(point))
    assert warm[0][1] < 0.5 * cold[0][1]


def test_half_precision_and_many_voxels_change_neither_axes_nor_what_lies_along_them():
    few, many = voxels_in_a_plane(), voxels_in_a_plane()
    repeats = 60
    many = TrainingVoxels(
        many.features.repeat(repeats, 1).half(), many.classes.repeat(repeats), many.points.repeat(repeats, 1), 10
    )
    axes = PrincipalAxes.of(many, 2)
    # Statistics are those of every other voxel.
    torch.testing.assert_close((axes.axes.T @ PrincipalAxes.of(few, 2).axes).abs(), torch.eye(2), rtol=0, atol=0.05)
    along = axes.along(many)
    assert along.features.dtype == torch.float16
    torch.testing.assert_close(along.features[-600:].float(), axes.along(few).features, rtol=0, atol=0.02)


def test_training_along_axes_gives_an_ensemble_of_the_activations_that_goes_on_learning():
    voxels = voxels_in_a_plane()
    config = EnsembleConfig(
        members=2, hidden=(8, 4), batch=64, steps=200, check_every=50, activation_axes=2, feature_dropout=0
    )
    ensemble = train_ensemble(voxels, 2, config, 0, CPU)
    assert ensemble.weights[0].shape == (2, 13, 8)
    right = outputs(ensemble, voxels).softmax(-1).mean(0).argmax(-1) == voxels.classes
    assert right.float().mean() > 0.95
    cold, warm = [], []
    train_ensemble(voxels, 2, config, 0, CPU, curve=lambda *point: cold.append(point))
    train_ensemble(voxels, 2, config, 0, CPU, start=ensemble, curve=lambda *point: warm.append(point))
    assert warm[0][1] < cold[0][1]


def test_activations_that_are_no_numbers_have_axes_all_the_same():
    voxels = voxels_in_a_plane()
    voxels.features[:] = torch.nan
    assert PrincipalAxes.of(voxels, 2).axes.isfinite().all()
