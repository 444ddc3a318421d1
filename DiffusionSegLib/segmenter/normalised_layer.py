"""ReLU, batch norm and a linear layer of each member, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from DiffusionSegLib.segmenter.ensemble import EPSILON
from DiffusionSegLib.segmenter.quick_products import lowered, product

# Share of a batch in the means that predictions are normalised by.
MOMENTUM = 0.1


class NormalisedLayer:
    """A layer of all members while they learn.

    Normalisation is folded into the linear layer, forwards and backwards, so that few passes over the hidden units are
    left. Exact but for rounding.

    Args:
        values: gain and shift (members, 1, width), weight (members, width, outputs), bias (members, 1, outputs).
        gradients: what `backward` fills, in the same shapes.
        running: mean and variance over the last batches (members, 1, width), kept up to date.
    """

    def __init__(self, values: Sequence[Tensor], gradients: Sequence[Tensor], running: Sequence[Tensor]) -> None:
        self.gain, self.shift, self.weight, self.bias = values
        self.of_gain, self.of_shift, self.of_weight, self.of_bias = gradients
        self.mean, self.variance = running

    def forward(self, hidden: Tensor) -> Tensor:
        """Outputs (members, N, outputs) of hidden units (members, N, width), which are overwritten."""
        self._active = active = hidden.relu_()
        members, count, _ = active.shape
        # A product with ones takes a fraction of a reduction's time.
        self._ones = active.new_full((1, 1, count), 1 / count).expand(members, -1, -1)
        self._mean = mean = torch.bmm(self._ones, active)
        variance = torch.bmm(self._ones, active.square()).addcmul_(mean, mean, value=-1).clamp_(min=0)
        self.mean.lerp_(mean, MOMENTUM)
        self.variance.lerp_(variance, MOMENTUM)
        self._rate = variance.add_(EPSILON).rsqrt_()
        scale = self.gain * self._rate
        offset = torch.baddbmm(self.bias, self.shift, self.weight)
        # Less their means: what a unit that is always on has in common would take the digits of what it tells.
        self._centred, self._folded = lowered(active - mean), lowered(scale.mT * self.weight)
        return product(self._centred, self._folded).add_(offset)

    def backward(self, outer: Tensor) -> Tensor:
        """The gradient of the hidden units from that of the outputs; those of the parameters are left in place."""
        active, count = self._active, outer.shape[1]
        torch.bmm(self._ones, outer, out=self.of_bias)
        self.of_bias.mul_(count)
        # The gradient of a linear layer that acts on normalised units.
        factor = lowered(outer)
        of_normalised = product(self._centred.mT, factor).mul_(self._rate.mT)
        torch.sum(of_normalised * self.weight, -1, out=self.of_gain[:, 0])
        torch.bmm(self.of_bias, self.weight.mT, out=self.of_shift)
        torch.mul(self.gain.mT, of_normalised, out=self.of_weight).addcmul_(self.shift.mT, self.of_bias)
        # What flows back through mean and variance is linear in the units.
        scale = self.gain * self._rate / count
        slope = scale * self._rate * self.of_gain
        level = scale * self.of_shift - self._mean * slope
        of_hidden = product(factor, self._folded.mT)
        of_hidden.addcmul_(active, slope, value=-1).sub_(level)
        return torch.ops.aten.threshold_backward(of_hidden, active, 0)
