"""What the worker can be asked to do: the methods of the protocol over one `Session`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from DiffusionSegLib import __version__
from DiffusionSegLib.annotation import Annotation
from DiffusionSegLib.bundles.description import BundleDescription, bundled_descriptions
from DiffusionSegLib.configuration import from_json, to_json
from DiffusionSegLib.devices import available_gpu_memory, choose_device, gpu_problem
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features.features_memory import FeaturesMemory
from DiffusionSegLib.features.orthogonal import OrthogonalFeatures
from DiffusionSegLib.free_memory import available_memory
from DiffusionSegLib.grid import Grid
from DiffusionSegLib.scan_estimate import estimate
from DiffusionSegLib.segmenter.lesson import Lesson
from DiffusionSegLib.segmenter.segmenter import Segmenter
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.suggestion import suggest_slices
from DiffusionSegLib.volume import Volume
from DiffusionSegLib.worker import parameters as given
from DiffusionSegLib.worker.kept_views import ViewsInFolder
from DiffusionSegLib.worker.protocol import PROTOCOL
from DiffusionSegLib.worker.session_folder import ScanFolder, SessionFolder

Json = dict[str, Any]
Arrays = dict[str, np.ndarray]
Parameters = TypeVar("Parameters")


class Reporter(Protocol):
    """Whoever wants to know how the work goes, and may stop it by raising."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def curve(self, step: int, loss: float, held_out: float | None) -> None: ...

    def warn(self, message: str, hint: str = "") -> None: ...

    def check_stopped(self) -> None: ...


class Methods:
    """The methods, by name in `table`; each takes a JSON object and arrays, and returns the same.

    Args:
        reporter: told how the work goes; a call that it stops leaves everything usable.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._session: Session | None = None
        self._grid: Grid | None = None
        self._digest = ""
        self._kept: ScanFolder | None = None
        self._features_kept: OrthogonalFeatures | None = None
        self._memory = FeaturesMemory(0)
        self._annotation: Annotation | None = None
        self._segmenter: Segmenter | None = None
        self._lessons: dict[str, Lesson] = {}
        self._uncertainty: np.ndarray | None = None
        self.table: Mapping[str, Callable[[Json, Arrays], tuple[Json, Arrays]]] = {
            "hello": _method(given.NoParameters, self._hello),
            "describe": _method(given.PathParameters, self._describe),
            "estimate": _method(given.EstimateParameters, self._estimate),
            "open": _method(given.OpenParameters, self._open),
            "extract": _method(given.NoParameters, self._extract),
            "annotate": _method(given.AnnotateParameters, self._annotate),
            "lesson": _method(given.LessonParameters, self._lesson),
            "train": _method(given.TrainParameters, self._train),
            "preview": _method(given.PreviewParameters, self._preview),
            "predict": _method(given.CleanUpParameters, self._predict),
            "suggest": _method(given.SuggestParameters, self._suggest),
            "save_segmenter": _method(given.CleanUpParameters, self._save_segmenter),
            "load_segmenter": _method(given.NoParameters, self._load_segmenter),
            "forget": _method(given.PathParameters, self._forget),
        }

    def _hello(self, _: given.NoParameters, __: Arrays) -> tuple[Json, Arrays]:
        bundles = [to_json(bundle) for bundle in bundled_descriptions()]
        device = str(choose_device("auto"))
        answer = {"version": __version__, "protocol": PROTOCOL, "device": device, "why_no_gpu": gpu_problem()}
        return {**answer, "bundles": bundles}, {}

    def _describe(self, wanted: given.PathParameters, _: Arrays) -> tuple[Json, Arrays]:
        return to_json(BundleDescription.read(Path(wanted.path))), {}

    def _estimate(self, wanted: given.EstimateParameters, _: Arrays) -> tuple[Json, Arrays]:
        session = self._session_with(wanted.bundle, wanted.device)
        self._session = self._session or session
        grid = Grid(wanted.shape, given.as_affine(wanted.affine))
        ensemble = session.options.ensemble
        found = estimate(session.bundle, session.denoisers, grid, ensemble, channels=wanted.channels)
        available = {"available_bytes": available_memory(), "available_gpu_bytes": available_gpu_memory(session.device)}
        return {**to_json(found), **available}, {}

    def _open(self, wanted: given.OpenParameters, arrays: Arrays) -> tuple[Json, Arrays]:
        data = _array(arrays, "volume", 4).astype(np.float32, copy=False)
        first, second, third = data.shape[1:]
        volume = Volume(data, Grid((first, second, third), given.as_affine(wanted.affine)), wanted.stem)
        digest = volume.content_digest()
        session = self._session_with(wanted.bundle, wanted.device)
        opened = session is self._session and digest == self._digest
        if not opened:
            session.open(volume)
            self._annotation = self._uncertainty = None
        self._session, self._grid, self._digest = session, volume.grid, digest
        self._open_kept(wanted, session, opened=opened)
        answer = {
            "digest": digest,
            "features_cached": session.features is not None,
            "annotated": self._annotation is not None,
            "trained": self._segmenter is not None,
            "doubts": session.doubts,
        }
        return answer, {}

    def _extract(self, _: given.NoParameters, __: Arrays) -> tuple[Json, Arrays]:
        start, session = time.perf_counter(), self._opened()
        self._extracted(session)
        return {"seconds": time.perf_counter() - start, "doubts": session.doubts}, {}

    def _annotate(self, wanted: given.AnnotateParameters, arrays: Arrays) -> tuple[Json, Arrays]:
        painted = _array(arrays, "painted", 3)
        annotation = self._take_annotation(painted, wanted)
        self._keep(lambda kept: kept.save_annotation(painted, wanted))
        return {"known_voxels": 0 if annotation is None else int(np.count_nonzero(annotation.known))}, {}

    def _lesson(self, wanted: given.LessonParameters, _: Arrays) -> tuple[Json, Arrays]:
        session = self._opened()
        if self._annotation is not None:
            self._extracted(session)
        lesson = self._lessons[wanted.name] = session.lesson()
        return {"voxels": len(lesson.voxels.classes), "doubts": session.doubts}, {}

    def _train(self, wanted: given.TrainParameters, _: Arrays) -> tuple[Json, Arrays]:
        start, session = time.perf_counter(), self._opened()
        if not self._lessons.keys() >= set(wanted.beside):
            message = "What was painted on another volume is not at hand any more."
            raise DiffusionSegError(message, "Train again.")
        # What else was taught was of scans that nobody learns from any more.
        self._lessons = {name: self._lessons[name] for name in wanted.beside}
        beside = list(self._lessons.values())
        if self._annotation is not None:
            if not beside:
                self._annotation.check_learnable()
            # Kept before training, so that a crash in it does not cost them.
            self._extracted(session)
        before = self._segmenter if wanted.warm else None
        segmenter = session.train(start=before, learnt_as=wanted.labels, beside=beside)
        self._use(segmenter)
        return {
            "voxels": session.report.voxels_trained,
            "seconds": time.perf_counter() - start,
            "labels": [to_json(label) for label in segmenter.labels if label.value in segmenter.header.values],
            "doubts": session.doubts,
        }, {}

    def _preview(self, wanted: given.PreviewParameters, _: Arrays) -> tuple[Json, Arrays]:
        session = self._opened()
        arrays: Arrays = {}
        for number, found in enumerate(session.preview(wanted.slices, self._segmenter)):
            arrays[f"slice_{number}"], arrays[f"uncertainty_{number}"] = found.labelmap, found.uncertainty
        self._keep_features(session)
        return {"doubts": session.doubts}, arrays

    def _predict(self, wanted: given.CleanUpParameters, _: Arrays) -> tuple[Json, Arrays]:
        session, segmenter = self._opened(), self._segmenter
        if segmenter is not None:
            segmenter = _cleaning_up(segmenter, wanted.keep_largest)
            self._use(segmenter)
        prediction = session.predict(segmenter)
        self._keep_features(session)
        self._uncertainty = prediction.uncertainty
        found = {"labelmap": prediction.labelmap, "uncertainty": prediction.uncertainty}
        return {"doubts": session.doubts}, found

    def _suggest(self, wanted: given.SuggestParameters, _: Arrays) -> tuple[Json, Arrays]:
        session = self._opened()
        if self._uncertainty is None:
            self._uncertainty = session.predict(self._segmenter).uncertainty
            self._keep_features(session)
        painted = self._annotation.complete_slices if self._annotation else ((), (), ())
        assert self._grid is not None
        found = suggest_slices(self._uncertainty, self._grid, count=wanted.count, painted=painted)
        return {"slices": [{**to_json(one), "axis": "ijk".index(one.axis)} for one in found]}, {}

    def _save_segmenter(self, wanted: given.CleanUpParameters, _: Arrays) -> tuple[Json, Arrays]:
        if self._segmenter is None:
            raise DiffusionSegError("There is no segmenter yet.", "Train one first.")
        saved = _cleaning_up(self._segmenter, wanted.keep_largest)
        return {}, {"segmenter": np.frombuffer(saved.to_bytes(), np.uint8)}

    def _load_segmenter(self, _: given.NoParameters, arrays: Arrays) -> tuple[Json, Arrays]:
        segmenter = Segmenter.from_bytes(_array(arrays, "segmenter", 1).tobytes(), "What was loaded")
        self._use(segmenter)
        header = segmenter.header
        labels = [to_json(label) for label in header.labels]
        said = {"labels": labels, "bundle": header.bundle, "channels": header.channels}
        return {**said, "keep_largest": list(header.keep_largest)}, {}

    def _forget(self, wanted: given.PathParameters, _: Arrays) -> tuple[Json, Arrays]:
        self._features_kept = None
        self._lessons = {}
        self._memory.limit(0)
        return {"bytes": SessionFolder(Path(wanted.path), 0).forget()}, {}

    def _session_with(self, bundle: str, device: str) -> Session:
        """The session at hand if it works with these, else a new one."""
        options = SessionOptions(bundle=bundle, device=device)
        if self._session is not None and self._session.options == options:
            return self._session
        session = Session(options, progress=self._reporter.progress, curve=self._reporter.curve)
        # A batch of slices may take longer than anyone who cancels wants to wait.
        for module in session.denoisers.modules():
            module.register_forward_pre_hook(lambda *_: self._reporter.check_stopped())
        return session

    def _open_kept(self, wanted: given.OpenParameters, session: Session, *, opened: bool) -> None:
        """Take over what is kept of this scan, but not instead of what is at hand."""
        self._kept = self._features_kept = session.kept_views = None
        self._memory.limit(wanted.memory_bytes)
        at_hand = self._memory.get(self._features_key(session))
        if at_hand is not None and not opened:
            session.take_features(at_hand)
        other_bundle = self._segmenter is not None and self._segmenter.header.bundle_digest != session.bundle.digest
        if other_bundle:
            self._segmenter = None
        if wanted.session_folder is None:
            return
        try:
            whole = SessionFolder(Path(wanted.session_folder), wanted.session_bytes)
            self._kept = whole.scan(self._digest, session.bundle.digest)
            session.kept_views = ViewsInFolder(self._kept)
        except DiffusionSegError as error:
            self._reporter.warn(error.message, "What is computed is not kept for later.")
            return
        if self._segmenter is None:
            self._segmenter = self._kept.load_segmenter()
        if not opened:
            self._load_kept(self._kept, session)

    def _load_kept(self, kept: ScanFolder, session: Session) -> None:
        """Take over features, unless they are at hand, and annotation of a scan that was just opened."""
        if session.features is None:
            features = kept.load_features()
            if features is not None:
                session.take_features(features)
                self._remember(session, features)
        if kept.holds_features:
            self._features_kept = session.features
        annotation = kept.load_annotation()
        if annotation is not None:
            # One that an older version found acceptable must not keep the scan from being opened.
            with contextlib.suppress(DiffusionSegError):
                self._take_annotation(*annotation)

    def _take_annotation(self, painted: np.ndarray, wanted: given.AnnotateParameters) -> Annotation | None:
        """Take over what is painted; None if nothing is. One that cannot be used leaves none, not an earlier one."""
        session = self._opened()
        assert self._grid is not None
        session.annotate(None)
        # What is annotated counts as sure.
        self._annotation = self._uncertainty = None
        if not painted.any():
            return None
        annotation = Annotation.from_painting(
            painted.astype(np.int32),
            self._grid,
            complete_slices=wanted.complete_slices,
            background_box=wanted.background_box,
            labels=wanted.labels,
        )
        session.annotate(annotation)
        self._annotation = annotation
        return annotation

    def _use(self, segmenter: Segmenter) -> None:
        """Take a segmenter for all that follows, also after a crash."""
        changed = segmenter is not self._segmenter
        self._segmenter = segmenter
        if changed:
            self._uncertainty = None
        # One of another bundle may be loaded before its bundle is chosen, but is of no use for the scan that is open.
        if self._session is not None and segmenter.header.bundle_digest == self._session.bundle.digest:
            self._keep(lambda kept: kept.save_segmenter(segmenter))

    def _extracted(self, session: Session) -> None:
        session.extract()
        self._keep_features(session)

    def _keep_features(self, session: Session) -> None:
        features = session.features
        if features is not None and features is not self._features_kept:
            self._remember(session, features)
            self._keep(lambda kept: kept.save_features(features, self._reporter.progress))
            self._features_kept = features

    def _features_key(self, session: Session) -> str:
        return f"{self._digest} {session.bundle.digest}"

    def _remember(self, session: Session, features: OrthogonalFeatures) -> None:
        self._memory.put(self._features_key(session), features)

    def _keep(self, save: Callable[[ScanFolder], None]) -> None:
        """Save something for later; what cannot be saved must not cost the work itself."""
        if self._kept is None:
            return
        try:
            save(self._kept)
        except DiffusionSegError as error:
            self._reporter.warn(f"{error.message} Your work goes on, but is not kept for later.", error.hint)

    def _opened(self) -> Session:
        if self._session is None or self._grid is None:
            raise DiffusionSegError("No scan is open.", "Choose a volume first.")
        return self._session


def _cleaning_up(segmenter: Segmenter, keep_largest: tuple[int, ...] | None) -> Segmenter:
    """The segmenter, of which only the largest pieces of these labels are kept from now on; None for its own."""
    if keep_largest in (None, segmenter.header.keep_largest):
        return segmenter
    return replace(segmenter, header=replace(segmenter.header, keep_largest=keep_largest))


def _method(
    kind: type[Parameters], call: Callable[[Parameters, Arrays], tuple[Json, Arrays]]
) -> Callable[[Json, Arrays], tuple[Json, Arrays]]:
    return lambda params, arrays: call(from_json(kind, params), arrays)


def _array(arrays: Arrays, name: str, dimensions: int) -> np.ndarray:
    if name not in arrays or arrays[name].ndim != dimensions:
        message = f"The array {name} is missing or has not {dimensions} dimensions."
        raise DiffusionSegError(message, "Install the same version of DiffusionSeg for worker and module.")
    return arrays[name]
