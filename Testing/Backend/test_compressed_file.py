import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.reading import read_labelmap

# Of noise, in which no other way of unpacking happens to give the same voxels.
LABELS = np.random.default_rng(0).integers(0, 256, (20, 18, 22)).astype(np.uint8)
ATTACHED = ["labels.nii.gz", "labels.mgz", "labels.nrrd", "labels.seg.nrrd", "labels.mha"]
DETACHED = {"labels.nhdr": "labels.raw.gz", "labels.mhd": "labels.zraw"}
# The checksum of gzip's trailer and of zlib's lies in the last bytes of what is compressed.
CHECKSUM_FROM_THE_END = {".nii.gz": 8, ".mgz": 8, ".nrrd": 8, ".gz": 8, ".mha": 4, ".zraw": 4}


def write_compressed(path):
    """Write the labels, and return the file that holds them, compressed."""
    if path.name.endswith(".mgz"):
        nib.save(nib.MGHImage(LABELS, np.eye(4)), path)
    elif path.name.endswith(".nii.gz"):
        nib.save(nib.Nifti1Image(LABELS, np.eye(4)), path)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(LABELS.T), str(path), useCompression=True)
    return path.with_name(DETACHED.get(path.name, path.name))


def spoil(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", [*ATTACHED, *DETACHED])
def test_a_whole_compressed_file_is_read(tmp_path, name):
    write_compressed(tmp_path / name)
    np.testing.assert_array_equal(read_labelmap(tmp_path / name)[0], LABELS)


@pytest.mark.parametrize("name", [*ATTACHED, *DETACHED])
def test_a_checksum_that_differs_is_told_of(tmp_path, name):
    compressed = write_compressed(tmp_path / name)
    ending = next(ending for ending in CHECKSUM_FROM_THE_END if compressed.name.endswith(ending))
    spoil(compressed, -CHECKSUM_FROM_THE_END[ending])
    with pytest.raises(DiffusionSegError, match=f"{name} cannot be read: it is damaged"):
        read_labelmap(tmp_path / name)


@pytest.mark.parametrize("name", [*ATTACHED, *DETACHED])
def test_a_flipped_bit_among_the_voxels_is_told_of(tmp_path, name):
    compressed = write_compressed(tmp_path / name)
    content = compressed.read_bytes()
    for place in range(len(content) // 2, len(content) - 60, 97):
        spoil(compressed, place)
        with pytest.raises(DiffusionSegError, match="it is damaged"):
            read_labelmap(tmp_path / name)
        compressed.write_bytes(content)


@pytest.mark.parametrize(("name", "missing"), [("labels.nii.gz", 8), ("labels.mha", 4), ("labels.mhd", 4)])
def test_a_file_that_ends_before_its_checksum_is_told_of(tmp_path, name, missing):
    compressed = write_compressed(tmp_path / name)
    compressed.write_bytes(compressed.read_bytes()[:-missing])
    with pytest.raises(DiffusionSegError, match="it is damaged"):
        read_labelmap(tmp_path / name)


@pytest.mark.parametrize(("header", "data"), [("labels.mha", "labels.mha"), ("labels.mhd", "labels.raw")])
def test_plain_voxels_that_end_too_early_are_told_of_once(tmp_path, header, data, capfd):
    sitk.WriteImage(sitk.GetImageFromArray(LABELS.T), str(tmp_path / header), useCompression=False)
    content = (tmp_path / data).read_bytes()
    (tmp_path / data).write_bytes(content[:-1])
    with pytest.raises(DiffusionSegError, match="it is damaged"):
        read_labelmap(tmp_path / header)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64])
def test_plain_voxels_of_every_kind_are_long_enough(tmp_path, kind):
    sitk.WriteImage(sitk.GetImageFromArray((LABELS.T // 2).astype(kind)), str(tmp_path / "labels.mha"))
    np.testing.assert_array_equal(read_labelmap(tmp_path / "labels.mha")[0], LABELS // 2)


def test_a_scan_that_was_compressed_in_pieces_is_read(tmp_path):
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "plain.nii")
    content = (tmp_path / "plain.nii").read_bytes()
    (tmp_path / "pieces.nii.gz").write_bytes(gzip.compress(content[:5000]) + gzip.compress(content[5000:]))
    np.testing.assert_array_equal(read_labelmap(tmp_path / "pieces.nii.gz")[0], LABELS)


@pytest.mark.parametrize("name", ["labels.nii", "labels.mgh", "labels.nrrd", "labels.mha", "labels.nhdr", "labels.mhd"])
def test_a_file_that_is_not_compressed_is_read(tmp_path, name):
    if name.endswith(".mgh"):
        nib.save(nib.MGHImage(LABELS, np.eye(4)), tmp_path / name)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(LABELS.T), str(tmp_path / name), useCompression=False)
    np.testing.assert_array_equal(read_labelmap(tmp_path / name)[0], LABELS)


@pytest.mark.parametrize(("header", "data"), DETACHED.items())
def test_each_of_several_files_of_voxels_is_looked_at(tmp_path, header, data):
    whole = write_compressed(tmp_path / header)
    for number in range(LABELS.shape[2]):
        plane = sitk.GetImageFromArray(LABELS[:, :, number : number + 1].T)
        sitk.WriteImage(plane, str(tmp_path / f"plane{number}{header[6:]}"), useCompression=True)
    planes = [f"plane{number}{data[6:]}" for number in range(LABELS.shape[2])]
    said = [line for line in (tmp_path / header).read_text().splitlines() if line and "DataSize" not in line]
    (tmp_path / header).write_text("\n".join([*said, *planes]).replace(data, "LIST") + "\n")
    whole.unlink()
    np.testing.assert_array_equal(read_labelmap(tmp_path / header)[0], LABELS)
    spoil(tmp_path / planes[20], -CHECKSUM_FROM_THE_END[".gz" if data.endswith("gz") else ".zraw"])
    with pytest.raises(DiffusionSegError, match="it is damaged"):
        read_labelmap(tmp_path / header)
