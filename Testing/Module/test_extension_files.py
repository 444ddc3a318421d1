"""The extension's CMake lists against its tree."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
MODULE = REPOSITORY / "DiffusionSeg"


def listed(name: str) -> set[str]:
    text = (MODULE / "CMakeLists.txt").read_text()
    found = re.search(rf"set\({name}\n(.*?)\)", text, re.DOTALL)
    assert found, name
    return {line.strip().replace("${MODULE_NAME}", "DiffusionSeg") for line in found[1].splitlines() if line.strip()}


def test_every_script_and_resource_is_installed():
    scripts = {str(path.relative_to(MODULE)) for path in MODULE.rglob("*.py")}
    resources = {str(path.relative_to(MODULE)) for path in (MODULE / "Resources").rglob("*") if path.is_file()}
    assert listed("MODULE_PYTHON_SCRIPTS") == scripts
    assert listed("MODULE_PYTHON_RESOURCES") == resources


def test_the_module_imports_nothing_but_slicers_own():
    tree = ast.parse((MODULE / "DiffusionSeg.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in imported} <= {"__future__", "qt", "slicer"}
