"""The self-test: from painting a phantom to segmenting the next one, with the real worker."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import slicer

SHAPE = (40, 36, 32)
STRIDE_MM = 5.0
LEAST_DICE = 0.8
WRITE_TINY_BUNDLE = (
    "import sys; from pathlib import Path; from DiffusionSegLib.bundles.tiny import write_tiny_bundle; "
    "write_tiny_bundle(Path(sys.argv[1]))"
)


class WholeStory:
    """Tests to be mixed into the module's test case; they need no window.

    Those that compute are skipped where there is no PyTorch.
    """

    @property
    def scene(self) -> slicer.vtkMRMLScene:
        """The scene that is worked on; all of it is deleted."""
        return slicer.mrmlScene

    def setUp(self) -> None:
        """Start with a phantom in an empty scene."""
        from DiffusionSegWidgets.backend import make_backend_importable

        make_backend_importable()
        from DiffusionSegCore import DiffusionSegEngine
        from DiffusionSegCore.phantom import phantom
        from DiffusionSegCore.sample_data import add_phantom

        self.scene.Clear(False)
        self.folder = Path(tempfile.mkdtemp(prefix="DiffusionSegTest-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.engine = DiffusionSegEngine(self.scene, self.new_client, str(self.folder / "work"))
        self.addCleanup(self.engine.close)
        image, self.labels = phantom(SHAPE)
        self.volume = add_phantom(self.scene, image)
        self.engine.set_input([self.volume])

    def new_client(self) -> Any:
        """The client of a new worker in Slicer's Python."""
        from DiffusionSegWidgets.backend import worker_command, worker_environment

        from DiffusionSegLib.client import WorkerClient

        return WorkerClient(command=worker_command(""), environment=worker_environment(""))

    def test_nine_slices_are_proposed_painted_and_complete(self) -> None:
        """Painting needs no PyTorch."""
        assert len(self.engine.propose_slices(stride=STRIDE_MM)) == 9
        assert {found.state for found in self.engine.annotation_slices()} == {"to paint"}
        self._paint()
        assert {found.state for found in self.engine.annotation_slices()} == {"complete"}
        assert self.engine.roi is not None

    def test_the_whole_story(self) -> None:
        """Paint, train, preview, segment, apply, undo, save, reload, next patient."""
        from DiffusionSegCore.phantom import phantom
        from DiffusionSegCore.sample_data import add_phantom

        self._write_bundle()
        self._paint()
        engine = self.engine
        assert engine.finish_training(engine.start_training())["voxels"] > 0
        middle = SHAPE[2] // 2
        engine.finish_preview(engine.start_preview([(2, middle)]))
        self._check(self._found(engine.preview)[:, :, middle], self.labels[:, :, middle])
        engine.finish_prediction(engine.start_prediction())
        self._check(self._found(engine.preview), self.labels)
        assert slicer.util.arrayFromVolume(engine.uncertainty_volume).max() > 0
        assert engine.next_slices(3)
        self._check(self._found(engine.apply_preview()), self.labels)
        engine.undo_apply()
        assert not self._found(engine.result).any()
        result = self._found(engine.apply_preview())
        engine.save_segmenter(self.folder / "kept.safetensors")

        assert self.scene.WriteToMRB(str(self.folder / "story.mrb"))
        self.scene.Clear(False)
        assert self.scene.ReadFromMRB(str(self.folder / "story.mrb"), True)
        assert np.array_equal(self._found(engine.result), result)
        assert {found.state for found in engine.annotation_slices()} == {"complete"}

        self.scene.Clear(False)
        engine.settings.bundle, engine.settings.device = str(self.folder / "bundle"), "cpu"
        image, labels = phantom(SHAPE, shift=0.1)
        other = add_phantom(self.scene, image, "NextPatient")
        engine.load_segmenter(self.folder / "kept.safetensors")
        self._check(self._found(engine.finish_applying(engine.start_applying(other)), other), labels)

    def _write_bundle(self) -> None:
        """A model that computes in seconds, written by the Python that has PyTorch."""
        from DiffusionSegWidgets.backend import python_command, worker_environment

        command = [*python_command(), "-c", WRITE_TINY_BUNDLE, str(self.folder / "bundle")]
        done = subprocess.run(command, env=worker_environment(""), capture_output=True, text=True, check=False)  # noqa: S603
        if "No module named 'torch'" in done.stderr:
            self.skipTest("PyTorch is not installed.")
        assert done.returncode == 0, done.stderr
        self.engine.settings.bundle, self.engine.settings.device = str(self.folder / "bundle"), "cpu"

    def _paint(self) -> None:
        from DiffusionSegCore.sample_data import paint_phantom

        paint_phantom(self.engine, self.labels, STRIDE_MM)

    def _found(self, segmentation: Any, volume: Any = None) -> np.ndarray:
        from DiffusionSegCore.segment_voxels import painted_labels

        return painted_labels(segmentation, volume or self.engine.nodes.volume().first)

    def _check(self, found: np.ndarray, expected: np.ndarray) -> None:
        from DiffusionSegCore.phantom import LABELS

        for label in LABELS:
            first, second = found == label.value, expected == label.value
            dice = 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))
            assert dice > LEAST_DICE, label.name
