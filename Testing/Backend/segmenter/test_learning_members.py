"""Members that learn together against each of them as an ordinary network of torch's own layers."""

import pytest
import torch
import torch.nn.functional as F
from ensemble_members import an_ensemble, one_by_one

from DiffusionSegLib.segmenter import quick_products
from DiffusionSegLib.segmenter.learning_members import LearningMembers, MemberBatches

MEMBERS, FEATURES, VOXELS = 3, 5, 40


def batches_of(members=slice(None), voxels=VOXELS):
    """Each member has voxels of its own, and features that count more, or nothing."""
    random = torch.Generator().manual_seed(3)
    order = torch.rand(MEMBERS, FEATURES, 1, generator=random).argsort(1)
    values = torch.randn(MEMBERS, voxels, FEATURES, generator=random).double()
    targets = torch.randint(6, (MEMBERS, voxels, 1), generator=random)
    return MemberBatches(values[members], order.double().clamp(max=2)[members], targets[members])


def learnt_one_by_one(ensemble):
    """Each member's network after a batch, with its gradients, and the members' losses."""
    networks, losses = [], []
    for member in range(MEMBERS):
        batch = batches_of(slice(member, member + 1))
        network = one_by_one(ensemble, member).train()
        losses.append(F.cross_entropy(network(batch.features[0] * batch.counts[0].T), batch.targets[0, :, 0]))
        networks.append(network)
    torch.stack(losses).sum().backward()
    return networks, torch.stack(losses).detach()


def test_losses_and_gradients_are_those_of_the_members_one_by_one():
    ensemble = an_ensemble().double()
    members = LearningMembers(ensemble)
    given = members.learn(batches_of())
    expected, expected_losses = learnt_one_by_one(ensemble)
    torch.testing.assert_close(-given.log().mean((1, 2)), expected_losses)
    with torch.no_grad():
        # A step of one along the gradient shows it in the members' own shapes.
        members.parameters += members.parameters.grad
    moved = members.ensemble()
    for member, by_itself in enumerate(expected):
        for layer in range(3):
            linear = by_itself[3 * layer]
            torch.testing.assert_close(moved.weights[layer][member], (linear.weight + linear.weight.grad).T)
            torch.testing.assert_close(moved.biases[layer][member, 0], linear.bias + linear.bias.grad)
        for layer in range(2):
            norm = by_itself[3 * layer + 2]
            torch.testing.assert_close(moved.gains[layer][member, 0], norm.weight + norm.weight.grad)
            torch.testing.assert_close(moved.shifts[layer][member, 0], norm.bias + norm.bias.grad)


def gradient_in_single_precision(always_on):
    ensemble = an_ensemble()
    ensemble.biases[0].data += always_on
    # Of few voxels, one whose unit rounding turns on or off decides how far gradients are apart.
    members, batch = LearningMembers(ensemble), batches_of(voxels=4000)
    members.learn(MemberBatches(batch.features.float(), batch.counts.float(), batch.targets))
    return members.parameters.grad


@pytest.mark.parametrize("always_on", [0.0, 20.0])
def test_products_in_bfloat16_change_the_gradients_by_little(monkeypatch, always_on):
    monkeypatch.setattr(quick_products, "_cpu_multiplies_bfloat16", lambda: False)
    expected = gradient_in_single_precision(always_on)
    monkeypatch.setattr(quick_products, "_cpu_multiplies_bfloat16", lambda: True)
    found = gradient_in_single_precision(always_on)
    assert 0 < float((found - expected).norm() / expected.norm()) < 0.1


def test_means_over_the_batches_are_kept_as_torch_keeps_them():
    ensemble = an_ensemble().double()
    members = LearningMembers(ensemble)
    members.learn(batches_of())
    expected, _ = learnt_one_by_one(ensemble)
    found = members.ensemble()
    for member, by_itself in enumerate(expected):
        for layer in range(2):
            torch.testing.assert_close(
                found.get_buffer(f"mean_{layer}")[member, 0], by_itself[3 * layer + 2].running_mean
            )
            # Torch divides by one less than the batch has.
            variance = by_itself[3 * layer + 2].running_var
            torch.testing.assert_close(found.get_buffer(f"variance_{layer}")[member, 0], variance, rtol=0.05, atol=0.01)


def test_the_ensemble_that_they_start_from_is_left_as_it_is():
    ensemble = an_ensemble().double()
    before = {name: value.clone() for name, value in ensemble.state_dict().items()}
    members = LearningMembers(ensemble)
    copied = members.ensemble().state_dict()
    for name, value in before.items():
        torch.testing.assert_close(copied[name], value, rtol=0, atol=0)
    members.learn(batches_of())
    with torch.no_grad():
        members.parameters += 1
    for name, value in ensemble.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
