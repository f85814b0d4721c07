"""A report as files: one page of HTML that holds its pictures, the pictures, and JSON."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lookalike.evaluation.reports import percent
from lookalike.training.classify.plots import (
    draw_calibration,
    draw_confusion,
    draw_curves,
    draw_hits,
    draw_mistakes,
    draw_names,
)
from lookalike.training.classify.report import Report
from lookalike.training.classify.run import Data

PAGE_FILE, JSON_FILE = "report.html", "report.json"
SCORES = ("photos", "", "named right", "among five", "loss", "calibration error")
WAYS = ("way", "named right")

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
th, td {{ padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }}
th + th, td + td {{ text-align: right; font-variant-numeric: tabular-nums }}
img {{ max-width: 100% }}
</style>
<h1>{title}</h1>
{body}
</html>
"""

Rows = Sequence[Sequence[str]]


def write_report(folder: Path, report: Report, data: Data) -> Path:
    """Write the page, its pictures and the JSON into `folder`; return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    test, train = data.parts["test"], data.parts["train"]
    drawn: dict[str, Figure | None] = {
        "curves": draw_curves(report),
        "names": draw_names(report),
        "confusion": draw_confusion(report),
        "mistakes": draw_mistakes(report.mistakes, report, test, train),
        "hits": draw_hits(report.hits, test),
        "calibration": draw_calibration(report),
    }
    pictures = {}
    for title, figure in drawn.items():
        if figure is not None:
            figure.savefig(folder / f"{title}.png", dpi=90)
            pictures[title] = (folder / f"{title}.png").read_bytes()
    augmentation = folder.parent / "augmentation.png"
    if augmentation.exists():
        pictures["augmentation"] = augmentation.read_bytes()
    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    (folder / JSON_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / PAGE_FILE).write_text(page(folder.parent.name, report, pictures), encoding="utf-8")
    return folder / PAGE_FILE


def page(name: str, report: Report, pictures: dict[str, bytes]) -> str:
    """Return the page; names and words of the source are shown as text whatever they hold."""
    title = html.escape(f"What {name} can do")
    parts = [
        table(SCORES, score_rows(report)),
        _text(*report.split, report.account),
        "<h2>Beside other ways to name the same test photos</h2>",
        table(WAYS, compared_rows(report)),
        _section("How it learned", "curves", pictures),
        _section("What augmentation does", "augmentation", pictures),
        _section("Name by name", "names", pictures),
        _section("Who is taken for whom", "confusion", pictures),
        _section("The mistakes it was surest of, beside the name each was taken for", "mistakes", pictures),
        _section("What it was surest of, and right", "hits", pictures),
        _section("Is it as sure as it is right?", "calibration", pictures),
        "<h2>By group</h2>",
        table(("column", "value", "test photos", "named right"), _group_rows(report)),
        "<h2>The run</h2>",
        table(("setting", "value"), _run_rows(report)),
    ]
    return _PAGE.format(title=title, body="\n".join(part for part in parts if part))


def table(header: Sequence[str], rows: Rows) -> str:
    """Return a table of HTML; every cell is text."""
    if not rows:
        return "<p>The source has no such columns.</p>"
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def score_rows(report: Report) -> list[list[str]]:
    """Return a row a part: its name, photos, and figures as people read them."""
    return [
        [
            part,
            f"{scores.photos:,}",
            percent(scores.top1),
            percent(scores.top5),
            f"{scores.loss:.3f}",
            percent(scores.calibration_error),
        ]
        for part, scores in report.scores.items()
    ]


def compared_rows(report: Report) -> list[list[str]]:
    """Return this network and the other ways, each with its share of right names."""
    own = ["this network", percent(report.scores["test"].top1)]
    return [own, *([way.title, percent(way.top1)] for way in report.compared)]


def _group_rows(report: Report) -> list[list[str]]:
    return [[group.column, group.value, f"{group.photos:,}", percent(group.top1)] for group in report.groups]


def _run_rows(report: Report) -> list[list[str]]:
    run = report.run
    told = {"starts from": run.base, "minutes of training": f"{run.seconds / 60:.1f}", "faces": run.data}
    settings = {name: str(value) for name, value in vars(run.settings).items()}
    return [[name, value] for name, value in (settings | told | run.versions).items()]


def _section(title: str, name: str, pictures: dict[str, bytes]) -> str:
    if name not in pictures:
        return ""
    data = base64.b64encode(pictures[name]).decode()
    alt = html.escape(title)
    return f'<h2>{alt}</h2><img alt="{alt}" src="data:image/png;base64,{data}">'


def _text(*lines: str) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)
