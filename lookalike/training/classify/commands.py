"""The commands from a source of photos to a network that names people."""

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

if TYPE_CHECKING:
    from lookalike.training.classify.faces import About
    from lookalike.training.classify.settings import ClassifySettings

NETWORKS = ("scratch", "mobilenet", "inception", "compact", "ensemble")
MIN_PHOTOS = 6  # so that a tenth rounds to a photo for each judge, and four are left to learn from
MAX_SIDE = 224  # the largest input that a network here takes


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the training room's parser."""
    inspect = commands.add_parser("inspect", help="see what is in a source, and what its faces are like")
    _add_source(inspect)
    inspect.set_defaults(run_command=_inspect)
    split = commands.add_parser("split", help="find the faces of photos, and draw who trains and who judges")
    split.add_argument("--validation", type=_share, default=0.1, help="share of each name's photos")
    split.add_argument("--test", type=_share, default=0.1, help="share of each name's photos")
    split.add_argument("--min-photos", type=int, default=MIN_PHOTOS, help="names with fewer are left out")
    split.add_argument("--seed", type=int, default=0)
    split.add_argument(
        "--unseen-by",
        type=Path,
        metavar="SPLIT",
        help="test only on photos that this file's training never saw: lookalike/bundled/split.json for the "
        "faces that taught `compact`",
    )
    _add_source(split)
    split.set_defaults(run_command=_split)
    _add_classify(commands)
    report = commands.add_parser("report", help="say what a trained network can do, and where it errs")
    report.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    report.add_argument("--data", type=Path, help="the folder of faces, where it was moved")
    report.set_defaults(run_command=_report)


def _add_classify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "classify",
        help="train a network that names the people of a split",
        argument_default=argparse.SUPPRESS,  # what is not given is the network's own default
    )
    command.add_argument("data", type=Path, metavar="DATA", help="a folder that `split` wrote")
    command.add_argument("--run", type=Path, required=True, help="the folder of this run")
    command.add_argument("--network", choices=NETWORKS)
    command.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    command.add_argument("--size", type=int, metavar="PIXELS", help="width and height of the input")
    command.add_argument("--epochs", type=int, help="passes over the training photos, the whole network")
    command.add_argument("--head-epochs", type=int, help="passes before, with the base frozen")
    command.add_argument("--batch", type=int)
    command.add_argument("--rate", type=float, help="Adam's rate at its peak")
    command.add_argument("--head-rate", type=float, help="the same while the base is frozen")
    command.add_argument("--dropout", type=float)
    command.add_argument("--l1", type=float, help="weight of the sum of all weights' sizes in the loss")
    command.add_argument("--l2", type=float, help="weight of the sum of all weights' squares in the loss")
    command.add_argument("--class-weights", action=argparse.BooleanOptionalAction)
    command.add_argument("--standardize", action=argparse.BooleanOptionalAction)
    command.add_argument("--patience", type=int, help="stop after so many passes without a lower loss")
    command.add_argument("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"))
    command.add_argument("--device", choices=("auto", "cpu", "gpu"))
    command.add_argument("--seed", type=int)
    command.add_argument("--start", help="the base's weights: imagenet, bundled, none, or a file")
    command.add_argument("--members", nargs="+", metavar="RUN", help="the runs that an ensemble joins")
    for name in ("rotation", "shift", "shear", "zoom", "brightness"):
        command.add_argument(f"--{name}", type=float, help="strength of this augmentation, 0 for none")
    command.add_argument("--flip", action=argparse.BooleanOptionalAction)
    command.set_defaults(run_command=_classify)


def _add_source(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", nargs="+", metavar="SOURCE", help="what build_gallery.py takes")
    command.add_argument("--output", type=Path, required=True, metavar="DATA", help="the folder to write")
    command.add_argument("--detector", default=DEFAULT_DETECTOR)
    command.add_argument(
        "--face-side",
        type=int,
        default=TEMPLATE_SIZE,
        metavar="PIXELS",
        help=f"width and height of a stored face, {TEMPLATE_SIZE} to {MAX_SIDE}; more only where the photos "
        "show more (default: %(default)s)",
    )
    command.add_argument("--limit", type=int, metavar="N", help="read the first N records only")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 0.5:
        raise argparse.ArgumentTypeError(f"'{text}' is not a share between 0 and 0.5")
    return share


def _faces(options: argparse.Namespace) -> About:
    from lookalike.training.classify.faces import find_faces

    if not TEMPLATE_SIZE <= options.face_side <= MAX_SIDE:
        raise TrainingError(f"--face-side is {options.face_side}; give {TEMPLATE_SIZE} to {MAX_SIDE} pixels.")
    source = open_sources(options.source, limit=options.limit)
    about = find_faces(
        source,
        options.output,
        detector=load_detector(options.detector),
        embedder=load_embedder(),
        side=options.face_side,
    )
    print(about.sentence)
    return about


def _inspect(options: argparse.Namespace) -> None:
    from lookalike.sources.inspection import inspect
    from lookalike.sources.inspection_report import write_inspection
    from lookalike.training.classify.faces import read_table
    from lookalike.training.classify.overview import look

    inspection = inspect(source := open_sources(options.source, limit=options.limit), source=source.name)
    for what, figure in inspection.lines:
        print(f"{what}: {figure}")
    about = _faces(options)
    seen = look(read_table(options.output), about)
    for note in seen.notes:
        print(note)
    written = write_inspection(
        options.output / "inspection",
        replace(inspection, numbers=seen.numbers),
        notes=seen.notes,
        further=seen.pictures,
    )
    print(f"See {written}")


def _split(options: argparse.Namespace) -> None:
    from lookalike.training.classify.faces import read_table
    from lookalike.training.classify.split import draw, parts_of, save_split
    from lookalike.training.classify.split_plot import distance, draw_split

    may_judge = _unseen(options.unseen_by)
    _faces(options)
    table = read_table(options.output)
    drawn = draw(
        table,
        validation=options.validation,
        test=options.test,
        min_photos=options.min_photos,
        seed=options.seed,
        may_judge=may_judge,
        unseen_by=str(options.unseen_by) if options.unseen_by else None,
    )
    parts = parts_of(table, drawn)
    draw_split(parts, drawn.names).savefig(options.output / "split.png", dpi=90)
    save_split(drawn, options.output)
    for line in drawn.lines:
        print(line)
    for part in ("validation", "test"):
        apart = distance(parts["train"], parts[part], len(drawn.names))
        print(f"{part} and train differ in the names of {100 * apart:.1f} % of their photos")
    print(f"See {options.output / 'split.png'}")


def _unseen(path: Path | None) -> Callable[[str, str, str], bool]:
    """Return what says of a photo, by source, name and file, whether the training of that split never saw
    it.
    """
    if path is None:
        return lambda source, name, file: True
    split = load_person_split(path)
    return lambda source, name, file: split.side(source, name, file) != "train"


def _classify(options: argparse.Namespace) -> None:
    from lookalike.training.classify.run import classify, read_data
    from lookalike.training.classify.settings import load_run
    from lookalike.training.device import use_device

    given = vars(options)
    resume = given.get("resume", False)
    use_device(given.get("device", "auto"))
    data = read_data(options.data)
    network = given.get("network") or (load_run(options.run).settings.network if resume else "scratch")
    settings, named = settings_from(given, network)
    run = classify(data, options.run, settings, resume=resume, given=named)
    print(f"{options.run}: {run.settings.network}, {run.seconds / 60:.1f} min of training")
    print(f"What it can do: python -m lookalike.training report {options.run}")


def settings_from(given: dict[str, Any], network: str) -> tuple[ClassifySettings, tuple[str, ...]]:
    """Return a network's settings with those of the options `given`, and the names of these settings."""
    from lookalike.training.classify.settings import DEFAULTS, Augmentation, ClassifySettings, check

    default = DEFAULTS[network]
    own = {field.name: given[field.name] for field in fields(ClassifySettings) if field.name in given}
    views = {field.name: given[field.name] for field in fields(Augmentation) if field.name in given}
    if views:
        own["augmentation"] = replace(default.augmentation, **views)
    if "members" in own:
        own["members"] = tuple(str(Path(member).resolve()) for member in own["members"])
    return check(replace(default, **own)), tuple(own)


def _report(options: argparse.Namespace) -> None:
    from lookalike.evaluation.reports import markdown
    from lookalike.training.callbacks import read_log
    from lookalike.training.classify.report import make_report
    from lookalike.training.classify.report_page import SCORES, WAYS, compared_rows, score_rows, write_report
    from lookalike.training.classify.run import read_data
    from lookalike.training.classify.settings import load_run

    run = load_run(options.run)
    data = read_data(options.data or Path(run.data))
    if data.split != run.split:
        raise TrainingError(f"{data.folder} was split again since {options.run} was trained; train again.")
    report = make_report(options.run, data, read_log(options.run))
    page = write_report(options.run / "report", report, data)
    print(markdown(SCORES, score_rows(report)), markdown(WAYS, compared_rows(report)), sep="\n\n")
    print(f"See {page}")
