"""The wheel, the requirement files and pyproject.toml agree with each other and with the imports."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image

import lookalike
from tests.support.drawing import draw_face
from tests.support.imports import imported_names
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OWN_CODE = [*(ROOT / "lookalike").rglob("*.py"), ROOT / "app.py", ROOT / "build_gallery.py"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str, *, until: str = "") -> dict[str, Requirement]:
    """The requirements of a file by name, down to the first line that starts with `until`."""
    found = {}
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if until and line.startswith(until):
            break
        if text := line.partition("#")[0].strip():
            found[canonical(Requirement(text).name)] = Requirement(text)
    return found


def declared(requirements: list[str]) -> dict[str, Requirement]:
    """The requirements of pyproject.toml by name, without the project's own extras."""
    found = {canonical(Requirement(text).name): Requirement(text) for text in requirements}
    found.pop("lookalike", None)
    return found


def third_parties(files: list[Path]) -> dict[str, set[str]]:
    """Each imported package outside the project and the standard library, with its possible distributions."""
    ours = {"lookalike", "benchmarks", "tests", "app", "build_gallery"} | sys.stdlib_module_names
    tops = {name.split(".")[0] for file in files for name in imported_names(file)} - ours
    distributions = packages_distributions()
    return {top: {canonical(name) for name in distributions.get(top, [top])} for top in tops}


def test_every_imported_package_is_required():
    required = {*pins("requirements.txt"), *pins("requirements-ray.txt")}
    for package, distributions in third_parties(OWN_CODE).items():
        assert distributions & required, f"{package} is imported, but no requirements file lists it"


def test_what_the_tests_and_benchmarks_import_is_required():
    required = {*pins("requirements.txt"), *pins("requirements-ray.txt"), *pins("tests/requirements.txt")}
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    for package, distributions in third_parties(files).items():
        assert distributions & {*required, "packaging"}, package  # pytest requires packaging


def test_pyproject_declares_the_packages_of_the_requirement_files():
    mine = declared([*PROJECT["dependencies"], *EXTRAS["training"], *EXTRAS["benchmarks"]])
    assert set(mine) == set(pins("requirements.txt", until="# Brought by gradio"))
    assert set(declared(EXTRAS["ray"])) == set(pins("requirements-ray.txt"))
    assert set(declared(EXTRAS["dlib"])) == set(pins("requirements-dlib.txt"))
    assert set(declared(EXTRAS["dev"])) == set(pins("tests/requirements.txt"))


def test_the_pinned_versions_are_allowed_by_pyproject_and_by_the_constraints():
    ranges = declared([*PROJECT["dependencies"], *(text for extra in EXTRAS.values() for text in extra)])
    constraints = pins("constraints.txt")
    for file in ("requirements.txt", "requirements-ray.txt", "requirements-dlib.txt"):
        for name, pin in pins(file).items():
            (version,) = (each.version for each in pin.specifier)
            assert name not in ranges or version in ranges[name].specifier, name
            assert constraints[name].specifier == pin.specifier, name


@pytest.mark.parametrize("extra", ["mcp", "oauth"])
def test_the_pinned_versions_are_allowed_by_the_extras_of_gradio_that_a_space_installs(extra: str):
    pinned = pins("requirements.txt")
    needed = [Requirement(text) for text in requires("gradio") or []]
    needed = [each for each in needed if each.marker and each.marker.evaluate({"extra": extra})]
    assert needed
    for requirement in needed:
        if pin := pinned.get(canonical(requirement.name)):
            (version,) = (each.version for each in pin.specifier)
            assert version in requirement.specifier, requirement


def test_the_ci_and_the_makefile_share_their_commands():
    assert "make install lint test-all" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    assert sorted(targets) == ["benchmark", "install", "lint", "serve", "test", "test-all"]


@pytest.mark.slow
def test_an_installed_wheel_finds_look_alikes_from_any_folder(tmp_path: Path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index", "--quiet"]
    source = tmp_path / "source"  # setuptools writes into the folder that it builds
    source.mkdir()
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source)
    shutil.copytree(ROOT / "lookalike", source / "lookalike")
    wheel = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(wheel, check=True)
    (built,) = tmp_path.glob("lookalike-*.whl")
    assert built.name.startswith(f"lookalike-{lookalike.__version__}-")
    venv.create(tmp_path / "environment")
    python = tmp_path / "environment" / "bin" / "python"
    folder = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path / "environment")}))
    subprocess.run([*pip, "--python", str(python), "install", *offline, str(built)], check=True)
    (folder / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # all but our package
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Image.fromarray(draw_face(seed=1)).save(elsewhere / "me.png")
    code = (
        "import lookalike; from lookalike import Lookalikes; (face,) = Lookalikes.load().find('me.png');"
        "print(len(face.matches), lookalike.__file__)"
    )
    found = subprocess.run([str(python), "-c", code], cwd=elsewhere, capture_output=True, text=True)
    assert found.stdout.split() == ["5", str(folder / "lookalike" / "__init__.py")], found.stderr
    for command in PROJECT["scripts"]:
        script = tmp_path / "environment" / "bin" / command
        assert b"usage:" in subprocess.run([script, "--help"], capture_output=True, check=True).stdout
