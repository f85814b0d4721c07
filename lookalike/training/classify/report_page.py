"""Write the report of a classifier: one HTML page that contains its figures, the figures, and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

from lookalike.evaluation.markdown import percent
from lookalike.files import write_text
from lookalike.reports import Section, html_report
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
from lookalike.training.run_log import save_figure

PAGE_FILE, JSON_FILE = "report.html", "report.json"
SCORES = ("photos", "", "top-1 accuracy", "top-5 accuracy", "loss", "calibration error")
BASELINES = ("method", "top-1 accuracy")
GROUPS = ("column", "value", "test photos", "top-1 accuracy")
FIGURES = {  # title of the section -> figure
    "Learning curves": "curves",
    "Augmentation": "augmentation",
    "Accuracy by name": "names",
    "Confusion matrix": "confusion",
    "Mistakes with the highest confidence, beside the predicted name": "mistakes",
    "Correct predictions with the highest confidence": "hits",
    "Calibration": "calibration",
}


def write_report(folder: Path, report: Report, data: Data) -> Path:
    """Write the page, its figures and the JSON into `folder`; return the page's path."""
    test, train = data.parts["test"], data.parts["train"]
    figures: dict[str, Figure | None] = {
        "curves": draw_curves(report),
        "names": draw_names(report),
        "confusion": draw_confusion(report),
        "mistakes": draw_mistakes(report.mistakes, report, test, train),
        "hits": draw_hits(report.hits, test),
        "calibration": draw_calibration(report),
    }
    for name, figure in figures.items():
        if figure is not None:
            save_figure(figure, folder / f"{name}.png")
    files = {name: folder / f"{name}.png" for name, figure in figures.items() if figure is not None}
    files["augmentation"] = folder.parent / "augmentation.png"
    pictures = {name: file.read_bytes() for name, file in files.items() if file.exists()}
    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    write_text(folder / JSON_FILE, text + "\n")
    write_text(folder / PAGE_FILE, page(folder.parent.name, report, pictures))
    return folder / PAGE_FILE


def page(name: str, report: Report, pictures: dict[str, bytes]) -> str:
    """Return the page of the run called `name`, with PNG files by name."""
    groups = _group_rows(report)
    no_groups = () if groups else ("The source has no such columns.",)
    sections = [
        Section(header=SCORES, rows=score_rows(report)),
        Section(lines=(*report.split, report.faces)),
        Section("Other methods on the same test photos", header=BASELINES, rows=baseline_rows(report)),
        *(Section(title, figure=pictures[figure]) for title, figure in FIGURES.items() if figure in pictures),
        Section("Accuracy by group", lines=no_groups, header=GROUPS, rows=groups),
        Section("Settings", header=("setting", "value"), rows=_run_rows(report)),
    ]
    return html_report(f"Report of {name}", sections)


def score_rows(report: Report) -> list[list[str]]:
    """Return one row for each part: its name, number of photos and formatted metrics."""
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


def baseline_rows(report: Report) -> list[list[str]]:
    """Return this network and the other methods, each with its test accuracy."""
    own = ["this network", percent(report.scores["test"].top1)]
    return [own, *([baseline.title, percent(baseline.top1)] for baseline in report.baselines)]


def _group_rows(report: Report) -> list[list[str]]:
    return [[group.column, group.value, f"{group.photos:,}", percent(group.top1)] for group in report.groups]


def _run_rows(report: Report) -> list[list[str]]:
    run = report.run
    record = {"starts from": run.base, "minutes of training": f"{run.seconds / 60:.1f}", "faces": run.data}
    settings = {name: str(value) for name, value in vars(run.settings).items()}
    return [[name, value] for name, value in (settings | record | run.versions).items()]
