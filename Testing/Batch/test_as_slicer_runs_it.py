"""The command line that Slicer builds from the XML, on files that Slicer writes and reads.

Slicer's own builder of command lines is compiled into the desktop application: its rules are written out here.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from Batch.conftest import BATCH, SHAPE
from conftest import a_head, an_affine, an_oblique_rotation

slicer = pytest.importorskip("slicer", reason="files are written and read by slicer-core")

from DiffusionSegCore.voxel_geometry import VoxelGeometry  # noqa: E402
from Module.mrml import a_volume_node  # noqa: E402

DESCRIPTION = ET.parse(BATCH / "DiffusionSegBatch.xml").getroot()
PARAMETERS = [
    element for group in DESCRIPTION.iter("parameters") for element in group if element.find("name") is not None
]


def command_line(values):
    """A flag and value for each parameter that has one; booleans are a flag alone; nothing for what is empty."""
    found = []
    for parameter in PARAMETERS:
        value = values.get(parameter.findtext("name"), parameter.findtext("default") or "")
        if parameter.tag == "boolean":
            found += [f"--{parameter.findtext('longflag')}"] if value == "true" else []
        elif value:
            found += [f"--{parameter.findtext('longflag')}", str(value)]
    return found


def parser():
    return runpy.run_path(str(BATCH / "DiffusionSegBatch.py"))["_parser"]()


def options():
    return {action.dest: action for action in parser()._actions if action.option_strings and action.dest != "help"}


def test_the_description_and_the_script_name_the_same_parameters():
    assert {parameter.findtext("longflag") for parameter in PARAMETERS} == set(options())
    assert all(parameter.findtext("name") == parameter.findtext("longflag") for parameter in PARAMETERS)


def test_the_example_in_the_documents_names_the_module_and_parameters_of_it():
    text = (BATCH.parent / "docs" / "batch.md").read_text(encoding="utf-8")
    documented = set(re.findall(r'"(\w+)": ', text))
    assert {"segmenter", "inputVolume"} <= documented <= {parameter.findtext("name") for parameter in PARAMETERS}
    assert set(re.findall(r"slicer\.modules\.(\w+)", text)) == {"DiffusionSegBatch".lower()}


def test_defaults_and_choices_agree():
    for parameter in PARAMETERS:
        option = options()[parameter.findtext("name")]
        if parameter.tag == "string-enumeration":
            assert tuple(element.text for element in parameter.findall("element")) == tuple(option.choices)
            assert parameter.findtext("default") == option.default
        elif parameter.tag == "boolean":
            assert (parameter.findtext("default"), option.default) == ("false", False)


def test_every_parameter_is_explained():
    assert DESCRIPTION.tag == "executable"
    assert DESCRIPTION.findtext("title") == "DiffusionSeg Batch"
    for parameter in PARAMETERS:
        assert parameter.findtext("label")
        assert parameter.findtext("description")
        if parameter.tag in {"image", "file", "directory"}:
            assert parameter.findtext("channel") in {"input", "output"}


def test_outputs_are_written_beside_the_input_they_refer_to():
    names = {parameter.findtext("name") for parameter in PARAMETERS}
    assert {parameter.get("reference") for parameter in PARAMETERS} <= names | {None}


def read(scene, path, kind):
    node, storage = scene.AddNewNodeByClass(kind), scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    return node


def test_a_volume_of_the_scene_comes_back_as_a_labelmap(segmenter, tiny_bundle, tmp_path):
    scene = slicer.vtkMRMLScene()
    image, labels = a_head(SHAPE)
    volume = a_volume_node(scene, image, an_affine(an_oblique_rotation(), (1.0, 1.0, 1.0)))
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(tmp_path / "input.nrrd"))
    assert storage.WriteData(volume)
    values = {
        "segmenter": segmenter,
        "inputVolume": tmp_path / "input.nrrd",
        "outputLabelmap": tmp_path / "labels.nrrd",
        "outputUncertainty": tmp_path / "uncertainty.nrrd",
        "device": "cpu",
        "bundle": tiny_bundle.folder,
    }
    command = [sys.executable, str(BATCH / "DiffusionSegBatch.py"), *command_line(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    labelmap = read(scene, tmp_path / "labels.nrrd", "vtkMRMLLabelMapVolumeNode")
    uncertainty = read(scene, tmp_path / "uncertainty.nrrd", "vtkMRMLScalarVolumeNode")
    assert np.mean(slicer.util.arrayFromVolume(labelmap).transpose(2, 1, 0) == labels) > 0.9
    for node in (labelmap, uncertainty):
        assert VoxelGeometry.of(node).matches(VoxelGeometry.of(volume))
