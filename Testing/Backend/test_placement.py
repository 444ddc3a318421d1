"""Where a scan lies in a template, with a skull and without."""

import numpy as np
import pytest
from head_phantom import SPACING_MM, brain, head
from made_heads import made_head

from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.placement import Placement
from DiffusionSegLib.template import UNIT_MM, Template


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(brain(), SPACING_MM)


def test_a_head_is_placed_by_its_brain(template):
    alone, in_head = (Placement.find(2 * image - 1, SPACING_MM, template) for image in (brain(10), head(10)))
    apart = UNIT_MM * np.linalg.norm(in_head.positions - alone.positions, axis=0)[brain(10) > 0]
    # Less than a voxel.
    assert apart.mean() < 2
    assert in_head.part is not None
    assert alone.part is None
    assert in_head.likeness > 0.9
    assert in_head.flipped == alone.flipped == ()


@pytest.mark.parametrize("slices", [1, 2])
def test_a_scan_that_is_too_thin_is_told_of(template, slices):
    with pytest.raises(DiffusionSegError, match="could not be aligned"):
        Placement.find(np.full((200, 200, slices), 0.5, np.float32), 1.0, template)


def test_progress_tells_of_the_alignment_alone(template):
    told = []
    Placement.find(2 * head() - 1, SPACING_MM, template, progress=lambda *steps: told.append(steps))
    assert {stage for stage, _, _ in told} == {"alignment"}
    shares = [done / total for _, done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


@pytest.mark.parametrize("person", ["sub-01", "sub-08"])
def test_a_head_made_from_a_real_brain_lies_in_the_bundles_template_where_that_brain_alone_does(data_folder, person):
    image, is_brain = made_head(data_folder / "anatomy" / f"{person}_dseg.nii.gz")
    template = find_bundle("brain-t1").template
    alone, in_head = (Placement.find(2 * scan - 1, 1.0, template) for scan in (image * is_brain, image))
    apart = UNIT_MM * np.linalg.norm(in_head.positions - alone.positions, axis=0)[is_brain]
    # By the whole head it is 20 to 30 mm.
    assert apart.mean() < 1.5
    assert (in_head.part & is_brain).sum() > 0.99 * is_brain.sum()
    # With the fluid around the brain, which is no rim of bone.
    assert in_head.part.sum() < 1.45 * is_brain.sum()
    assert 2 * (in_head.core & alone.core).sum() > 0.94 * (in_head.core.sum() + alone.core.sum())
