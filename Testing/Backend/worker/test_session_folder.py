import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import a_head, a_volume, an_affine, axis_orders
from safetensors import SafetensorError

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.features import features_file
from DiffusionSegLib.features.features_file import features_bytes
from DiffusionSegLib.labels import Label
from DiffusionSegLib.session import Session, SessionOptions
from DiffusionSegLib.worker.parameters import AnnotateParameters
from DiffusionSegLib.worker.session_folder import SessionFolder

PLENTY = 10**9


@pytest.fixture(scope="module")
def features(tiny_bundle):
    session = Session(SessionOptions(bundle=tiny_bundle, device="cpu"))
    session.open(a_volume(a_head((22, 20, 18))[0]))
    return session.extract()


def used_at(scan, seconds_ago):
    then = time.time() - seconds_ago
    os.utime(scan.folder, (then, then))


def test_a_scan_is_known_by_its_voxels_and_their_place_alone():
    image, _ = a_head((8, 8, 8))
    changed = image.copy()
    changed[4, 4, 4] += 1
    digests = {
        volume.content_digest()
        for volume in (
            a_volume(image),
            a_volume(image.copy(order="F")),
            a_volume(changed),
            a_volume(image, an_affine(axis_orders()[5], (1.0, 1.0, 1.0))),
        )
    }
    assert len(digests) == 3


def test_an_annotation_comes_back_as_it_was(tmp_path):
    painted = np.zeros((5, 6, 7), np.uint16)
    painted[1, 2, 3], painted[4, 5, 6] = 9, 65535
    parameters = AnnotateParameters(((1,), (), (2, 3)), ((0, 5), (1, 6), (0, 7)), (Label(9, "a", (1, 2, 3)),))
    scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
    assert scan.load_annotation() is None
    scan.save_annotation(painted, parameters)
    found, said = scan.load_annotation()
    np.testing.assert_array_equal(found, painted)
    assert said == parameters


def test_scans_and_bundles_have_places_of_their_own(tmp_path):
    whole = SessionFolder(tmp_path, PLENTY)
    folders = {whole.scan(volume * 64, bundle).folder for volume in "ab" for bundle in ("one", "two")}
    assert len(folders) == 4


def test_features_used_the_longest_time_ago_make_room(features, tmp_path):
    size = features_bytes(features)
    whole = SessionFolder(tmp_path, int(2.5 * size))
    scans = [whole.scan(name * 64, "weights") for name in "abc"]
    for age, scan in zip((30, 20, 10), scans, strict=True):
        scan.save_annotation(np.ones((2, 2, 2), np.uint16), AnnotateParameters())
        scan.save_features(features)
        used_at(scan, age)
    assert [scan.load_features() is not None for scan in scans] == [False, True, True]
    assert all(scan.load_annotation() is not None for scan in scans)
    assert whole.size() <= whole.limit


def test_features_that_never_fit_are_told_of(features, tmp_path):
    scan = SessionFolder(tmp_path, 1000).scan("a" * 64, "weights")
    with pytest.raises(DiffusionSegError, match="too little") as told:
        scan.save_features(features)
    assert told.value.hint == "Set Keep at most, under Advanced, to 1 GB or more."
    assert scan.load_features() is None


def test_a_view_of_unfinished_features_is_found_again_by_features_like_them_alone(features, tmp_path):
    scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
    assert scan.load_view(features.config, 0) is None
    scan.save_view(features.config, 0, features.views[0])
    again = scan.load_view(features.config, 0)
    assert all(
        torch.equal(level.values, features.views[0].levels[reduction].values)
        for reduction, level in again.levels.items()
    )
    assert scan.load_view(features.config, 1) is None
    assert scan.load_features() is None
    other = replace(features.config, noise_seed=7)
    assert scan.load_view(other, 0) is None
    scan.save_view(other, 1, features.views[1])
    assert scan.load_view(features.config, 0) is None


def test_a_view_of_other_features_does_not_cost_those_that_are_whole(features, tmp_path):
    scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
    scan.save_features(features)
    scan.save_view(replace(features.config, noise_seed=7), 0, features.views[0])
    assert scan.load_features() is not None


def test_views_of_features_that_never_fit_cost_no_other_scans_work(features, tmp_path):
    whole = SessionFolder(tmp_path, int(1.2 * features_bytes(features)))
    other, large = (whole.scan(name * 64, "weights") for name in "ab")
    other.save_features(features)
    large.save_annotation(np.ones((90, 90, 90), np.uint16), AnnotateParameters())
    with pytest.raises(DiffusionSegError, match="too little"):
        large.save_view(features.config, 0, features.views[0])
    assert other.load_features() is not None


def test_features_that_never_fit_cost_no_other_scans_work(features, tmp_path):
    whole = SessionFolder(tmp_path, int(1.5 * features_bytes(features)))
    other, large = (whole.scan(name * 64, "weights") for name in "ab")
    other.save_annotation(np.ones((2, 2, 2), np.uint16), AnnotateParameters())
    other.save_features(features)
    with pytest.raises(DiffusionSegError, match="too little"):
        whole.make_room(2 * features_bytes(features), large.folder)
    assert other.load_features() is not None
    assert other.load_annotation() is not None


def test_a_full_disk_is_told_of_and_nothing_half_written_stays(features, full_disk):
    scan = SessionFolder(full_disk, PLENTY).scan("a" * 64, "weights")
    with pytest.raises(DiffusionSegError, match="space"):
        scan.save_features(features)
    assert scan.load_features() is None
    assert not list(scan.folder.glob(".unfinished-*"))


def test_a_write_that_fails_is_told_of_and_nothing_half_written_stays(features, tmp_path, monkeypatch):
    def half_written(_, path, **__):
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device (os error 28)")

    scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
    scan.save_view(features.config, 0, features.views[0])
    monkeypatch.setattr(features_file, "save_file", half_written)
    with pytest.raises(DiffusionSegError, match="no space left"):
        scan.save_features(features)
    assert scan.load_features() is None
    assert [path.name for path in scan.folder.iterdir()] == ["features-view0.safetensors"]
    assert scan.load_view(features.config, 0) is not None


def test_forgetting_deletes_the_scans_and_nothing_else(features, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "scan-of-the-head").mkdir()
    whole = SessionFolder(tmp_path, PLENTY)
    whole.scan("a" * 64, "weights").save_features(features)
    size = whole.size()
    assert whole.forget() == size > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan-of-the-head", "thesis.txt"]


def test_what_a_killed_process_left_is_deleted_after_an_hour(features, tmp_path):
    whole = SessionFolder(tmp_path, PLENTY)
    scan = whole.scan("a" * 64, "weights")
    old, new = scan.folder / ".unfinished-old", scan.folder / ".unfinished-new"
    for path in (old, new):
        path.mkdir()
    os.utime(old, (time.time() - 7200,) * 2)
    scan.save_features(features)
    assert not old.exists()
    assert new.exists()


def test_a_place_that_cannot_be_written_to_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiffusionSegError, match="cannot be written to"):
        SessionFolder(tmp_path / "file", PLENTY).scan("a" * 64, "weights")


def save_again_and_again(root, features, started):
    scan = SessionFolder(root, PLENTY).scan("a" * 64, "weights")
    for number in range(10_000):
        scan.save_features(features)
        if number == 1:
            started.set()


def saving(root, features):
    """A process that does nothing but save the same features."""
    context = multiprocessing.get_context("fork")
    started = context.Event()
    process = context.Process(target=save_again_and_again, args=(root, features, started))
    process.start()
    assert started.wait(60)
    return process


def assert_equal(found, features):
    points = torch.from_numpy(np.argwhere(features.tissue)[::53])
    torch.testing.assert_close(found.at(points), features.at(points), rtol=0, atol=0)


@pytest.fixture
def single_thread():
    """Threads of torch do not survive a fork."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_what_two_processes_write_at_once_is_read_whole_or_not_at_all(features, tmp_path, single_thread):
    writers = [saving(tmp_path, features) for _ in range(2)]
    scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
    read = 0
    deadline = time.time() + 60
    while read < 20 and time.time() < deadline:
        found = scan.load_features()
        if found is not None:
            assert_equal(found, features)
            read += 1
    for writer in writers:
        writer.terminate()
        writer.join()
    assert read == 20


def test_a_process_killed_while_it_writes_leaves_all_or_nothing(features, tmp_path, single_thread):
    for delay in (0.0, 0.003, 0.007):
        writer = saving(tmp_path, features)
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        scan = SessionFolder(tmp_path, PLENTY).scan("a" * 64, "weights")
        found = scan.load_features()
        if found is not None:
            assert_equal(found, features)
        scan.save_features(features)
        assert_equal(scan.load_features(), features)


def test_a_scan_that_another_process_deletes_meanwhile_is_no_error(tmp_path, monkeypatch):
    whole = SessionFolder(tmp_path, PLENTY)
    scans = [whole.scan(name * 64, "weights").folder for name in "ab"]
    is_dir = type(tmp_path).is_dir

    def vanishing(path):
        found = is_dir(path)
        if path == scans[0]:
            path.rmdir()
        return found

    monkeypatch.setattr(type(tmp_path), "is_dir", vanishing)
    assert whole._scans() == [scans[1]]
