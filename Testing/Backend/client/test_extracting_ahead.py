"""A real worker that was asked to extract before anything was painted computes nothing of it again."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import a_head
from painted_head import a_client, open_parameters, painting, volume

from DiffusionSegLib.configuration import to_json
from DiffusionSegLib.template import Template

COMPUTED = {"preparation", "alignment", "features", "saving"}


@pytest.fixture
def aligned_bundle(tiny_bundle, tmp_path):
    """The tiny bundle with a template, in which positions are features."""
    folder = tmp_path / "aligned"
    shutil.copytree(tiny_bundle.folder, folder)
    Template(np.clip(a_head((24, 24, 24))[0] / 1000, 0, 1), 2.0).save(folder / "template.nii.gz")
    features = replace(tiny_bundle.config.features, coordinates="template")
    config = replace(tiny_bundle.config, features=features)
    (folder / "config.json").write_text(json.dumps(to_json(config)))
    return replace(tiny_bundle, folder=folder, config=config)


def stages_of(client, method: str) -> set[str]:
    told: list[str] = []
    client.call(method, {}, on_progress=lambda stage, _done, _total: told.append(stage))
    return set(told)


def test_neither_the_alignment_nor_the_features_are_computed_again(aligned_bundle, tmp_path):
    with a_client() as client:
        client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        assert stages_of(client, "extract") == COMPUTED
        client.call("annotate", *painting())
        trained = stages_of(client, "train")
        assert "training" in trained
        assert not trained & COMPUTED
        assert not stages_of(client, "predict") & COMPUTED


def test_another_worker_takes_them_from_the_session_folder(aligned_bundle, tmp_path):
    with a_client() as client:
        client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        client.call("extract", {})
    with a_client() as client:
        answer, _ = client.call("open", open_parameters(aligned_bundle, tmp_path / "session"), volume())
        assert answer["features_cached"]
        assert not stages_of(client, "extract")
