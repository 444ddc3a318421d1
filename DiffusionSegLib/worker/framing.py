"""Messages on a pipe: a Content-Length header, JSON, then the raw bytes of the arrays that the JSON announces."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import RawIOBase
from typing import IO, Any, cast

import numpy as np

from DiffusionSegLib.errors import DiffusionSegError

PREFIX = b"Content-Length: "
END_OF_HEADER = b"\r\n\r\n"
MOST_DIGITS = 12
LARGEST_JSON = 64 * 2**20
LARGEST_ARRAYS = 8 * 2**30
CHUNK = 2**16
# All the kinds of numbers that a message may carry, little-endian.
DTYPES = ("|u1", "|i1", "|b1", "<u2", "<i2", "<u4", "<i4", "<i8", "<f2", "<f4", "<f8")


class FramingError(DiffusionSegError):
    """What came out of the pipe is no message; nothing that follows can be understood either."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A message.

    Args:
        message: a JSON object.
        arrays: what is sent along, by name.
    """

    message: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class FrameReader:
    """Reads one frame after the other.

    Args:
        stream: an unbuffered binary stream; reading from it waits for the next bytes.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = cast("RawIOBase", stream)
        self._buffer = bytearray()
        self.bytes_received = 0

    def read(self) -> Frame | None:
        """The next frame, or None where the stream ends between two.

        Raises:
            FramingError: if what comes is no frame, ends within one or announces more than any frame may hold.
        """
        length = self._header()
        if length is None:
            return None
        if length > LARGEST_JSON:
            raise _no_message(f"it announces {length / 1e9:.1f} GB")
        try:
            message = json.loads(bytes(self._exactly(length)))
        except ValueError as error:
            raise _no_message("its content is no JSON") from error
        if not isinstance(message, dict):
            raise _no_message("its content is no JSON object")
        return Frame(message, self._arrays(message.pop("attachments", [])))

    def _header(self) -> int | None:
        """The announced length; the very first byte that belongs to no header is an error, not waited out."""
        if not self._buffer and not self._fill():
            return None
        digits = b""
        for expected in PREFIX:
            if self._exactly(1, keep=True)[0] != expected:
                raise _no_message(f"it reads {bytes(self._buffer[:80])!r}")
            del self._buffer[:1]
        while not digits.endswith(END_OF_HEADER):
            digits += bytes(self._exactly(1))
            if not digits[:1].isdigit() or len(digits) > MOST_DIGITS + len(END_OF_HEADER):
                raise _no_message(f"its length reads {digits!r}")
        try:
            return int(digits)
        except ValueError as error:
            raise _no_message(f"its length reads {digits!r}") from error

    def _arrays(self, attachments: Any) -> dict[str, np.ndarray]:
        try:
            plans = [(str(item["name"]), str(item["dtype"]), tuple(item["shape"])) for item in attachments]
            wrong = [dtype for _, dtype, _ in plans if dtype not in DTYPES]
            sizes = [size for _, _, shape in plans for size in shape]
            if wrong or any(type(size) is not int or size < 0 for size in sizes):
                raise ValueError(f"{wrong} {sizes}")
        except (TypeError, KeyError, ValueError) as error:
            raise _no_message("it describes no arrays") from error
        total = sum(math.prod(shape) * np.dtype(dtype).itemsize for _, dtype, shape in plans)
        if total > LARGEST_ARRAYS:
            raise _no_message(f"its arrays would take {total / 1e9:.1f} GB")
        found = {}
        for name, dtype, shape in plans:
            array = np.empty(shape, dtype)
            if array.size:
                self._read_into(array.data.cast("B"))
            found[name] = array
        return found

    def _exactly(self, count: int, *, keep: bool = False) -> bytearray:
        while len(self._buffer) < count:
            if not self._fill():
                raise _no_message("it ends too early")
        found = self._buffer[:count]
        if not keep:
            del self._buffer[:count]
        return found

    def _read_into(self, target: memoryview) -> None:
        buffered = self._buffer[: len(target)]
        target[: len(buffered)] = buffered
        del self._buffer[: len(buffered)]
        done = len(buffered)
        while done < len(target):
            count = self._stream.readinto(target[done:])
            if not count:
                raise _no_message("it ends too early")
            self.bytes_received += count
            done += count

    def _fill(self) -> bool:
        """Wait for more bytes; False at the end of the stream."""
        more = self._stream.read(CHUNK) or b""
        self._buffer += more
        self.bytes_received += len(more)
        return bool(more)


class FrameWriter:
    """Writes frames, whole ones whichever thread they come from.

    Args:
        stream: an unbuffered binary stream.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = cast("RawIOBase", stream)
        self._lock = threading.Lock()

    def write(self, frame: Frame) -> None:
        """Write a frame; waits while the other side does not read.

        Raises:
            OSError: if the other side is gone.
            TypeError: if an array is of a kind that cannot be sent.
        """
        arrays = {name: little_endian(array) for name, array in frame.arrays.items()}
        for name, array in arrays.items():
            if array.dtype.str not in DTYPES:
                raise TypeError(f"the array {name} of {array.dtype} cannot be sent")
        attachments = [
            {"name": name, "dtype": array.dtype.str, "shape": list(array.shape)} for name, array in arrays.items()
        ]
        content = json.dumps({**frame.message, **({"attachments": attachments} if attachments else {})}).encode()
        with self._lock:
            self._write(memoryview(PREFIX + str(len(content)).encode() + END_OF_HEADER + content))
            for array in arrays.values():
                if array.size:
                    self._write(array.data.cast("B"))

    def _write(self, data: memoryview) -> None:
        while data:
            data = data[self._stream.write(data) or 0 :]


def little_endian(array: np.ndarray) -> np.ndarray:
    """The array as it goes over the pipe: contiguous, little-endian; the array itself if it is so already."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def copied(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays that no longer change when their owners do."""
    return {name: np.array(array, dtype=array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}


def _no_message(why: str) -> FramingError:
    return FramingError(
        f"What came over the pipe is no message: {why}.",
        "If the worker runs on another computer, its shell must print nothing at login.",
    )
