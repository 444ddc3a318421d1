"""Finding the brain within a head, as a template of brains alone shows it."""

import numpy as np
import pytest
from head_phantom import SPACING_MM, brain, head
from made_heads import made_head

from DiffusionSegLib.bundles.bundle import find_bundle
from DiffusionSegLib.part_in_template import part_in_template
from DiffusionSegLib.template import Template


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(brain(), SPACING_MM)


def part_of(image, template, **told):
    return part_in_template(2 * image - 1, SPACING_MM, template, **told)


@pytest.mark.parametrize("nod_degrees", [0, 20, -20])
def test_the_brain_is_found_in_a_head_that_nods(template, nod_degrees):
    part, wanted = part_of(head(nod_degrees), template), brain(nod_degrees) > 0
    assert (part & wanted).sum() > 0.99 * wanted.sum()
    # With little around it: the head has five times as much tissue as the brain.
    assert part.sum() < 1.8 * wanted.sum()
    assert (head(nod_degrees) > 0.1).sum() > 2.5 * wanted.sum()


@pytest.mark.parametrize(
    "cut", [lambda image: image[:, :, 14:], lambda image: image[4:-4, 4:-4, 6:-6], lambda image: np.pad(image, 6)]
)
def test_the_brain_is_found_wherever_the_scan_begins_and_ends(template, cut):
    part, wanted = part_of(cut(head()), template), cut(brain()) > 0
    assert (part & wanted).sum() > 0.99 * wanted.sum()
    assert part.sum() < 1.8 * wanted.sum()


@pytest.mark.parametrize("person", ["sub-04", "sub-17"])
def test_what_was_found_of_a_real_brain_is_not_lost_when_its_place_is_refined(data_folder, person):
    image, is_brain = made_head(data_folder / "anatomy" / f"{person}_dseg.nii.gz")
    part = part_in_template(2 * image - 1, 1.0, find_bundle("brain-t1").template)
    assert (part & is_brain).sum() > 0.99 * is_brain.sum()
    # Fluid and a rim lie around it.
    assert part.sum() < 1.6 * is_brain.sum()


def test_a_brain_alone_is_no_part_of_anything(template):
    assert part_of(brain(10), template) is None


def test_where_the_template_fits_nowhere_the_scan_is_left_whole(template):
    noise = np.random.default_rng(0).uniform(0, 1, head().shape)
    # The last has as much tissue as a head, and is a slab.
    for other in (head()[:, :, ::-1], noise, np.zeros_like(noise), np.ones((400, 400, 3))):
        assert part_of(other, template) is None


def test_what_progress_raises_stops_the_search(template):
    def stop(_stage, _done, _total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        part_of(head(), template, progress=stop)


def test_something_bright_and_round_of_another_size_is_no_brain(template):
    places = np.stack(np.meshgrid(*(np.arange(size) - size / 2 for size in (80, 80, 80)), indexing="ij"))
    ball = np.where(np.linalg.norm(places, axis=0) < 8, 0.8, 0.12)
    assert part_of(ball, template) is None


def test_tissue_that_is_gone_in_coarser_voxels_is_nothing_to_find(template):
    checkers = 0.12 * (np.indices((60, 60, 60)).sum(0) % 2)
    assert part_of(checkers, template) is None
