"""Phantoms among Slicer's sample data."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
import slicer
from DiffusionSegCore import COMPLETE, sample_data
from DiffusionSegCore.phantom import LABELS, phantom
from Module.mrml import masks_by_name


class FakeSampleDataLogic:
    """Keeps what is registered as Slicer's class does, and refuses what that refuses."""

    sources = []  # noqa: RUF012 - as there, all share one list

    @classmethod
    def sampleDataSourcesByCategory(cls, category):  # noqa: N802
        return [source for source in cls.sources if source.category == category]

    @classmethod
    def registerCustomSampleDataSource(cls, **given):  # noqa: N802
        assert len(given["uris"]) == len(given["fileNames"]) == len(given["nodeNames"])
        cls.sources.append(
            type("Source", (), {key: staticmethod(value) if callable(value) else value for key, value in given.items()})
        )


@pytest.fixture
def sources(scene, monkeypatch):
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(slicer.util, "setSliceViewerLayers", Mock())
    monkeypatch.setattr(FakeSampleDataLogic, "sources", [])
    sample_data.register(FakeSampleDataLogic, "Phantom.png")
    return {source.sampleName: source for source in FakeSampleDataLogic.sources}


def test_phantoms_are_offered_once_and_nothing_is_downloaded(sources):
    sample_data.register(FakeSampleDataLogic, "Phantom.png")
    assert [source.sampleName for source in FakeSampleDataLogic.sources] == ["Phantom", "Painted phantom"]
    assert all(source.uris == [] for source in sources.values())


def test_a_phantom_is_loaded(sources, scene):
    sources["Phantom"].customDownloader(sources["Phantom"])
    node = scene.GetFirstNodeByName("Phantom")
    assert node.GetImageData().GetDimensions() == sample_data.SHAPE


def test_a_painted_phantom_can_be_trained_on_at_once(sources, scene, engine):
    sources["Painted phantom"].customDownloader(sources["Painted phantom"])
    assert [found.state for found in engine.annotation_slices()] == [COMPLETE] * 9
    assert engine.roi is not None
    volume = engine.nodes.volume().first
    seeds = engine.seeds
    engine.set_input([volume])
    assert engine.seeds is seeds
    masks = masks_by_name(seeds, volume)
    assert list(masks) == [label.name for label in LABELS]
    assert all(mask.any() for mask in masks.values())
    engine.finish_training(engine.start_training())
    engine.finish_prediction(engine.start_prediction())


def test_a_painted_phantom_leaves_the_task_at_hand_alone(sources, predicted_engine, scene, volume):
    seeds, preview, extent = predicted_engine.seeds, predicted_engine.preview, predicted_engine.findings.extent
    sources["Painted phantom"].customDownloader(sources["Painted phantom"])
    assert predicted_engine.nodes.volume().first is volume
    assert (predicted_engine.seeds, predicted_engine.preview) == (seeds, preview)
    assert predicted_engine.findings.extent == extent
    assert seeds.GetDisplayVisibility()
    assert preview.GetDisplayVisibility()
    predicted_engine.set_input([scene.GetFirstNodeByName("PaintedPhantom")])
    assert [found.state for found in predicted_engine.annotation_slices()] == [COMPLETE] * 9


def test_phantoms_are_the_same_every_time_and_move_for_another_patient():
    first, again, other = phantom((30, 28, 26)), phantom((30, 28, 26)), phantom((30, 28, 26), shift=0.1)
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[1], other[1])
    assert set(np.unique(first[1])) == {0, *(label.value for label in LABELS)}
    assert not first[0][first[1] == 0].any()
