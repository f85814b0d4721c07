"""Commands, options, files and links in the documentation exist."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import app
import benchmarks.__main__
import build_gallery
import lookalike
import lookalike.evaluation.__main__
import lookalike.training.__main__
import lookalike.web.__main__
from tests.support.paths import ROOT

README = ROOT / "README.md"
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "app.py": app.main,
    "build_gallery.py": build_gallery.main,
    "lookalike.evaluation": lookalike.evaluation.__main__.main,
    "lookalike.training": lookalike.training.__main__.main,
    "lookalike.web": lookalike.web.__main__.main,
    "benchmarks": benchmarks.__main__.main,
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
OPTION = re.compile(r"--[a-z][a-z0-9-]*")
# A path of this project: in one of its folders, or a file at its root.
PROJECT_PATH = re.compile(
    r"(lookalike|docs|tests|benchmarks|\.ci)/[\w./-]+|[\w-]+\.(py|toml)|[\w-]*requirements[\w-]*\.txt"
)
HEADINGS = [
    "Quick start",
    "Features",
    "Use",
    "Your own gallery",
    "Deploy to a Space",
    "What the percentage means",
    "Accuracy and speed",
    "Privacy and limits",
    "Documentation",
    "Development",
    "Licence and citation",
]

each_doc = pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.relative_to(ROOT).as_posix())


class Parsed(Exception):
    """A program accepted its command line; it is stopped before it does anything."""


def text_of(doc: Path) -> str:
    return doc.read_text(encoding="utf-8")


def blocks(doc: Path, *languages: str) -> str:
    return "\n".join(block for language, block in BLOCK.findall(text_of(doc)) if language in languages)


def spans(doc: Path) -> list[str]:
    return SPAN.findall(BLOCK.sub("", text_of(doc)))


def commands(doc: Path) -> Iterator[list[str]]:
    """The words after `python` of every command in the code blocks."""
    for line in blocks(doc, "", "bash").replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            if part.startswith("python "):
                yield shlex.split(part, comments=True)[1:]


def program_and_rest(words: list[str]) -> tuple[str, list[str]]:
    return (words[1], words[2:]) if words[0] == "-m" else (words[0], words[1:])


@pytest.fixture
def stop_after_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> None:
        parse(self, *args, **kwargs)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


def help_of(main: Callable[[list[str]], int], words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return capsys.readouterr().out


def known_options(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Every option of every program, from its help."""
    helps = ""
    for main in PROGRAMS.values():
        overview = help_of(main, [], capsys)
        helps += overview
        for command in re.findall(r"^ {4}([a-z]+)(?: |$)", overview, re.MULTILINE):
            helps += help_of(main, [command], capsys)
    return {option for found in OPTION.findall(helps) for option in (found, found.replace("--no-", "--", 1))}


@pytest.mark.usefixtures("stop_after_parsing")
@each_doc
def test_every_command_is_accepted(doc: Path):
    for words in commands(doc):
        program, rest = program_and_rest(words)
        if program in PROGRAMS:
            with pytest.raises((Parsed, SystemExit)) as stopped:
                PROGRAMS[program](rest)
            assert isinstance(stopped.value, Parsed) or stopped.value.code == 0, words
        else:
            assert importlib.util.find_spec(program), words


def test_every_option_named_in_a_sentence_exists(capsys: pytest.CaptureFixture[str]):
    known = known_options(capsys)
    ours = re.compile(r"--|python (app|build_gallery|-m (lookalike|benchmarks))|(app|build_gallery)\.py ")
    for doc in DOCS:
        named = {option for span in spans(doc) if ours.match(span) for option in OPTION.findall(span)}
        assert named <= known, (doc.name, named - known)


@each_doc
def test_every_file_and_module_exists(doc: Path):
    for span in spans(doc):
        path = span.strip("/")
        if PROJECT_PATH.fullmatch(path):
            assert (ROOT / path).exists(), span
        elif re.fullmatch(r"(lookalike|benchmarks|tests)(\.[a-z_]+)+", span):
            assert importlib.util.find_spec(span), span


@each_doc
def test_every_python_example_imports_what_exists(doc: Path):
    for block in BLOCK.findall(text_of(doc)):
        nodes = ast.walk(ast.parse(block[1])) if block[0] == "python" else ()
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("lookalike"):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


def anchors(doc: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text_of(doc)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_doc
def test_no_link_is_dead(doc: Path):
    for link in LINK.findall(BLOCK.sub("", text_of(doc))):
        if re.match(r"https?:|mailto:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (doc.parent / place).resolve() if place else doc
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_short_and_in_order():
    text = text_of(README)
    assert len(text.splitlines()) <= 200
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert "pip install -r requirements.txt && python app.py\n" in text
    assert "pip install -r requirements.txt -r tests/requirements.txt && python -m pytest\n" in text


def test_every_page_is_listed_in_the_readme():
    linked = set(LINK.findall(text_of(README)))
    pages = {page.relative_to(ROOT).as_posix() for page in ROOT.glob("docs/*.md")}
    assert pages - linked <= {"docs/training-log.md"}, pages - linked  # linked from docs/training.md


def test_the_make_targets_in_the_docs_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for doc in DOCS:
        lines = [*spans(doc), *blocks(doc, "", "bash").splitlines()]
        named = {target for line in lines if line.startswith("make ") for target in line.split()[1:]}
        assert named <= targets, (doc.name, named - targets)


def test_the_version_is_the_same_everywhere():
    version = lookalike.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## [{version}]" in text_of(ROOT / "CHANGELOG.md")
