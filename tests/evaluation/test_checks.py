"""What an evaluation checks before its work, and what is left of it when something fails at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.evaluation.__main__ import main
from lookalike.evaluation.markdown import save_report
from lookalike.evaluation.splits import Split, save_split
from tests.support.source_files import photo, write_files


@pytest.fixture
def stars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source, which these tests must not read."""

    def read(*_: object) -> None:
        raise AssertionError("the photos were read before the check")

    monkeypatch.setattr("lookalike.evaluation.photos.read_photos", read)
    return str(write_files(tmp_path / "stars", {"Ada/1.png": photo()}))


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--split", "missing.json", "There is no split of people at missing.json"),
        ("--split", "README.md", "README.md is not a split of people"),
        ("--output", "README.md/reports", "README.md/reports cannot be written (Not a directory); choose"),
        ("--detector", "nonesuch", "nonesuch"),
        ("--model", "nonesuch", "There is no model 'nonesuch'"),
    ],
)  # fmt: skip
def test_what_a_command_needs_is_checked_before_its_work(
    stars: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, sentence: str
):
    reports = [] if option == "--output" else ["--output", str(tmp_path / "reports")]
    assert main(["retrieve", stars, option, value, *reports]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and sentence in error and error.count("\n") == 1


def test_a_picture_that_fails_leaves_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def fail():
        raise ValueError("no font")

    save_report(tmp_path, "verify", result={"auc": 0.9}, table="| model |", pictures={"roc": fail})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["verify.json", "verify.md"]
    output = capsys.readouterr()
    assert output.out.startswith("| model |\n")
    assert output.err == f"{tmp_path / 'verify-roc.png'} could not be drawn (no font).\n"


def test_input_that_is_something_else_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    split = tmp_path / "split.json"
    save_split(Split(validation=(), test=("Ada", "Bo")), split)
    stars = write_files(tmp_path / "stars", {"Ada/1.png": photo(), "Bo/1.png": photo(9)})
    for arguments, sentence in [
        (["verify", stars, "--pairs", "README.md"], "README.md needs the columns first, second and same"),
        (["strangers", "README.md"], "README.md is not a Parquet file that can be read"),
        (["groups", stars], "Groups need two photos of one person, and photos of two people"),
        (["cohort", stars], "no photos of people to evaluate on, whom the split keeps for cohort"),
    ]:
        texts = [
            str(argument) for argument in (*arguments, "--split", split, "--output", tmp_path / "reports")
        ]
        assert main(texts) == 2
        assert sentence in capsys.readouterr().err
