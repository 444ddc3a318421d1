"""The files of a painted scan, and what it teaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from DiffusionSegLib.annotation_files import description_of, read_annotation
from DiffusionSegLib.commands.terminal_messages import warnings_on_one_line
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.reading import read_volume
from DiffusionSegLib.scan_memory import warn_of_memory
from DiffusionSegLib.volume import Volume

if TYPE_CHECKING:
    from DiffusionSegLib.annotation import Annotation
    from DiffusionSegLib.segmenter.lesson import Lesson
    from DiffusionSegLib.session import Session


@dataclass(frozen=True)
class PaintedScan:
    """A scan and its painting on the disk.

    Args:
        volumes: the scan's channels.
        labels: the label map, with its JSON file beside it.
    """

    volumes: tuple[Path, ...]
    labels: Path

    @classmethod
    def of_files(cls, files: Sequence[Path]) -> PaintedScan:
        """The scan whose last file is the label map.

        Raises:
            DiffusionSegError: if there are too few.
        """
        if len(files) < 2:
            message = f"{files[0]} alone is no painted scan."
            raise DiffusionSegError(message, "Give the volume, or its channels, and then the label map.")
        return cls(tuple(files[:-1]), files[-1])

    @property
    def files(self) -> list[Path]:
        """All that is read."""
        return [*self.volumes, self.labels, description_of(self.labels)]

    def volume(self) -> Volume:
        """The scan."""
        return Volume.stack([read_volume(path) for path in self.volumes])

    def annotation(self) -> Annotation:
        """What is painted."""
        return read_annotation(self.labels)

    def check_channels(self, wanted: int) -> None:
        """Raise a DiffusionSegError unless the scan has so many channels."""
        if len(self.volumes) != wanted:
            message = f"{self.labels}: its scan has {len(self.volumes)} channels, the scan to segment has {wanted}."
            raise DiffusionSegError(message, "Give the same channels of each, in the same order.")

    def lesson(self, session: Session) -> Lesson:
        """What the scan teaches, for which it is opened; what is told of it names its label map.

        Raises:
            DiffusionSegError: if it cannot be learnt from.
        """
        try:
            with warnings_on_one_line(self.labels):
                annotation, volume = self.annotation(), self.volume()
                session.open(volume)
                warn_of_memory(session, volume)
                session.annotate(annotation)
                return session.lesson()
        except DiffusionSegError as error:
            raise DiffusionSegError(f"{self.labels}: {error.message}", error.hint) from error
