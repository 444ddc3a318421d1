"""Scans of more channels than the denoiser was made for."""

import numpy as np
import pytest
import torch
from conftest import a_head
from quick_session import nine_slices, options

from DiffusionSegLib.bundles.tiny import write_tiny_bundle
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.session import Session
from DiffusionSegLib.volume import Volume


def scan_of(*channels):
    return Volume(np.stack(channels), Grid(channels[0].shape, np.eye(4)))


@pytest.fixture(scope="module")
def two_channels():
    """A head whose ball 7 looks like what is around it in the first channel, and shows in the second; its labels."""
    image, labels = a_head()
    noise = np.random.default_rng(0).normal(0, 5, image.shape)
    around = float(np.median(image[(labels == 0) & (image > 0)]))
    hidden = np.where(labels == 7, around + noise, image).astype(np.float32)
    shown = np.where(image > 0, np.where(labels == 7, 300.0, 100.0) + noise, 0).astype(np.float32)
    return hidden, shown, labels


def learnt(bundle, labels, *channels):
    session, volume = Session(options(bundle)), scan_of(*channels)
    session.open(volume)
    session.annotate(nine_slices(labels, volume.grid))
    session.train()
    return session


def dice_of_ball(found, labels):
    return 2 * ((found == 7) & (labels == 7)).sum() / ((found == 7).sum() + (labels == 7).sum())


def test_what_only_a_further_channel_shows_is_learnt_from_that(tiny_bundle, two_channels):
    hidden, shown, labels = two_channels
    session = learnt(tiny_bundle, labels, hidden, shown)
    # Without the annotation, which would stay as it is.
    session.annotate(None)
    both = dice_of_ball(session.predict().labelmap, labels)
    alone = learnt(tiny_bundle, labels, hidden)
    alone.annotate(None)
    assert both > 0.9
    assert both > dice_of_ball(alone.predict().labelmap, labels) + 0.1


def test_the_denoiser_sees_the_channels_that_it_was_made_for(tiny_bundle, two_channels):
    hidden, shown, _ = two_channels
    found = []
    for channels in ([hidden], [hidden, shown]):
        session = Session(options(tiny_bundle))
        session.open(scan_of(*channels))
        found.append(session.extract())
    one, two = found
    points = torch.from_numpy(np.argwhere(one.tissue & two.tissue)[::50])
    assert one.view_channels == two.view_channels
    raw = [features._at(points)[:, : features.view_channels] for features in found]
    torch.testing.assert_close(*raw)
    assert len(two.mean) > len(one.mean)


def test_a_further_channel_makes_no_tissue_of_the_air(tiny_bundle, two_channels):
    hidden, shown, _ = two_channels
    tissues = []
    for channels in ([hidden], [hidden, shown + 500]):
        session = Session(options(tiny_bundle))
        session.open(scan_of(*channels))
        tissues.append(session.extract().tissue)
    assert np.array_equal(*tissues)


def test_a_segmenter_of_several_channels_wants_as_many_of_each_scan(tiny_bundle, two_channels):
    hidden, shown, labels = two_channels
    session = learnt(tiny_bundle, labels, hidden, shown)
    segmenter = session._segmenter
    assert segmenter.header.channels == 2
    session.open(scan_of(hidden))
    with pytest.raises(DiffusionSegError, match="learnt from scans of 2 channels, this one has 1"):
        session.predict(segmenter)
    with pytest.raises(DiffusionSegError, match="learnt from scans of 2 channels"):
        session.preview([(2, 20)], segmenter)


def test_fewer_channels_than_the_bundle_works_on_are_refused(tmp_path, two_channels):
    session = Session(options(write_tiny_bundle(tmp_path / "two", channels=2)))
    with pytest.raises(DiffusionSegError, match="works on 2 channels, the scan has 1"):
        session.open(scan_of(two_channels[0]))


def test_scans_that_teach_together_have_as_many_channels(tiny_bundle, two_channels):
    hidden, shown, labels = two_channels
    lesson = learnt(tiny_bundle, labels, hidden).lesson()
    session = learnt(tiny_bundle, labels, hidden, shown)
    with pytest.raises(DiffusionSegError, match="the same number of channels"):
        session.train(beside=[lesson])


def test_training_from_scratch_starts_where_the_number_of_channels_is_another(tiny_bundle, two_channels):
    hidden, shown, labels = two_channels
    of_one = learnt(tiny_bundle, labels, hidden)._segmenter
    session = learnt(tiny_bundle, labels, hidden, shown)
    cold = session.train()
    found = session.train(start=of_one)
    torch.testing.assert_close(found.ensemble.weights[0], cold.ensemble.weights[0])
