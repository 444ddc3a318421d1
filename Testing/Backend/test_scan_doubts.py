"""What makes a scan doubtful is told, and told again."""

import warnings

import numpy as np
import pytest
from conftest import a_head, a_volume
from quick_session import options, trained_session

from DiffusionSegLib import scan_doubts
from DiffusionSegLib import session as session_module
from DiffusionSegLib.errors import DiffusionSegWarning
from DiffusionSegLib.session import Session


def test_a_scan_that_hardly_looks_like_the_template_is_told_of_and_segmented_nevertheless(aligned_bundle, monkeypatch):
    # The surface, where voxels of two sizes never agree, is a large part of a head this small.
    monkeypatch.setattr(scan_doubts, "LEAST_LIKENESS", 0.6)
    image, labels = a_head((48, 48, 48))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained_session(aligned_bundle, image, labels)
    inverted = np.where(image > 0, 900 - image, 0)
    with pytest.warns(DiffusionSegWarning, match="hardly looks like those that the model tiny was made for"):
        session, _ = trained_session(aligned_bundle, inverted, labels)
    assert set(np.unique(session.predict().labelmap)) == {0, 3, 7}
    assert len(session.doubts) == 1


def test_what_features_from_an_earlier_time_tell_of_a_scan_is_told_again(aligned_bundle, monkeypatch):
    monkeypatch.setattr(scan_doubts, "LEAST_LIKENESS", 1.0)
    volume, session = a_volume(a_head((48, 48, 48))[0]), Session(options(aligned_bundle))
    session.open(volume)
    assert session.doubts == []
    with pytest.warns(DiffusionSegWarning, match="hardly looks like"):
        features = session.extract()
    session.open(volume)
    assert session.doubts == []
    with pytest.warns(DiffusionSegWarning, match="hardly looks like"):
        session.take_features(features)
    assert len(session.doubts) == 1


@pytest.mark.filterwarnings("ignore:The scan hardly looks like")
def test_a_scan_that_lies_back_to_front_is_told_of_once_and_again_with_its_features(aligned_bundle):
    session = Session(options(aligned_bundle))
    volume = a_volume(a_head((48, 48, 48))[0][:, ::-1])
    session.open(volume)
    with pytest.warns(DiffusionSegWarning) as warned:
        features = session.extract()
    assert sum("lie back to front" in str(one.message) for one in warned) == 1
    told = session.doubts
    session.open(volume)
    with pytest.warns(DiffusionSegWarning, match="lie back to front"):
        session.take_features(features)
    assert session.doubts == told


def test_what_the_alignment_shows_is_told_before_the_denoiser_begins(aligned_bundle, monkeypatch):
    class InTheMiddleError(Exception):
        pass

    def stop(*_):
        raise InTheMiddleError

    monkeypatch.setattr(scan_doubts, "LEAST_LIKENESS", 1.0)
    monkeypatch.setattr(session_module.OrthogonalFeatures, "extract", stop)
    session = Session(options(aligned_bundle))
    session.open(a_volume(a_head((48, 48, 48))[0]))
    with pytest.warns(DiffusionSegWarning, match="hardly looks like"), pytest.raises(InTheMiddleError):
        session.extract()
    assert len(session.doubts) == 1


def test_a_scan_whose_intensities_were_shifted_below_zero_is_told_of(tiny_bundle):
    image, labels = a_head()
    session = Session(options(tiny_bundle))
    with pytest.warns(DiffusionSegWarning, match="intensities below zero"):
        session.open(a_volume(image - image[labels > 0].mean()))
    assert len(session.doubts) == 1
    session.open(a_volume(image))
    assert session.doubts == []
