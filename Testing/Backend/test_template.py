"""Aligning scans to a template, and making one."""

import signal
import threading

import numpy as np
import pytest
from scipy import ndimage

from DiffusionSegLib import template as template_module
from DiffusionSegLib.alignment import find_transform
from DiffusionSegLib.diffusion.guidance import image_with_positions, labelmap_with_positions
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.template import UNIT_MM, Template
from DiffusionSegLib.template_building import build_template

SPACING_MM = 2.0
SHAPE = (44, 52, 40)


def brain_like(turn_degrees: float = 0.0, shift: float = 0.0, bend: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid with three structures, moved and bent: intensities from 0 to 1 and labels."""
    places = np.stack(np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SHAPE), indexing="ij"))
    angle = np.deg2rad(turn_degrees)
    first = np.cos(angle) * places[0] - np.sin(angle) * places[1] - shift
    second = np.sin(angle) * places[0] + np.cos(angle) * places[1]
    third = places[2] + bend * np.sin(first / 6)
    labels = np.zeros(SHAPE, np.int16)
    labels[(first / 17) ** 2 + (second / 21) ** 2 + (third / 15) ** 2 < 1] = 1
    labels[((first - 6) / 5) ** 2 + ((second - 4) / 7) ** 2 + (third / 5) ** 2 < 1] = 2
    labels[((first + 6) / 5) ** 2 + ((second + 5) / 6) ** 2 + ((third - 2) / 6) ** 2 < 1] = 3
    labels[(first / 4) ** 2 + (second / 5) ** 2 + ((third + 7) / 4) ** 2 < 1] = 4
    brightness = np.array([0, 0.7, 0.35, 0.95, 0.15])[labels]
    return ndimage.gaussian_filter(brightness, 0.7) * (labels > 0), labels


def centre_mm(positions: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return positions[:, inside].mean(1) * UNIT_MM


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(brain_like()[0].astype(np.float32), SPACING_MM)


def test_a_turned_and_bent_scan_finds_its_structures_where_the_template_has_them(template):
    _, still = brain_like()
    image, labels = brain_like(turn_degrees=8, shift=2.5, bend=1.5)
    expected = template.positions(2 * template.image - 1, SPACING_MM)
    found = template.positions(2 * image - 1, SPACING_MM)
    without = template.positions(2 * image - 1, SPACING_MM, deforming=False)
    for value in (2, 3, 4):
        place = centre_mm(expected, still == value)
        assert np.abs(centre_mm(found, labels == value) - place).max() < 1.25
    errors = [np.abs(template.at(positions)[labels > 0] - image[labels > 0]).mean() for positions in (without, found)]
    assert errors[1] < 0.7 * errors[0]


def test_a_scan_with_other_voxels_finds_the_same_positions(template):
    image, labels = brain_like()
    fine = ndimage.zoom(image, 2, order=1, grid_mode=True, mode="nearest").clip(0, 1)
    fine_labels = ndimage.zoom(labels, 2, order=0, grid_mode=True, mode="nearest")
    coarse_places = template.positions(2 * image - 1, SPACING_MM)
    fine_places = template.positions(2 * fine - 1, SPACING_MM / 2)
    for value in (2, 3, 4):
        difference = centre_mm(fine_places, fine_labels == value) - centre_mm(coarse_places, labels == value)
        assert np.abs(difference).max() < 0.7


def test_a_scan_of_very_many_voxels_is_aligned_with_coarser_ones(template, monkeypatch):
    image, labels = brain_like(turn_degrees=8, shift=2.5, bend=1.5)
    fine = template.positions(2 * image - 1, SPACING_MM)
    sizes = []

    def noted(scan, moving, **how):
        sizes.append((scan.GetNumberOfPixels(), scan.GetSpacing()[0], moving.GetSpacing()[0]))
        return find_transform(scan, moving, **how)

    monkeypatch.setattr(template_module, "find_transform", noted)
    monkeypatch.setattr(template_module, "MOST_VOXELS", image.size // 2)
    coarse = template.positions(2 * image - 1, SPACING_MM)
    assert sizes[0][0] <= image.size // 2
    assert sizes[0][1:] == (2 * SPACING_MM, 2 * SPACING_MM)
    for value in (2, 3, 4):
        assert np.abs(centre_mm(coarse, labels == value) - centre_mm(fine, labels == value)).max() < 2 * SPACING_MM


def test_air_around_a_scan_hardly_changes_where_its_voxels_lie(template):
    image, _ = brain_like(turn_degrees=5, bend=1.5)
    margins = ((8, 30), (20, 11), (9, 16))
    inside = tuple(slice(before, before + size) for (before, _), size in zip(margins, SHAPE, strict=True))
    alone = template.positions(2 * image - 1, SPACING_MM)
    within_air = template.positions(2 * np.pad(image, margins) - 1, SPACING_MM)[:, *inside]
    apart_mm = np.linalg.norm(within_air - alone, axis=0)[image > 0] * UNIT_MM
    assert apart_mm.mean() < 0.15


def test_a_template_on_disk_is_the_same_but_for_eight_bits(template, tmp_path):
    template.save(tmp_path / "template.nii.gz")
    again = Template.load(tmp_path / "template.nii.gz")
    assert again.spacing_mm == SPACING_MM
    assert np.abs(again.image - template.image).max() < 1 / 255


def test_a_bundle_without_its_template_is_told_of(tmp_path):
    with pytest.raises(DiffusionSegError, match="template"):
        Template.load(tmp_path / "template.nii.gz")


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_template_is_told_of(template, tmp_path, damage):
    path = tmp_path / "template.nii.gz"
    template.save(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if damage == "cut":
        del content[middle:]
    else:
        content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    with pytest.raises(DiffusionSegError, match="template"):
        Template.load(path)


def test_a_scan_that_shows_nothing_is_told_of(template):
    with pytest.raises(DiffusionSegError, match="aligned"):
        template.positions(np.full(SHAPE, -1.0), SPACING_MM)


def test_moved_scans_differ_less_from_their_template_than_from_their_plain_average():
    scans = [
        brain_like(turn_degrees=turn, shift=shift, bend=bend)[0] * 2 - 1
        for turn, shift, bend in ((-6, 1, 0), (5, -2, 1), (2, 1, -1))
    ]
    template = build_template(scans, SPACING_MM)
    plain = np.mean(scans, axis=0)
    apart = [np.abs(scan - plain)[scan > -0.9].mean() / 2 for scan in scans]
    aligned = [
        np.abs(template.at(template.positions(scan, SPACING_MM)) - (scan + 1) / 2)[scan > -0.9].mean() for scan in scans
    ]
    assert max(aligned) < 0.6 * min(apart)
    assert template.image.min() >= 0
    assert template.image.max() <= 1


def test_label_maps_find_their_positions_without_intensities(template):
    image, still = brain_like()
    _, labels = brain_like(turn_degrees=6, shift=-2)
    expected = image_with_positions((2 * image - 1)[None], template, SPACING_MM)[1:]
    found = labelmap_with_positions(labels[None], template, SPACING_MM)
    np.testing.assert_array_equal(found[0], labels)
    for value in (2, 3, 4):
        difference = centre_mm(found[1:].astype(np.float32), labels == value) - centre_mm(
            expected.astype(np.float32), still == value
        )
        assert np.abs(difference).max() < 2.0


@pytest.mark.parametrize("before_the_end", [False, True])
def test_an_alignment_stops_at_the_next_iteration_and_lets_through_what_stopped_it(template, before_the_end):
    image, _ = brain_like(turn_degrees=12, shift=4, bend=1.5)
    whole, told = [], []
    template.positions(2 * image - 1, SPACING_MM, progress=lambda *progress: whole.append(progress))
    iteration = len(whole) - 10 if before_the_end else 3

    def interrupt(*progress):
        told.append(progress)
        if len(told) == iteration:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        template.positions(2 * image - 1, SPACING_MM, progress=interrupt)
    assert told == whole[:iteration]
    assert {stage for stage, _, _ in told} == {"alignment"}


@pytest.mark.usefixtures("obeyed_ctrl_c")
def test_ctrl_c_in_the_midst_of_an_alignment_is_not_told_as_a_failure(template):
    image, _ = brain_like(turn_degrees=12, shift=4, bend=1.5)
    begun = threading.Event()

    def press() -> None:
        begun.wait()
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        template.positions(2 * image - 1, SPACING_MM, progress=lambda *_: begun.set())
    thread.join()


def test_another_contrast_and_a_skull_make_a_scan_look_less_like_the_template(template):
    image, labels = brain_like(turn_degrees=5)
    shell = ndimage.binary_dilation(labels > 0, iterations=4) & ~ndimage.binary_dilation(labels > 0, iterations=2)
    inverted = np.where(labels > 0, 1.1 - image, 0)
    likeness = [
        template.likeness(2 * scan - 1, template.positions(2 * scan - 1, SPACING_MM))
        for scan in (image, np.where(shell, 0.9, image), inverted)
    ]
    assert likeness[0] > 0.9
    assert max(likeness[1:]) < 0.6


def test_a_template_tells_where_it_is_bright_and_is_dark_beyond_its_edge():
    image = np.random.default_rng(0).uniform(0.2, 1, (7, 6, 5)).astype(np.float32)
    template = Template(image, 2.0)
    places = 2.0 * np.stack(np.meshgrid(*(np.arange(-1, size + 1) for size in image.shape), indexing="ij"))
    centre = 2.0 * np.argwhere(image > 0.1).mean(0).reshape(3, 1, 1, 1)
    found = template.is_brighter(0.5, (places - centre) / UNIT_MM)
    np.testing.assert_array_equal(found, np.pad(image, 1) > 0.5)


def test_air_looks_like_nothing(template):
    air = np.full(SHAPE, -1.0, np.float32)
    assert template.likeness(air, np.zeros((3, *SHAPE), np.float32)) == 0
