"""How much of a scan the published way can hold at full feature size."""

from __future__ import annotations

import math

from DiffusionSegLib.benchmark.speed.our_path import OurPath
from DiffusionSegLib.benchmark.speed.scan import SpeedScan
from DiffusionSegLib.bounding_box import bounding_box
from DiffusionSegLib.devices import available_gpu_memory
from DiffusionSegLib.features.feature_count import feature_count
from DiffusionSegLib.free_memory import available_memory

# Views fused so far, one more view, and the parts that this one is made of.
COPIES = 3
# Of what is free: logits and what both ways compute with need room, too.
SHARE_OF_FREE_MEMORY = 0.5
BYTES_OF_A_FLOAT = 4
STEP = 8
# Where the system does not tell.
ASSUMED_FREE_BYTES = 8 * 2**30


def part_that_fits(scan: SpeedScan, ours: OurPath) -> SpeedScan:
    """The scan, or the largest cube in the middle of its tissue whose features, all of them, fit into the memory."""
    free = available_gpu_memory(ours.device) or available_memory() or ASSUMED_FREE_BYTES
    return largest_part(scan, ours, int(SHARE_OF_FREE_MEMORY * free))


def largest_part(scan: SpeedScan, ours: OurPath, budget: int) -> SpeedScan:
    """The same for so many bytes; `STEP` voxels along each axis at least."""
    config = ours.bundle.config
    of_voxel = COPIES * BYTES_OF_A_FLOAT * feature_count(config.features, config.unet, len(scan.image))
    for edge in range(max(scan.tissue.shape), STEP, -STEP):
        part = scan.middle(edge)
        if of_voxel * math.prod(end - start for start, end in bounding_box(part.tissue)) <= budget:
            return part
    return scan.middle(STEP)
