import subprocess
import sys

from conftest import REPOSITORY


def test_the_client_loads_neither_torch_nor_what_slicer_may_lack():
    code = "import sys, DiffusionSegLib.client; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = set(found.stdout.split())
    assert {"DiffusionSegLib", "numpy"} <= loaded
    assert not loaded & {"torch", "safetensors", "SimpleITK", "nibabel", "tqdm", "scipy", "slicer", "vtk"}
