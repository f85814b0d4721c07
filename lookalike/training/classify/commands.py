"""What the commands do that train a classifier of celebrities: inspect, split, classify, report."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from lookalike.errors import TrainingError
from lookalike.evaluation.splits import load_split as load_person_split
from lookalike.faces.alignment import TEMPLATE_SIZE
from lookalike.faces.detectors import load_detector
from lookalike.models.registry import load_embedder
from lookalike.sources.opening import open_sources
from lookalike.training.classify.settings import (
    DEFAULTS,
    Augmentation,
    ClassifySettings,
    check,
    load_run,
)

if TYPE_CHECKING:
    from lookalike.training.classify.faces import FolderInfo

MAX_SIDE = 224  # the largest input of any network here


def _find_faces(options: argparse.Namespace) -> FolderInfo:
    from lookalike.training.classify.faces import find_faces

    if not TEMPLATE_SIZE <= options.face_side <= MAX_SIDE:
        raise TrainingError(
            f"--face-side is {options.face_side}; choose {TEMPLATE_SIZE} to {MAX_SIDE} pixels."
        )
    source = open_sources(options.source, limit=options.limit)
    info = find_faces(
        source,
        options.output,
        detector=load_detector(options.detector),
        embedder=load_embedder(),
        side=options.face_side,
    )
    print(info.sentence)
    return info


def inspect_source(options: argparse.Namespace) -> None:
    """Print what a source contains, find its faces, and write both as a page."""
    from lookalike.sources.inspection import inspect
    from lookalike.sources.inspection_report import write_inspection
    from lookalike.training.classify.faces import read_table
    from lookalike.training.classify.overview import summarize

    source = open_sources(options.source, limit=options.limit)
    with tqdm(total=source.total, desc="photos", unit="photo", dynamic_ncols=True) as bar:
        inspection = inspect(source, source=source.name, progress=bar.update)
    for name, value in inspection.lines:
        print(f"{name}: {value}")
    info = _find_faces(options)
    overview = summarize(read_table(options.output), info)
    for note in overview.notes:
        print(note)
    written = write_inspection(
        options.output / "inspection",
        replace(inspection, numbers=overview.numbers),
        notes=overview.notes,
        further=overview.pictures,
    )
    print(f"See {written}")


def split_photos(options: argparse.Namespace) -> None:
    """Find the faces of a source, and assign the photos to training, validation and test."""
    from lookalike.training.classify.faces import read_table
    from lookalike.training.classify.photo_split import draw_photo_split, labelled_parts, save_photo_split
    from lookalike.training.classify.photo_split_plot import distance, plot_split
    from lookalike.training.run_log import save_figure

    may_test = _unseen(options.unseen_by)
    _find_faces(options)
    table = read_table(options.output)
    split = draw_photo_split(
        table,
        validation=options.validation,
        test=options.test,
        min_photos=options.min_photos,
        seed=options.seed,
        may_test=may_test,
        unseen_by=str(options.unseen_by) if options.unseen_by else None,
    )
    parts = labelled_parts(table, split)
    save_figure(plot_split(parts, split.names), options.output / "split.png")
    save_photo_split(split, options.output)
    for line in split.lines:
        print(line)
    for part in ("validation", "test"):
        difference = distance(parts["train"], parts[part], len(split.names))
        print(f"{part} and train differ in the names of {100 * difference:.1f} % of their photos")
    print(f"See {options.output / 'split.png'}")


def _unseen(path: Path | None) -> Callable[[str, str, str], bool]:
    """Return the function (source, name, file) -> whether that split keeps the photo out of training."""
    if path is None:
        return lambda source, name, file: True
    split = load_person_split(path)
    return lambda source, name, file: split.side(source, name, file) != "train"


def train_classifier(options: argparse.Namespace) -> None:
    """Train a classifier, or resume its run."""
    from lookalike.training.classify.run import classify, read_data
    from lookalike.training.device import use_device

    given = vars(options)
    resume = given.get("resume", False)
    use_device(given.get("device", "auto"))
    data = read_data(options.data)
    network = given.get("network") or (load_run(options.run).settings.network if resume else "scratch")
    settings, named = settings_from(given, network)
    run = classify(data, options.run, settings, resume=resume, given=named)
    print(f"{options.run}: {run.settings.network}, {run.seconds / 60:.1f} min of training")
    print(f"Evaluate it with: python -m lookalike.training report {options.run}")


def settings_from(given: dict[str, Any], network: str) -> tuple[ClassifySettings, tuple[str, ...]]:
    """Return the network's default settings updated by the options `given`, and the names of the latter."""
    default = DEFAULTS[network]
    own = {field.name: given[field.name] for field in fields(ClassifySettings) if field.name in given}
    views = {field.name: given[field.name] for field in fields(Augmentation) if field.name in given}
    if views:
        own["augmentation"] = replace(default.augmentation, **views)
    if "members" in own:
        own["members"] = tuple(str(Path(member).resolve()) for member in own["members"])
    return check(replace(default, **own)), tuple(own)


def report_run(options: argparse.Namespace) -> None:
    """Print how good a trained classifier is, and write its report."""
    from lookalike.evaluation.markdown import markdown
    from lookalike.training.classify.report import make_report
    from lookalike.training.classify.report_page import (
        BASELINES,
        SCORES,
        baseline_rows,
        score_rows,
        write_report,
    )
    from lookalike.training.classify.run import read_data
    from lookalike.training.run_log import read_log

    run = load_run(options.run)
    data = read_data(options.data or Path(run.data))
    if data.split_hash != run.split:
        raise TrainingError(f"{data.folder} was split again after {options.run} was trained; train again.")
    report = make_report(options.run, data, read_log(options.run))
    page = write_report(options.run / "report", report, data)
    print(markdown(SCORES, score_rows(report)), markdown(BASELINES, baseline_rows(report)), sep="\n\n")
    print(f"See {page}")
