"""What the ensemble says of a tile's voxels."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.box import Box, slices_of
from DiffusionSegLib.devices import give_back_cache
from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.features.box_projection import BoxProjection
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.features.projection import VOXEL_ORDER, FirstLayerProjection
from DiffusionSegLib.memory_shortage import is_memory_shortage
from DiffusionSegLib.segmenter.consensus import Consensus
from DiffusionSegLib.segmenter.ensemble import after_first_layer
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.segmenter.vote import Vote
from DiffusionSegLib.smoothing import Smoothing
from DiffusionSegLib.source_sampling import mixed_separably

# The confidence that is a probability of 1.
SURE = 255
# Whose hidden units stay in a processor's cache; on a GPU, all voxels of a tile.
VOXELS_AT_A_TIME = {"cpu": 4096, "cuda": 2**18}
# Linear layers are made ready anew for every other number of voxels by the library that takes them on the CPU.
ROWS = {"cpu": 256, "cuda": 1}


class TileClassifier:
    """Probabilities of the classes, then uncertainty, for the voxels of a tile.

    Args:
        features: the scan's.
        segmenter: what has learnt.
        smoothing: what probabilities are settled by; None for as the ensemble has them.
    """

    def __init__(self, features: OrthogonalFeatures, segmenter: Segmenter, smoothing: Smoothing | None = None) -> None:
        self.tissue, self.ensemble = features.tissue, segmenter.ensemble
        self.smoothing = smoothing
        self.values = np.asarray(segmenter.header.values, np.uint16)
        self.background = segmenter.header.values.index(0) if 0 in segmenter.header.values else None
        self.consensus = Vote if segmenter.header.combine == "vote" else Consensus
        self.units = self.ensemble.hidden[0]
        self.layers = self.ensemble.folded_layers()
        self.projection = FirstLayerProjection(features, *self.ensemble.first_layer())
        self.device = self.projection.device

    def mixed(self, box: Box, matrices: list[Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Label values, uint16, uncertainty and confidence, uint8, of the voxels that the matrices mix from a box."""
        found = mixed_separably(self(box), matrices)
        shares, classes = found[:-1].max(0)
        labels = self.values[classes.cpu().numpy()]
        # What is mostly air is background, also where background is no class.
        air = 1 - found[:-1].sum(0)
        labels[(air > shares).cpu().numpy()] = 0
        confidence = (torch.maximum(air, shares) * SURE).round().byte().cpu().numpy()
        return labels, found[-1].cpu().numpy(), confidence

    def __call__(self, box: Box) -> Tensor:
        """Shape (classes + 1, i, j, k); a box that the memory does not suffice for is halved."""
        try:
            return self._smoothed(box)
        except (RuntimeError, MemoryError) as error:
            edges = [stop - start for start, stop in box]
            if max(edges) == 1 or not is_memory_shortage(error):
                raise
        give_back_cache(self.device)
        message = "The memory is short: smaller pieces are computed at a time, which is slower."
        warnings.warn(message, DiffusionSegWarning, stacklevel=2)
        axis = edges.index(max(edges))
        start, stop = box[axis]
        middle = (start + stop) // 2
        halves = ([*box[:axis], edge, *box[axis + 1 :]] for edge in ((start, middle), (middle, stop)))
        return torch.cat([self((half[0], half[1], half[2])) for half in halves], dim=axis + 1)

    @torch.inference_mode()
    def _smoothed(self, box: Box) -> Tensor:
        """As without smoothing, but for the probabilities: uncertainty stays what it is."""
        if self.smoothing is None or not self.smoothing.applies_to(box):
            return self._classified(box)
        around = self.smoothing.around(box)
        found = self._classified(around)
        inner = tuple(slice(start - first, stop - first) for (start, stop), (first, _) in zip(box, around, strict=True))
        return torch.cat([self.smoothing(found[:-1], box), found[(slice(-1, None), *inner)]])

    @torch.inference_mode()
    def _classified(self, box: Box) -> Tensor:
        tissue = torch.from_numpy(self.tissue[slices_of(box)])
        found = torch.zeros(self.ensemble.classes + 1, *tissue.shape, device=self.device)
        if self.background is not None:
            found[self.background] = 1
        if tissue.any():
            # At the body's surface much of a tile is air: only the box around its tissue is computed.
            places = tissue.nonzero()
            low, high = places.amin(0).tolist(), (places.amax(0) + 1).tolist()
            edges = [(start + first, start + last) for (start, _), first, last in zip(box, low, high, strict=True)]
            around = tuple(map(slice, low, high))
            # The voxels in the projection's order.
            part = found[(slice(None), *around)].permute(0, *(axis + 1 for axis in VOXEL_ORDER))
            inside = tissue[around].permute(*VOXEL_ORDER)
            # Where all is tissue nothing need be copied.
            chosen = None if inside.all() else self._rounded_up(inside.flatten().nonzero()[:, 0]).to(self.device)
            of_tissue = self._of_tissue((edges[0], edges[1], edges[2]), chosen)
            if chosen is None:
                part.copy_(of_tissue.view(part.shape))
            else:
                part[:, inside.to(self.device)] = of_tissue[:, : int(inside.count_nonzero())]
        return found

    def _of_tissue(self, box: Box, chosen: Tensor | None) -> Tensor:
        """Probabilities of the classes, then uncertainty, of chosen voxels of a box, or of all: (classes + 1, N)."""
        pieces = self.projection.on(box).pieces(chosen, VOXELS_AT_A_TIME[self.device.type])
        return torch.cat([self._of_piece(*piece) for piece in pieces], dim=1)

    def _of_piece(self, projected: BoxProjection, chosen: Tensor | None) -> Tensor:
        """The same of the chosen voxels of a piece, or of all."""
        count = len(projected.columns if chosen is None else chosen)
        consensus = self.consensus(torch.empty(self.ensemble.classes, count, device=self.device))
        # One member after the other: what is at work stays in the cache.
        for member, layers in enumerate(self.layers):
            hidden = projected.hidden(slice(member * self.units, (member + 1) * self.units))
            of_tissue = hidden if chosen is None else hidden.index_select(0, chosen)
            consensus.add(after_first_layer(of_tissue, layers))
        return torch.cat([consensus.probabilities(), consensus.disagreement()[None]])

    def _rounded_up(self, chosen: Tensor) -> Tensor:
        """The same voxels and the last one again, so that few different numbers of voxels occur."""
        more = -len(chosen) % ROWS[self.device.type]
        return torch.cat([chosen, chosen[-1:].expand(more)]) if more else chosen
