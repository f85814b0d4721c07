"""The commands that train a classifier of celebrities: inspect, split, classify, report."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import TrainingError
from lookalike.evaluation.splits import load_split as load_person_split
from lookalike.faces.alignment import TEMPLATE_SIZE
from lookalike.faces.detectors import DEFAULT_DETECTOR, load_detector
from lookalike.models.registry import load_embedder
from lookalike.sources.opening import open_sources
from lookalike.training.classify.settings import (
    DEFAULTS,
    NETWORKS,
    Augmentation,
    ClassifySettings,
    check,
    load_run,
)

if TYPE_CHECKING:
    from lookalike.training.classify.faces import FolderInfo

MIN_PHOTOS = 6  # leaves one photo for validation, one for test and four for training
MAX_SIDE = 224  # the largest input of any network here


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser of `python -m lookalike.training`."""
    inspect = commands.add_parser(
        "inspect", help="report what a source contains, and what its faces look like"
    )
    _add_source(inspect)
    inspect.set_defaults(run_command=_inspect)
    split = commands.add_parser(
        "split", help="detect the faces, and assign the photos to training, validation and test"
    )
    split.add_argument("--validation", type=_fraction, default=0.1, help="fraction of each name's photos")
    split.add_argument("--test", type=_fraction, default=0.1, help="fraction of each name's photos")
    split.add_argument("--min-photos", type=int, default=MIN_PHOTOS, help="leave out names with fewer photos")
    split.add_argument("--seed", type=int, default=0)
    split.add_argument(
        "--unseen-by",
        type=Path,
        metavar="SPLIT",
        help="test only on photos that the network of this split was not trained on: "
        "lookalike/bundled/split.json for `compact`",
    )
    _add_source(split)
    split.set_defaults(run_command=_split)
    _add_classify(commands)
    report = commands.add_parser("report", help="evaluate a trained classifier and show its mistakes")
    report.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    report.add_argument("--data", type=Path, help="the folder of faces, if it was moved")
    report.set_defaults(run_command=_report)


def _add_classify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "classify",
        help="train a classifier on the faces of a folder",
        argument_default=argparse.SUPPRESS,  # options that are not given get the network's defaults
    )
    command.add_argument("data", type=Path, metavar="DATA", help="a folder that `split` wrote")
    command.add_argument("--run", type=Path, required=True, help="the folder of this run")
    command.add_argument("--network", choices=NETWORKS)
    command.add_argument("--resume", action="store_true", help="resume the run in the folder")
    command.add_argument("--size", type=int, metavar="PIXELS", help="width and height of the network's input")
    command.add_argument("--epochs", type=int, help="number of epochs that train all layers")
    command.add_argument("--head-epochs", type=int, help="number of epochs before, with a frozen base")
    command.add_argument("--batch", type=int, help="batch size")
    command.add_argument("--rate", type=float, help="Adam's peak learning rate")
    command.add_argument("--head-rate", type=float, help="peak learning rate while the base is frozen")
    command.add_argument("--dropout", type=float)
    command.add_argument("--l1", type=float, help="strength of L1 regularization")
    command.add_argument("--l2", type=float, help="strength of L2 regularization")
    command.add_argument("--class-weights", action=argparse.BooleanOptionalAction)
    command.add_argument("--standardize", action=argparse.BooleanOptionalAction)
    command.add_argument(
        "--patience", type=int, help="stop after this many epochs without a lower validation loss"
    )
    command.add_argument("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"))
    command.add_argument("--device", choices=("auto", "cpu", "gpu"))
    command.add_argument("--seed", type=int)
    command.add_argument("--start", help="initial weights of the base: imagenet, bundled, none, or a file")
    command.add_argument("--members", nargs="+", metavar="RUN", help="the runs that an ensemble averages")
    for name in ("rotation", "shift", "shear", "zoom", "brightness"):
        command.add_argument(f"--{name}", type=float, help="strength of this augmentation, 0 for none")
    command.add_argument("--flip", action=argparse.BooleanOptionalAction)
    command.set_defaults(run_command=_classify)


def _add_source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "source", nargs="+", metavar="SOURCE", help="a source of photos, as for build_gallery.py"
    )
    command.add_argument("--output", type=Path, required=True, metavar="DATA", help="the folder to write")
    command.add_argument("--detector", default=DEFAULT_DETECTOR)
    command.add_argument(
        "--face-side",
        type=int,
        default=TEMPLATE_SIZE,
        metavar="PIXELS",
        help=f"width and height of a stored face, {TEMPLATE_SIZE} to {MAX_SIDE}; a larger value helps only "
        "with larger faces (default: %(default)s)",
    )
    command.add_argument("--limit", type=int, metavar="N", help="read the first N records only")


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 0.5:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number between 0 and 0.5")
    return fraction


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


def _inspect(options: argparse.Namespace) -> None:
    from lookalike.sources.inspection import inspect
    from lookalike.sources.inspection_report import write_inspection
    from lookalike.training.classify.faces import read_table
    from lookalike.training.classify.overview import summarize

    inspection = inspect(source := open_sources(options.source, limit=options.limit), source=source.name)
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


def _split(options: argparse.Namespace) -> None:
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


def _classify(options: argparse.Namespace) -> None:
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


def _report(options: argparse.Namespace) -> None:
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
