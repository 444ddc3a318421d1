"""Where a scan lies in a template, and how far that is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from DiffusionSegLib.alignment import CPU
from DiffusionSegLib.normalisation import AIR
from DiffusionSegLib.orientation_check import seeming_flip
from DiffusionSegLib.part_in_template import TISSUE, part_in_template
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.template import Template

# Of a template's intensities from 0 to 1: in a brain, grey and white matter are brighter, and fluid is darker.
CORE = 0.3


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the voxels of a scan lie in a template.

    Args:
        positions: of each voxel, (3, I, J, K), as `Template.positions` gives them.
        part: which voxels lie in what the template shows, bool (I, J, K); None where nearly all do, or
            where it was not found.
        core: which voxels lie where the template is bright, bool (I, J, K); None if that is not known.
        likeness: how much the scan looks like the template there, at most 1; None if that is not known.
        flipped: the axes of RAS order along which the scan must be flipped to lie as the template does.
    """

    positions: np.ndarray
    part: np.ndarray | None = None
    core: np.ndarray | None = None
    likeness: float | None = None
    flipped: tuple[int, ...] = ()

    @classmethod
    def find(
        cls,
        normalised: np.ndarray,
        spacing_mm: float,
        template: Template,
        *,
        device: torch.device = CPU,
        progress: Progress = silent,
    ) -> Placement:
        """Place a scan (I, J, K) in RAS order, in [-1, 1], by that part of it alone that the template shows.

        Args:
            normalised: the scan; -1 is air.
            spacing_mm: edge of its voxels.
            template: what it is placed in.
            device: what computes the deformation.
            progress: told how far the alignment is.

        Raises:
            DiffusionSegError: if the two have nothing in common.
        """
        part = part_in_template(normalised, spacing_mm, template, progress)
        shown = normalised if part is None else np.where(part, normalised, np.float32(AIR))
        positions = template.positions(shown, spacing_mm, device=device, progress=progress)
        core = template.is_brighter(CORE, positions)
        if part is not None:
            # So far it has a rim, whose fluid and bone are as dark as ventricles.
            part &= template.is_brighter(TISSUE, positions)
            core &= part
        likeness, flipped = template.likeness(shown, positions), seeming_flip(shown, spacing_mm, template)
        return cls(positions, part, core, likeness, flipped)
