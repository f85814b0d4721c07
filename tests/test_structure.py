"""The house keeps its shape: who may import what, and which names are public."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lookalike
from tests.support.paths import ROOT

PACKAGE = ROOT / "lookalike"
WINGS = ("building", "training", "evaluation", "space")
HOMES = {  # third party -> where alone it may be imported
    "gradio": ("app.py", "lookalike/space/"),
    "deepface": ("lookalike/detectors.py", "lookalike/embedders.py", "lookalike/evaluation/speed/"),
    "keras": ("lookalike/training/",),
    "tensorflow": ("lookalike/training/",),
}


def imports(file: Path) -> set[str]:
    """Every dotted name that the file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def sources() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), ROOT / "app.py", ROOT / "build_gallery.py"])


def test_the_ground_floor_imports_no_wing():
    for file in PACKAGE.glob("*.py"):
        wings = {name for name in imports(file) for wing in WINGS if name.startswith(f"lookalike.{wing}")}
        assert not wings, f"{file.name} imports {wings}"


def test_wings_do_not_import_each_other_except_evaluation():
    for wing in WINGS:
        allowed = {wing, "evaluation"} if wing in ("training", "building") else {wing}
        for file in (PACKAGE / wing).rglob("*.py"):
            others = {
                name
                for name in imports(file)
                for other in WINGS
                if name.startswith(f"lookalike.{other}") and other not in allowed
            }
            assert not others, f"{file.relative_to(ROOT)} imports {others}"


@pytest.mark.parametrize("package", HOMES)
def test_heavy_packages_are_imported_only_where_they_belong(package: str):
    for file in sources():
        place = file.relative_to(ROOT).as_posix()
        if not place.startswith(HOMES[package]):
            assert not {name for name in imports(file) if name.split(".")[0] == package}, place


def test_importing_and_loading_the_finder_brings_no_heavy_package():
    code = (
        "import sys, lookalike; lookalike.Lookalikes.load().warm_up();"
        "heavy = ('tensorflow', 'keras', 'deepface', 'gradio', 'torch');"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_public_names_are_those_of_all():
    public = {name for name in vars(lookalike) if not name.startswith("_")}
    modules = {name for name in public if isinstance(getattr(lookalike, name), type(sys))}
    assert public - modules - {"annotations"} == set(lookalike.__all__)
    assert lookalike.__all__ == sorted(lookalike.__all__)
