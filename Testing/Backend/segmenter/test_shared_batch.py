"""The network that learns against its members as ordinary networks of torch's own layers."""

import pytest
import torch
import torch.nn.functional as F
from ensemble_members import an_ensemble, one_by_one

from DiffusionSegLib.segmenter.shared_batch import GroupBatch, SharedBatchNetwork

FEATURES, VOXELS = 5, 40


def batches_of(groups):
    """Each group sees voxels and features of its own."""
    random = torch.Generator().manual_seed(3)
    found = []
    for _ in range(groups):
        columns = torch.randperm(FEATURES, generator=random)[:4].sort().values
        values = torch.randn(VOXELS, 4, generator=random).double()
        found.append(GroupBatch(values, columns, torch.randint(6, (VOXELS,), generator=random)))
    return found


def learnt_one_by_one(ensemble, batches, groups):
    """Each member's network after a batch, with its gradients, and the members' losses."""
    networks, losses = [], []
    for members, batch in zip(torch.arange(ensemble.members).tensor_split(groups), batches, strict=True):
        features = torch.zeros(VOXELS, FEATURES).double().index_copy(1, batch.columns, batch.features)
        for member in members:
            network = one_by_one(ensemble, int(member)).train()
            losses.append(F.cross_entropy(network(features), batch.targets))
            networks.append(network)
    torch.stack(losses).mean().backward()
    return networks, torch.stack(losses)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_loss_and_gradients_are_those_of_the_members_one_by_one(groups):
    ensemble = an_ensemble().double()
    network, batches = SharedBatchNetwork(ensemble, groups), batches_of(groups)
    loss = network.learn(batches)
    expected, losses = learnt_one_by_one(ensemble, batches, groups)
    torch.testing.assert_close(loss, losses.mean().detach())
    with torch.no_grad():
        # A step of one along the gradient shows it in the members' own shapes.
        network.parameters += network.parameters.grad
    moved = network.ensemble()
    for member, by_itself in enumerate(expected):
        for layer in range(3):
            linear = by_itself[3 * layer]
            torch.testing.assert_close(moved.weights[layer][member], (linear.weight + linear.weight.grad).T)
            torch.testing.assert_close(moved.biases[layer][member, 0], linear.bias + linear.bias.grad)
        for layer in range(2):
            norm = by_itself[3 * layer + 2]
            torch.testing.assert_close(moved.gains[layer][member, 0], norm.weight + norm.weight.grad)
            torch.testing.assert_close(moved.shifts[layer][member, 0], norm.bias + norm.bias.grad)


def test_means_over_the_batches_are_kept_as_torch_keeps_them():
    ensemble = an_ensemble().double()
    network, batches = SharedBatchNetwork(ensemble, 1), batches_of(1)
    network.learn(batches)
    expected, _ = learnt_one_by_one(ensemble, batches, 1)
    found = network.ensemble()
    for member, by_itself in enumerate(expected):
        for layer in range(2):
            torch.testing.assert_close(
                found.get_buffer(f"mean_{layer}")[member, 0], by_itself[3 * layer + 2].running_mean
            )
            # Torch divides by one less than the batch has.
            variance = by_itself[3 * layer + 2].running_var
            torch.testing.assert_close(found.get_buffer(f"variance_{layer}")[member, 0], variance, rtol=0.05, atol=0.01)


def test_the_ensemble_that_it_starts_from_is_left_as_it_is():
    ensemble = an_ensemble()
    before = {name: value.clone() for name, value in ensemble.state_dict().items()}
    network = SharedBatchNetwork(ensemble, 2)
    copied = network.ensemble().state_dict()
    for name, value in before.items():
        torch.testing.assert_close(copied[name], value, rtol=0, atol=0)
    batches = [GroupBatch(batch.features.float(), batch.columns, batch.targets) for batch in batches_of(2)]
    network.learn(batches)
    with torch.no_grad():
        network.parameters += 1
    for name, value in ensemble.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
