"""Whether the compressed voxels in a scan's file are as they were written.

Readers stop at the last byte that they need, before the checksum that follows, and some go on after an error.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

GZIP_ENDINGS = (".nii.gz", ".mgz")
NRRD_ENDINGS = (".nrrd", ".nhdr")
META_IMAGE_ENDINGS = (".mha", ".mhd")
META_IMAGE_BYTES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}
# Pieces, so that a scan is not held in memory once more.
PIECE_BYTES = 2**20
# How zlib is told to find out by itself whether the header is its own or that of gzip.
ANY_HEADER = zlib.MAX_WBITS + 32


def check_compressed(path: Path) -> None:
    """Decompress a scan's voxels to their end, where their checksum is.

    Of what is not compressed only a MetaImage's length is looked at.

    Raises:
        OSError, EOFError, ValueError, KeyError, zlib.error: if they are damaged, incomplete or missing.
    """
    name = path.name.lower()
    with path.open("rb") as file:
        if name.endswith(GZIP_ENDINGS):
            _check_gzip(file)
        elif name.endswith(NRRD_ENDINGS):
            _check_nrrd(file, path.parent)
        elif name.endswith(META_IMAGE_ENDINGS):
            _check_meta_image(file, path.parent)


def _check_nrrd(file: BinaryIO, folder: Path) -> None:
    said: dict[str, str] = {}
    while not said.get("data file", "").startswith("LIST") and (line := _line(file)):
        key, _, value = line.partition(": ")
        said["data file" if key.lower() == "datafile" else key.lower()] = value.strip()
    if said.get("encoding", "").lower() not in {"gzip", "gz"}:
        return
    check = partial(_check_gzip, lines_before=int(said.get("line skip", 0)))
    if "data file" in said:
        _check_files(check, folder, said["data file"], file)
    else:
        check(file)


def _check_meta_image(file: BinaryIO, folder: Path) -> None:
    said: dict[str, str] = {}
    while "ElementDataFile" not in said and (line := _line(file)):
        key, _, value = line.partition("=")
        said[key.strip()] = value.strip()
    compressed, place = said.get("CompressedData", "").lower() == "true", said["ElementDataFile"]
    if not compressed and (said.get("BinaryData", "").lower() != "true" or len(place.split()) > 1 or place == "LIST"):
        return
    check = _check_zlib if compressed else partial(_check_length, wanted=_voxel_bytes(said))
    if place.lower() == "local":
        check(file)
    else:
        _check_files(check, folder, place, file)


def _voxel_bytes(said: Mapping[str, str]) -> int:
    """How many bytes the voxels of a MetaImage take at least; 0 where that is not known."""
    of_value = META_IMAGE_BYTES.get(said.get("ElementType", ""), 0)
    sizes = [int(size) for size in said["DimSize"].split()]
    return math.prod(sizes) * int(said.get("ElementNumberOfChannels", 1)) * of_value


def _check_files(check: Callable[[BinaryIO], None], folder: Path, place: str, header: BinaryIO) -> None:
    """Check the voxels beside a header, which has been read up to where it may list their files."""
    for name in _names(place, header):
        with (folder / name).open("rb") as file:
            check(file)


def _names(place: str, header: BinaryIO) -> Sequence[str]:
    if place.startswith("LIST"):
        return [line.decode("utf-8").strip() for line in header if line.strip()]
    pattern, *numbers = place.split()
    if "%" in pattern and numbers:
        first, last, step = (int(number) for number in numbers[:3])
        return [pattern % number for number in range(first, last + 1, step)]
    return [place]


def _check_gzip(file: BinaryIO, lines_before: int = 0) -> None:
    for _ in range(lines_before):
        file.readline()
    with gzip.GzipFile(fileobj=file) as unpacked:
        while unpacked.read(PIECE_BYTES):
            pass


def _check_zlib(file: BinaryIO) -> None:
    unpacking = zlib.decompressobj(ANY_HEADER)
    while not unpacking.eof:
        packed = unpacking.unconsumed_tail or file.read(PIECE_BYTES)
        if not packed:
            raise EOFError("the compressed voxels end too early")
        unpacking.decompress(packed, PIECE_BYTES)


def _check_length(file: BinaryIO, wanted: int) -> None:
    # The library that reads them prints a line of its own beside the error that it raises.
    start = file.tell()
    if file.seek(0, os.SEEK_END) - start < wanted:
        raise EOFError("the voxels end too early")


def _line(file: BinaryIO) -> str:
    # Names of segments may be in any encoding; what is looked for is plain.
    return file.readline().decode("utf-8", errors="replace").rstrip("\r\n")
