"""A template whose left is the mirror image of its right."""

import numpy as np
import pytest
from scipy import ndimage

from DiffusionSegLib.template import Template
from DiffusionSegLib.template_symmetry import symmetrised

SHAPE = (44, 52, 40)


def tilted(turn_degrees: float, shift: float) -> Template:
    """An ellipsoid with a ball on each side and one in front, whose middle plane is turned and shifted."""
    places = np.stack(np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SHAPE), indexing="ij"))
    angle = np.deg2rad(turn_degrees)
    across = np.cos(angle) * places[0] - np.sin(angle) * places[1] - shift
    along = np.sin(angle) * places[0] + np.cos(angle) * places[1]
    image = 0.7 * ((across / 16) ** 2 + (along / 21) ** 2 + (places[2] / 15) ** 2 < 1)
    for side in (-1, 1):
        image[((across - side * 7) / 4) ** 2 + ((along - 3) / 6) ** 2 + (places[2] / 5) ** 2 < 1] = 0.3
    image[(across / 4) ** 2 + ((along - 14) / 4) ** 2 + (places[2] / 5) ** 2 < 1] = 0.95
    return Template(ndimage.gaussian_filter(image, 0.7).astype(np.float32), 2.0)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.parametrize(("turn_degrees", "shift"), [(5, 1.5), (-4, -2.0)])
def test_a_tilted_template_becomes_upright_and_symmetric_without_getting_blurred(turn_degrees, shift):
    template, upright = tilted(turn_degrees, shift), tilted(0, 0)
    found = symmetrised(template)
    assert found.symmetric
    assert not template.symmetric
    assert found.spacing_mm == template.spacing_mm
    inner = tuple(slice((new - old) // 2, (new + old) // 2) for new, old in zip(found.image.shape, SHAPE, strict=True))
    averaged = (template.image + template.image[::-1]) / 2
    lost, lost_by_averaging = (1 - correlation(image, upright.image) for image in (found.image[inner], averaged))
    assert lost < 0.5 * lost_by_averaging


def test_it_stays_symmetric_on_disk(tmp_path):
    symmetrised(tilted(3, 1)).save(tmp_path / "template.nii.gz")
    assert Template.load(tmp_path / "template.nii.gz").symmetric


def test_it_tells_how_far_it_is_and_can_be_stopped_meanwhile():
    told = []
    symmetrised(tilted(3, 1), lambda *point: told.append(point))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert {done for _, done, _ in told} == {0, 1, 2, 3}
    assert all(total == 3 for _, _, total in told)

    def stop(_stage, done, _total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        symmetrised(tilted(3, 1), stop)
