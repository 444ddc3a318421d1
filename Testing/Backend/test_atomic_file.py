import errno
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from safetensors.torch import save_file

from DiffusionSegLib import atomic_file
from DiffusionSegLib.atomic_file import atomic_path
from DiffusionSegLib.errors import DiffusionSegError

NOISE = np.random.default_rng(0).integers(0, 60000, (40, 40, 40)).astype(np.uint16)


def write_image(part):
    sitk.WriteImage(sitk.GetImageFromArray(NOISE), str(part), useCompression=True)


def write_weights(part):
    save_file({"noise": torch.from_numpy(NOISE.astype(np.int32))}, part)


def write_checkpoint(part):
    torch.save(torch.from_numpy(NOISE.astype(np.int32)), part)


def write_text(part):
    part.write_text("word " * 10_000)


@contextmanager
def files_of_at_most(size):
    """As on disks that take no larger ones, or where a user may have no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("noise.nrrd", write_image, "cannot be written to"),
        ("noise.mha", write_image, "no space left"),
        ("noise.safetensors", write_weights, "no space left"),
        ("noise.pt", write_checkpoint, "cannot be written to"),
        ("noise.txt", write_text, "no space left"),
    ],
)
def test_a_file_that_is_too_large_is_told_of_whichever_library_writes_it(tmp_path, name, write, words):
    with pytest.raises(DiffusionSegError, match=words), files_of_at_most(20_000), atomic_path(tmp_path / name) as part:
        write(part)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_used_up_quota_is_told_of_like_a_full_disk(tmp_path, number):
    with pytest.raises(DiffusionSegError, match="no space left"), atomic_path(tmp_path / "file"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), MemoryError("no memory")])
def test_errors_that_are_not_the_disks_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error), match=str(error)), atomic_path(tmp_path / "file"):
        raise error


def test_too_little_memory_while_writing_is_not_blamed_on_the_disk(tmp_path):
    message = "Exception thrown in SimpleITK WriteImage: Failed to allocate memory for image."
    with pytest.raises(RuntimeError, match="allocate"), atomic_path(tmp_path / "file"):
        raise RuntimeError(message)


@pytest.mark.parametrize("folder", [".", "new", "new/nested"])
def test_a_full_disk_keeps_no_empty_folders(tmp_path, folder):
    (tmp_path / "kept").mkdir()
    with pytest.raises(DiffusionSegError, match="no space left"), atomic_path(tmp_path / folder / "file"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_that_is_only_there_for_the_moment_is_not_named(tmp_path):
    folder = tmp_path / ".unfinished-results"
    folder.mkdir()
    with pytest.raises(DiffusionSegError) as told, atomic_path(folder / "file"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert f"the disk of {tmp_path}." in str(told.value)


def test_a_share_that_lets_nobody_change_rights_takes_the_file(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "chmod", refuse)
    with atomic_path(tmp_path / "file") as part:
        part.write_text("whole")
    assert (tmp_path / "file").read_text() == "whole"


def test_files_may_be_read_by_whom_the_users_own_setting_lets(tmp_path):
    with atomic_path(tmp_path / "weights.safetensors") as part:
        write_weights(part)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == 0o666 & ~atomic_file._umask()
