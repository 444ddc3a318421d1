"""The CMake project, configured and installed with a stub of Slicer's macros."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
STUB = REPOSITORY / "Testing" / "slicer_cmake_stub"
MODULES = "lib/Slicer-5.12/qt-scripted-modules"

cmake = shutil.which("cmake") or shutil.which("cmake", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(cmake is None, reason="cmake is neither on the path nor in this environment")


def run(*arguments: object) -> str:
    done = subprocess.run([cmake, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(folder: str) -> set[str]:
    found = (path for path in (REPOSITORY / folder).rglob("*") if path.is_file())
    return {path.relative_to(REPOSITORY / folder).as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    # As in Slicer's own builds the stub is found through Slicer_DIR; warnings about unused settings would be noise.
    run("-S", REPOSITORY, "-B", folder, f"-DSlicer_DIR={STUB}", "-DBUILD_TESTING=ON", "-Wno-dev")
    return folder


@pytest.fixture(scope="module")
def installed(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    run("--install", build, "--prefix", folder)
    return folder


def test_every_file_of_module_and_backend_is_installed(installed):
    found = {path.relative_to(installed / MODULES).as_posix() for path in (installed / MODULES).rglob("*")}
    assert sources("DiffusionSeg") - {"CMakeLists.txt"} <= found
    assert {f"DiffusionSegLib/{name}" for name in sources("DiffusionSegLib")} <= found


def test_the_installed_backend_runs_where_nothing_else_is_on_the_path(installed):
    command = [sys.executable, "-m", "DiffusionSegLib", "--help"]
    done = subprocess.run(command, cwd=installed / MODULES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "apply" in done.stdout


def test_the_batch_module_is_installed_and_finds_the_backend(installed):
    folder = installed / "lib" / "Slicer-5.12" / "cli-modules"
    assert {path.name for path in folder.iterdir()} == {"DiffusionSegBatch.py", "DiffusionSegBatch.xml"}
    command = [sys.executable, folder / "DiffusionSegBatch.py", "--segmenter", "none.safetensors"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "There is no scan to segment" in done.stderr


def test_the_build_tree_has_the_backend_beside_the_module(build):
    assert (build / MODULES / "DiffusionSegLib" / "__main__.py").is_file()


def test_the_self_test_is_registered(build):
    assert "py_DiffusionSeg" in (build / "DiffusionSeg" / "CTestTestfile.cmake").read_text()


def described(folder: Path, origin: str) -> dict[str, list[str]]:
    """What the Extensions Index learns of a clone from `origin`."""
    run("-S", REPOSITORY, "-B", folder, f"-DSlicer_DIR={STUB}", f"-DDIFFUSIONSEG_ORIGIN={origin}", "-Wno-dev")
    lines = (folder / "description.s4ext").read_text().splitlines()
    return {name: addresses for name, *addresses in map(str.split, lines)}


ORIGINS = [
    "https://github.com/someone/SlicerDiffusionSeg.git",
    "https://github.com/someone/SlicerDiffusionSeg",
    "git@github.com:someone/SlicerDiffusionSeg.git",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_icon_and_screenshots_are_files_of_the_clones_own_repository(tmp_path, origin):
    found = described(tmp_path, origin)
    assert found["homepage"] == ["https://github.com/someone/SlicerDiffusionSeg"]
    assert len(found["iconurl"]) == 1
    assert found["screenshoturls"]
    raw = "https://raw.githubusercontent.com/someone/SlicerDiffusionSeg/main/"
    for address in [*found["iconurl"], *found["screenshoturls"]]:
        assert address.startswith(raw)
        assert (REPOSITORY / address.removeprefix(raw)).is_file(), address


@pytest.mark.parametrize("origin", ["", "/home/anna/DiffusionSeg", "https://example.com/github.com/a/b/c.git"])
def test_a_clone_from_elsewhere_is_built_without_pictures(tmp_path, origin):
    found = described(tmp_path, origin)
    assert found["iconurl"] == found["screenshoturls"] == []
    assert found["homepage"] == ["https://arxiv.org/abs/2407.12329"]
