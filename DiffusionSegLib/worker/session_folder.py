"""Work that survives the worker: features, annotation and segmenter of each scan, found again by content."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from DiffusionSegLib.atomic_file import UNFINISHED, atomic_path, disk_error
from DiffusionSegLib.configuration import from_json, to_json
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features import features_file
from DiffusionSegLib.features.activations import ViewActivations
from DiffusionSegLib.features.feature_config import FeatureConfig
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.progress import Progress, silent
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.worker.parameters import AnnotateParameters

OF_SCAN = re.compile("scan-[0-9a-f]{24}-[0-9a-f]{8}")
ANNOTATION, SEGMENTER = "annotation.safetensors", "segmenter.safetensors"
# What a killed process left half-written is nobody's any more after an hour.
UNFINISHED_SECONDS = 3600


@dataclass(frozen=True)
class SessionFolder:
    """The place for all scans' work.

    Args:
        root: a folder; what else lies in it is left alone.
        limit: bytes that it may hold. Features of the scans that were open the longest time ago go first.
    """

    root: Path
    limit: int

    def scan(self, volume_digest: str, bundle_digest: str) -> ScanFolder:
        """The place for a scan's work with a bundle; from now on it counts as the last one used."""
        bundle = hashlib.sha256(bundle_digest.encode()).hexdigest()
        folder = self.root / f"scan-{volume_digest[:24]}-{bundle[:8]}"
        with _told(self.root):
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
        return ScanFolder(folder, self)

    def forget(self) -> int:
        """Delete all scans' work; returns the bytes that became free."""
        before = self.size()
        for scan in self._scans():
            shutil.rmtree(scan, ignore_errors=True)
        return before - self.size()

    def size(self) -> int:
        """Bytes that all scans' work takes."""
        return sum(_bytes_below(scan) for scan in self._scans())

    def make_room(self, wanted: int, keep: Path) -> None:
        """Delete old work until so many bytes more fit; that of the scan in `keep` stays.

        Raises:
            DiffusionSegError: if they do not fit even so.
        """
        with _told(self.root):
            for scan in self._scans():
                _delete_unfinished(scan)
        least = _bytes_below(keep) + wanted
        if least > self.limit:
            # Told before the work on other scans is deleted for nothing.
            message = f"The folder for computed work may hold {self.limit / 1e9:.1f} GB, which is too little."
            hint = f"Set Keep at most, under Advanced, to {math.ceil(least / 1e9)} GB or more."
            raise DiffusionSegError(message, hint)
        others = [scan for scan in self._scans() if scan != keep]
        for delete in (features_file.delete_others, _delete_all):
            for scan in others:
                if self.size() + wanted <= self.limit:
                    return
                delete(scan)

    def _scans(self) -> list[Path]:
        """The scans' folders, the one used the longest time ago first."""
        found = []
        for path in self.root.glob("scan-*"):
            # Another process may have just deleted it.
            with suppress(FileNotFoundError):
                if OF_SCAN.fullmatch(path.name) and path.is_dir():
                    found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found)]


@dataclass(frozen=True)
class ScanFolder:
    """The place for the work on one scan with one bundle. Every file in it appears complete or not at all."""

    folder: Path
    whole: SessionFolder

    def save_features(self, features: OrthogonalFeatures, progress: Progress = silent) -> None:
        """Keep features.

        Raises:
            DiffusionSegError: if the disk, or what the whole folder may hold, does not suffice.
        """
        with _told(self.folder):
            features_file.delete_others(self.folder, features.config)
            self.whole.make_room(features_file.missing_bytes(self.folder, features), self.folder)
            features_file.save_features(self.folder, features, progress)

    def save_view(self, config: FeatureConfig, number: int, view: ViewActivations) -> None:
        """Keep a view of features that are still being computed, but never in place of whole ones.

        Raises:
            DiffusionSegError: if the disk, or what the whole folder may hold, does not suffice.
        """
        if self.holds_features:
            return
        with _told(self.folder):
            features_file.delete_others(self.folder, config)
            # Work on other scans is not deleted for views of which the last one will not fit.
            still_to_come = len(config.views) - number
            self.whole.make_room(still_to_come * view.bytes, self.folder)
            features_file.save_view(self.folder, config, number, view)

    def load_view(self, config: FeatureConfig, number: int) -> ViewActivations | None:
        """A view of such features that was kept; None if there is none."""
        return features_file.load_view(self.folder, config, number)

    @property
    def holds_features(self) -> bool:
        """Whether features were kept to the end."""
        return (self.folder / features_file.COMMON).exists()

    def load_features(self) -> OrthogonalFeatures | None:
        """The features that were kept, if there are any."""
        return features_file.load_features(self.folder)

    def save_annotation(self, painted: np.ndarray, parameters: AnnotateParameters) -> None:
        """Keep a painted label map (I, J, K) and what it means.

        Raises:
            DiffusionSegError: if the disk is full or cannot be written to.
        """
        places = np.flatnonzero(painted)
        tensors: dict[str, np.ndarray] = {"places": places, "values": painted.ravel()[places].astype(np.uint16)}
        metadata = {"shape": json.dumps(painted.shape), "parameters": json.dumps(to_json(parameters))}
        with _told(self.folder), atomic_path(self.folder / ANNOTATION) as part:
            save_file(tensors, part, metadata=metadata)

    def load_annotation(self) -> tuple[np.ndarray, AnnotateParameters] | None:
        """The painted label map and what it means, if they were kept."""
        try:
            with safe_open(self.folder / ANNOTATION, framework="numpy") as file:
                metadata = file.metadata()
                painted = np.zeros(json.loads(metadata["shape"]), np.uint16)
                painted.ravel()[file.get_tensor("places")] = file.get_tensor("values")
            return painted, from_json(AnnotateParameters, json.loads(metadata["parameters"]))
        except (OSError, SafetensorError, KeyError, ValueError, IndexError, TypeError, DiffusionSegError):
            return None

    def save_segmenter(self, segmenter: Segmenter) -> None:
        """Keep the segmenter.

        Raises:
            DiffusionSegError: if the disk is full or cannot be written to.
        """
        segmenter.save(self.folder / SEGMENTER)

    def load_segmenter(self) -> Segmenter | None:
        """The segmenter that was kept, if there is one."""
        try:
            return Segmenter.load(self.folder / SEGMENTER)
        except DiffusionSegError:
            return None


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(error, folder) from error


def _bytes_below(folder: Path) -> int:
    total = 0
    # Unlike `rglob`, this passes over folders that another process has just deleted.
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118
    return total


def _delete_all(scan: Path) -> None:
    shutil.rmtree(scan, ignore_errors=True)


def _delete_unfinished(scan: Path) -> None:
    for path in scan.glob(f"{UNFINISHED}*"):
        # The process that writes it may have just finished.
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
