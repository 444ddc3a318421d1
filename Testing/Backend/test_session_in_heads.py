"""The main job on a brain within a head, where the bundle's template shows no skull."""

import json
from dataclasses import replace

import head_phantom
import numpy as np
import pytest
from conftest import a_volume
from quick_session import options
from scipy import ndimage

from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.evaluation import evaluate
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.session import Session
from DiffusionSegLib.template import Template

SPACING = np.diag([head_phantom.SPACING_MM] * 3 + [1])
IN_A_HEAD = pytest.mark.filterwarnings("ignore:The scan shows more than the model")


@pytest.fixture
def bundle_of_brains(aligned_bundle):
    """The bundle with a template that shows a brain and no skull."""
    config = replace(aligned_bundle.config, spacing_mm=head_phantom.SPACING_MM)
    (aligned_bundle.folder / "config.json").write_text(json.dumps(to_json(config)))
    Template(head_phantom.brain(), head_phantom.SPACING_MM).save(aligned_bundle.folder / "template.nii.gz")
    return replace(aligned_bundle, config=config)


def learnt_from(bundle, image, labels):
    """A segmenter that has learnt the labels of every voxel of an image."""
    session, volume = Session(options(bundle)), a_volume(1000 * image, SPACING)
    session.open(volume)
    values = np.unique(labels)[1:].tolist()
    session.annotate(Annotation(labels.astype(np.int32), volume.grid, tuple(map(Label.generic, values))))
    return session.train()


def found_in(bundle, segmenter, image):
    """What a segmenter finds in another image."""
    session = Session(options(bundle))
    session.open(a_volume(1000 * image, SPACING))
    return session.predict(segmenter).labelmap


@IN_A_HEAD
@pytest.mark.parametrize("painted", [head_phantom.brain, head_phantom.head])
def test_structures_of_a_brain_are_found_in_a_head_and_nowhere_around_its_brain(bundle_of_brains, painted):
    inner = (head_phantom.VENTRICLES, head_phantom.HINDBRAIN)
    labels = head_phantom.structures() * np.isin(head_phantom.structures(), inner)
    segmenter = learnt_from(bundle_of_brains, painted(), labels)
    assert segmenter.header.within_part
    found, wanted = found_in(bundle_of_brains, segmenter, head_phantom.head(12)), head_phantom.structures(12)
    reference = wanted * np.isin(wanted, inner)
    scores = evaluate(found, reference, Grid(wanted.shape, SPACING))
    assert min(score.dice for score in scores.values()) > 0.8
    away = ndimage.distance_transform_edt(wanted == 0) * head_phantom.SPACING_MM
    assert not found[away > 12].any()


@IN_A_HEAD
@pytest.mark.filterwarnings("ignore:The scan hardly looks like")
@pytest.mark.parametrize("from_slice", [0, 40])
def test_what_lies_around_the_brain_can_be_learnt_too_also_where_the_brain_is_not_found(bundle_of_brains, from_slice):
    image, brain = head_phantom.head()[:, :, from_slice:], head_phantom.structures()[:, :, from_slice:]
    segmenter = learnt_from(bundle_of_brains, image, ((image > 0.6) & (brain == 0)).astype(int))
    assert not segmenter.header.within_part
    assert found_in(bundle_of_brains, segmenter, head_phantom.head(12))[head_phantom.structures(12) == 0].any()
