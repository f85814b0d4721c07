"""The import rules of the folders, where heavy packages may be imported, and the public names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lookalike
from tests.support.commands import run_python
from tests.support.imports import imported_names
from tests.support.paths import ROOT

PACKAGE = ROOT / "lookalike"
BASE = {"errors", "images", "names", "files", "hub", "reports"}

# folder -> the folders that it may import, besides itself; "base" stands for the modules in BASE
MAY_IMPORT = {
    "base": set(),
    "backends": {"base"},
    "faces": {"base", "backends"},
    "models": {"base", "backends", "faces"},
    "gallery": {"base", "backends", "faces", "models"},
    "finder": {"base", "backends", "faces", "models", "gallery"},
    "sources": {"base"},
    "portraits": {"base", "backends", "faces", "models"},
    "building": {"base", "backends", "faces", "models", "gallery", "sources"},
    "evaluation": {"base", "backends", "faces", "models", "sources"},
    "training": {"base", "backends", "faces", "models", "sources", "evaluation"},
    "web": {"base", "backends", "faces", "models", "gallery", "finder"},
    "space": {"base", "backends", "faces", "models", "gallery", "finder", "portraits", "web"},
}
HOMES = {  # package -> the only places where it may be imported
    "gradio": ("app.py", "lookalike/space/"),
    "deepface": ("lookalike/backends/",),
    "keras": ("lookalike/training/",),
    "tensorflow": ("lookalike/training/",),
}


def folder_of(module: str) -> str | None:
    """The folder that a module belongs to, None for modules outside the package."""
    parts = module.split(".")
    if parts[0] != "lookalike" or len(parts) < 2:
        return None
    return "base" if parts[1] in BASE else parts[1] if parts[1] in MAY_IMPORT else None


def folders_imported(file: Path) -> set[str]:
    return {folder for name in imported_names(file) if (folder := folder_of(name))}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_folders_below_it(folder: str):
    mine = [file for file in modules() if folder_of(name_of(file)) == folder]
    assert mine, f"there is no folder {folder}"
    for file in mine:
        wrong = folders_imported(file) - MAY_IMPORT[folder] - {folder}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_no_two_folders_import_each_other():
    for folder, below in MAY_IMPORT.items():
        for other in below:
            assert folder not in MAY_IMPORT[other], f"{folder} and {other} may import each other"


def test_every_module_belongs_to_a_folder_with_rules():
    outside = [name_of(file) for file in modules() if folder_of(name_of(file)) is None]
    assert outside == ["lookalike.__init__"]


def test_every_folder_has_a_docstring():
    for file in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file.relative_to(ROOT)


def test_the_package_imports_no_benchmark_and_no_test():
    for file in [*modules(), ROOT / "app.py", ROOT / "build_gallery.py"]:
        assert not {name for name in imported_names(file) if name.split(".")[0] in ("benchmarks", "tests")}, (
            file
        )


@pytest.mark.parametrize("package", HOMES)
def test_heavy_packages_are_imported_only_where_they_belong(package: str):
    for file in [*modules(), ROOT / "app.py", ROOT / "build_gallery.py"]:
        place = file.relative_to(ROOT).as_posix()
        if not place.startswith(HOMES[package]):
            assert not {name for name in imported_names(file) if name.split(".")[0] == package}, place


def test_loading_the_finder_imports_no_heavy_package():
    code = (
        "import sys, lookalike; lookalike.Lookalikes.load().warm_up();"
        "heavy = ('tensorflow', 'keras', 'deepface', 'gradio', 'torch', 'sklearn', 'matplotlib', 'datasets');"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = run_python(code)
    assert found.stdout.strip() == "[]", found.stderr


def test_importing_the_package_imports_nothing_else():
    code = (
        "import sys, lookalike;"
        "others = ('numpy', 'cv2', 'onnxruntime', 'scipy', 'pyarrow', 'PIL', 'huggingface_hub');"
        "print([name for name in others if name in sys.modules])"
    )
    found = run_python(code)
    assert found.stdout.strip() == "[]", found.stderr


def test_the_public_names_are_those_in_all():
    assert lookalike.__all__ == sorted(lookalike.__all__)
    assert set(lookalike.__all__) <= set(dir(lookalike))
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
    with pytest.raises(AttributeError):
        lookalike.nothing_of_this_name  # noqa: B018
