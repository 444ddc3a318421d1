"""The main job on a phantom, with a small denoiser of random weights."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import a_head, a_volume, an_affine, an_oblique_rotation, axis_orders
from quick_session import QUICK, nine_slices, options, trained_session

from DiffusionSegLib import session as session_module
from DiffusionSegLib.annotation import UNKNOWN, Annotation
from DiffusionSegLib.benchmark.painting import annotate_slices, on_slices
from DiffusionSegLib.errors import DiffusionSegError, DiffusionSegWarning
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.labels import Label
from DiffusionSegLib.segmenter.ensemble_training import train_ensemble
from DiffusionSegLib.session import Session
from DiffusionSegLib.template import Template
from DiffusionSegLib.volume import Volume


def dice(found: np.ndarray, reference: np.ndarray, value: int, where: np.ndarray) -> float:
    first, second = (found == value) & where, (reference == value) & where
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def test_nine_painted_slices_give_the_rest_of_the_volume(tiny_bundle):
    image, labels = a_head()
    session, annotation = trained_session(tiny_bundle, image, labels)
    prediction = session.predict()
    unpainted = ~on_slices(labels.shape, annotation.complete_slices)
    assert dice(prediction.labelmap, labels, 3, unpainted) > 0.85
    assert dice(prediction.labelmap, labels, 7, unpainted) > 0.85
    assert set(np.unique(prediction.labelmap)) == {0, 3, 7}
    assert set(session.report.to_json()["stages"]) == {"preparation", "features", "gathering", "training", "prediction"}


def reoriented(array: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """A volume stored along other axes: `directions` says which way each new axis runs along the old ones."""
    order = [int(np.flatnonzero(directions[:, axis])[0]) for axis in range(3)]
    flips = tuple(slice(None, None, int(directions[along, axis])) for axis, along in enumerate(order))
    return array.transpose(order)[flips]


@pytest.fixture(scope="module")
def trained_on_a_head(tiny_bundle):
    image, labels = a_head()
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    session.annotate(nine_slices(labels, session._opened().grid))
    segmenter = session.train()
    # Opened again, the scan has no annotation that would stay as it is.
    session.open(a_volume(image))
    return segmenter, session.predict(), image


@pytest.mark.parametrize("directions", axis_orders())
def test_a_scan_is_segmented_alike_however_its_axes_are_stored(tiny_bundle, trained_on_a_head, directions):
    segmenter, expected, image = trained_on_a_head
    stored = np.ascontiguousarray(reoriented(image, directions))
    volume = a_volume(stored, an_affine(directions, (1.0, 1.0, 1.0)))
    session = Session(options(tiny_bundle))
    session.open(volume)
    prediction = session.predict(segmenter)
    assert prediction.grid is volume.grid
    np.testing.assert_array_equal(prediction.labelmap, reoriented(expected.labelmap, directions))
    np.testing.assert_allclose(prediction.uncertainty, reoriented(expected.uncertainty, directions), atol=1e-5)


@pytest.mark.parametrize(
    "affine",
    [an_affine(an_oblique_rotation(), (1.0, 1.0, 1.0)), an_affine(axis_orders()[13], (0.8, 1.25, 2.0))],
    ids=["oblique", "anisotropic"],
)
def test_oblique_and_anisotropic_scans_come_back_on_their_own_grid(tiny_bundle, affine):
    image, labels = a_head((44, 40, 30))
    session, _ = trained_session(tiny_bundle, image, labels, affine)
    prediction = session.predict()
    assert prediction.labelmap.shape == image.shape
    np.testing.assert_array_equal(prediction.grid.affine, affine)
    everywhere = np.ones(labels.shape, bool)
    assert dice(prediction.labelmap, labels, 3, everywhere) > 0.8
    assert dice(prediction.labelmap, labels, 7, everywhere) > 0.8


def test_a_second_training_does_not_run_the_denoiser_again(tiny_bundle, monkeypatch):
    image, labels = a_head()
    session, _ = trained_session(tiny_bundle, image, labels)
    monkeypatch.setattr(session.denoisers, "activations", None)
    session.annotate(annotate_slices(labels, session._opened().grid, per_axis=4, stride=3, background=True))
    session.train()
    session.predict()


def test_another_scan_is_not_looked_for_where_the_last_one_was_kept(tiny_bundle):
    image, _ = a_head()
    session = Session(options(tiny_bundle))
    session.kept_views = object()
    session.open(Volume(image[None], Grid(image.shape, np.eye(4))))
    assert session.kept_views is None


def test_a_seed_repeats_the_result(tiny_bundle):
    image, labels = a_head((24, 24, 20))
    found = []
    for _ in range(2):
        session, _ = trained_session(tiny_bundle, image, labels, seed=3)
        found.append(session.predict().uncertainty)
    np.testing.assert_array_equal(*found)


def test_suggested_slices_are_apart_from_those_painted(tiny_bundle):
    image, labels = a_head()
    session, annotation = trained_session(tiny_bundle, image, labels)
    suggestions = session.suggest(count=4)
    assert 1 <= len(suggestions) <= 4
    for suggestion in suggestions:
        painted = annotation.complete_slices["ijk".index(suggestion.axis)]
        assert all(abs(suggestion.index - index) >= 6 for index in painted)


@pytest.mark.parametrize(
    ("slices", "thickness", "works"), [(1, 1.0, False), (3, 1.0, False), (4, 1.0, True), (1, 5.0, True)]
)
def test_a_single_slice_is_refused_and_a_thick_one_is_not(tiny_bundle, slices, thickness, works):
    image, _ = a_head((24, 22, 9))
    volume = a_volume(image[:, :, 4 : 4 + slices], np.diag([1, 1, thickness, 1]))
    session = Session(options(tiny_bundle))
    if works:
        session.open(volume)
        session.extract()
    else:
        with pytest.raises(DiffusionSegError, match="less than 4 mm thick"):
            session.open(volume)


def test_annotations_of_air_alone_are_told_of(tiny_bundle):
    image, _ = a_head()
    painted = np.zeros(image.shape, int)
    painted[0, 0, 0], painted[1, 0, 0] = 1, 2
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    session.annotate(Annotation.from_painting(painted, session._opened().grid))
    with pytest.raises(DiffusionSegError, match="Nothing of what is annotated is tissue"):
        session.train()


def test_tissue_of_one_class_alone_cannot_be_learnt(tiny_bundle):
    image, labels = a_head()
    painted = np.where(labels == 3, 3, 0)
    # In air.
    painted[0, 0, 0] = 7
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    session.annotate(Annotation.from_painting(painted, session._opened().grid))
    with pytest.raises(DiffusionSegError, match="all of one class"), pytest.warns(DiffusionSegWarning, match="Label 7"):
        session.train()


def test_a_structure_that_is_painted_in_air_alone_is_told_of(tiny_bundle):
    image, labels = a_head()
    grid = a_volume(image).grid
    painted = np.where(labels > 0, labels, -1)
    # The first slice is all air.
    painted[0, 0, :5] = 9
    names = [Label(value, name, (1, 2, 3)) for value, name in ((3, "Caudate"), (7, "Putamen"), (9, "Sinus"))]
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    session.annotate(Annotation(painted, grid, tuple(names)))
    with pytest.warns(DiffusionSegWarning, match="What is painted as Sinus is as dark as air"):
        session.train()


def test_steps_in_the_wrong_order_are_told_of(tiny_bundle):
    session = Session(options(tiny_bundle))
    with pytest.raises(DiffusionSegError, match="annotated"):
        session.train()
    with pytest.raises(DiffusionSegError, match="no segmenter"):
        session.predict()


def test_what_is_annotated_stays_as_it_is_annotated_however_odd(tiny_bundle):
    image, labels = a_head()
    annotation = nine_slices(labels, a_volume(image).grid)
    odd = annotation.labelmap.copy()
    # Air painted as a structure is what no segmenter would ever find.
    assert odd[0, 0, 0] == 0
    odd[0, 0, :5] = 7
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    session.annotate(replace(annotation, labelmap=odd))
    session.train()
    prediction = session.predict()
    np.testing.assert_array_equal(prediction.labelmap[annotation.known], odd[annotation.known])
    assert not prediction.uncertainty[annotation.known].any()
    assert prediction.uncertainty.any()
    (shown,) = session.preview([(0, 0)])
    np.testing.assert_array_equal(shown.labelmap, prediction.labelmap[0])
    np.testing.assert_array_equal(shown.uncertainty, prediction.uncertainty[0])


def test_an_annotation_with_labels_that_a_segmenter_does_not_know_does_not_change_its_result(
    tiny_bundle, trained_on_a_head
):
    image, labels = a_head()
    volume = a_volume(image)
    session = Session(options(tiny_bundle))
    session.open(volume)
    expected = session.predict(trained_on_a_head[0]).labelmap
    session.annotate(nine_slices(labels + 2 * (labels > 0), volume.grid))
    np.testing.assert_array_equal(session.predict(trained_on_a_head[0]).labelmap, expected)


def test_a_painting_of_other_structures_with_the_same_values_does_not_change_its_result(tiny_bundle, trained_on_a_head):
    image, labels = a_head()
    volume = a_volume(image)
    session = Session(options(tiny_bundle))
    session.open(volume)
    expected = session.predict(trained_on_a_head[0]).labelmap
    # Shifted, so that what is painted differs from what is found.
    annotation = nine_slices(np.roll(labels, 3, axis=0), volume.grid)
    named = [replace(label, name=f"Other {label.name}") for label in annotation.labels]
    session.annotate(replace(annotation, labels=tuple(named)))
    np.testing.assert_array_equal(session.predict(trained_on_a_head[0]).labelmap, expected)
    session.annotate(annotation)
    assert (session.predict(trained_on_a_head[0]).labelmap != expected).any()


def test_what_a_segmenter_knows_stays_as_painted_beside_structures_that_it_does_not_know(
    tiny_bundle, trained_on_a_head
):
    image, labels = a_head()
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    expected = session.predict(trained_on_a_head[0])
    annotation = nine_slices(np.roll(labels, 3, axis=0), a_volume(image).grid)
    named = [replace(label, name="New") if label.value == 7 else label for label in annotation.labels]
    session.annotate(replace(annotation, labels=tuple(named)))
    found = session.predict(trained_on_a_head[0])
    known = annotation.known & (annotation.labelmap != 7)
    np.testing.assert_array_equal(found.labelmap[known], annotation.labelmap[known])
    np.testing.assert_array_equal(found.uncertainty, np.where(known, 0, expected.uncertainty))
    # Painted as something else, they are as if nobody had painted them.
    session.annotate(replace(annotation, labelmap=np.where(known, annotation.labelmap, UNKNOWN)))
    np.testing.assert_array_equal(found.labelmap, session.predict(trained_on_a_head[0]).labelmap)


def test_a_painting_in_other_values_stays_as_painted_where_names_tell_what_it_is(tiny_bundle, trained_on_a_head):
    image, labels = a_head()
    session = Session(options(tiny_bundle))
    session.open(a_volume(image))
    annotation = nine_slices(np.roll(labels, 3, axis=0), a_volume(image).grid)
    session.annotate(annotation)
    expected = session.predict(trained_on_a_head[0])
    swapped = np.choose(np.searchsorted([UNKNOWN, 0, 3, 7], annotation.labelmap), [UNKNOWN, 0, 7, 3]).astype(np.int32)
    named = [replace(label, value=10 - label.value) for label in annotation.labels]
    session.annotate(replace(annotation, labelmap=swapped, labels=tuple(named)))
    np.testing.assert_array_equal(session.predict(trained_on_a_head[0]).labelmap, expected.labelmap)
    shown = session.preview([(2, 16)], trained_on_a_head[0])[0]
    np.testing.assert_array_equal(shown.labelmap, expected.labelmap[:, :, 16])


def test_training_that_goes_on_reaches_the_dice_of_training_from_scratch(tiny_bundle):
    image, labels = a_head()
    volume = a_volume(image)
    painted = [annotate_slices(labels, volume.grid, per_axis=count, stride=4, background=True) for count in (2, 3)]
    scores, steps = {}, {}
    for warm in (False, True):
        taken = []
        session = Session(
            options(tiny_bundle), progress=lambda stage, done, _, taken=taken: taken.append((stage, done))
        )
        session.open(volume)
        session.annotate(painted[0])
        before = session.train() if warm else None
        session.annotate(painted[1])
        taken.clear()
        segmenter = session.train(start=before)
        unpainted = ~on_slices(labels.shape, painted[1].complete_slices)
        found = session.predict(segmenter).labelmap
        scores[warm] = np.mean([dice(found, labels, value, unpainted) for value in (3, 7)])
        steps[warm] = max(done for stage, done in taken if stage == "training")
    assert scores[True] > scores[False] - 0.01
    assert steps[True] <= steps[False] / 2


def test_confidence_is_full_where_painted_and_least_where_members_disagree(tiny_bundle):
    image, labels = a_head()
    session, annotation = trained_session(tiny_bundle, image, labels)
    prediction = session.predict()
    assert prediction.confidence.dtype == np.uint8
    assert (prediction.confidence[annotation.known] == 255).all()
    unknown = ~annotation.known & (image > 0)
    torn = prediction.uncertainty >= np.quantile(prediction.uncertainty[unknown], 0.95)
    assert prediction.confidence[unknown & torn].mean() < prediction.confidence[unknown & ~torn].mean()
    # The likeliest of three classes has a third at least.
    assert prediction.confidence.min() >= 255 // 3


@pytest.fixture
def symmetric_bundle(aligned_bundle):
    """The bundle with a template of which left and right are mirror images."""
    image = aligned_bundle.template.image
    Template((image + image[::-1]) / 2, 2.0).save(aligned_bundle.folder / "template.nii.gz")
    return replace(aligned_bundle)


@pytest.fixture
def rows_learnt(monkeypatch):
    """How many voxels each training was given."""
    found = []

    def counted(voxels, *others):
        found.append(len(voxels.classes))
        return train_ensemble(voxels, *others)

    monkeypatch.setattr(session_module, "train_ensemble", counted)
    return found


# Heads this small are little but surface, where voxels of two sizes never agree.
LITTLE_ALIKE = pytest.mark.filterwarnings("ignore:The scan hardly looks like")


def train_with_names(bundle, names, **changes):
    """The session that has learnt two structures of these names."""
    image, labels = a_head()
    volume = a_volume(image)
    session = Session(options(bundle, **changes))
    session.open(volume)
    named = [replace(Label.generic(value), name=name) for value, name in zip((3, 7), names, strict=True)]
    session.annotate(annotate_slices(labels, volume.grid, per_axis=3, stride=4, background=True, labels=named))
    session.train()
    return session


@LITTLE_ALIKE
def test_where_names_tell_left_from_right_every_voxel_is_also_learnt_in_the_mirror(symmetric_bundle, rows_learnt):
    session = train_with_names(symmetric_bundle, ("Left ball", "Right ball"))
    assert rows_learnt == [2 * session.report.voxels_trained]


@LITTLE_ALIKE
def test_nothing_is_learnt_in_the_mirror_where_the_template_is_not_symmetric(aligned_bundle, rows_learnt):
    session = train_with_names(aligned_bundle, ("Left ball", "Right ball"))
    assert rows_learnt == [session.report.voxels_trained]


@LITTLE_ALIKE
@pytest.mark.parametrize("names", [("Ball", "Other ball"), ("Left ball", "Other ball")])
def test_nothing_is_learnt_in_the_mirror_where_names_do_not_pair_up(symmetric_bundle, rows_learnt, names):
    session = train_with_names(symmetric_bundle, names)
    assert rows_learnt == [session.report.voxels_trained]


@LITTLE_ALIKE
def test_the_mirror_can_be_left_out(symmetric_bundle, rows_learnt):
    ensemble = replace(QUICK, mirrored=False)
    session = train_with_names(symmetric_bundle, ("Left ball", "Right ball"), ensemble=ensemble)
    assert rows_learnt == [session.report.voxels_trained]
