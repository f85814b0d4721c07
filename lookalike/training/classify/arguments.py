"""The command lines of the commands that train a classifier of celebrities."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from lookalike.faces.alignment import TEMPLATE_SIZE
from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from lookalike.training.classify.commands import (
    MAX_SIDE,
    inspect_source,
    report_run,
    split_photos,
    train_classifier,
)
from lookalike.training.classify.settings import NETWORKS

MIN_PHOTOS = 6  # leaves one photo for validation, one for test and four for training
# Options of `classify`
AUGMENTATION = "strength of this augmentation, 0 for none"
NUMBERS: tuple[tuple[str, type[int | float], str], ...] = (
    ("epochs", int, "number of epochs that train all layers"),
    ("head-epochs", int, "number of epochs before, with a frozen base"),
    ("batch", int, "faces in a batch"),
    ("rate", float, "Adam's peak learning rate"),
    ("head-rate", float, "peak learning rate while the base is frozen"),
    ("dropout", float, "fraction of the features that are dropped before the last layer"),
    ("l1", float, "strength of L1 regularization"),
    ("l2", float, "strength of L2 regularization"),
    ("patience", int, "stop after this many epochs without a lower validation loss"),
    ("seed", int, "of the random numbers"),
    *((name, float, AUGMENTATION) for name in ("rotation", "shift", "shear", "zoom", "brightness")),
)
SWITCHES = {
    "class-weights": "let photos of rarer names weigh more",
    "standardize": "scale pixels to mean 0 and deviation 1 over the photos of training",
    "flip": "mirror half of the faces",
}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser of `python -m lookalike.training`."""
    inspect = add_command(
        commands, "inspect", inspect_source, "report what a source contains, and what its faces look like"
    )
    _add_source(inspect)
    _add_split(commands)
    _add_classify(commands)
    report = add_command(
        commands, "report", report_run, "evaluate a trained classifier and show its mistakes"
    )
    report.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    report.add_argument("--data", type=Path, help="the folder of faces, if it was moved")


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
) -> argparse.ArgumentParser:
    """Add a command that calls `run`; `summary` is its help and its description."""
    command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    command.set_defaults(run_command=run)
    return command


def add_detector(command: argparse.ArgumentParser) -> None:
    """Add the option for the detector of faces."""
    command.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )


def add_numbers(
    command: argparse.ArgumentParser, *numbers: tuple[str, type[int | float], float | None, str]
) -> None:
    """Add options that are numbers: name, type, default and help of each."""
    for name, kind, default, text in numbers:
        shown = text if default is None else f"{text} (default: {default:g})"
        command.add_argument(name, type=kind, default=default, metavar="N", help=shown)


def _add_split(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    split = add_command(
        commands,
        "split",
        split_photos,
        "detect the faces, and assign the photos to training, validation and test",
    )
    for part in ("validation", "test"):
        split.add_argument(
            f"--{part}",
            type=_fraction,
            default=0.1,
            metavar="N",
            help=f"fraction of each name's photos for {part} (default: %(default)s)",
        )
    add_numbers(
        split,
        ("--min-photos", int, MIN_PHOTOS, "leave out names with fewer photos"),
        ("--seed", int, 0, "of the random numbers"),
    )
    split.add_argument(
        "--unseen-by",
        type=Path,
        metavar="SPLIT",
        help="test only on photos that the network of this split was not trained on: "
        "lookalike/bundled/split.json for `compact`",
    )
    _add_source(split)


def _add_classify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = add_command(
        commands,
        "classify",
        train_classifier,
        "train a classifier on the faces of a folder; options that are not given have defaults for each "
        "network",
    )
    command.argument_default = argparse.SUPPRESS  # so that only options that are given are set
    command.add_argument("data", type=Path, metavar="DATA", help="a folder that `split` wrote")
    command.add_argument("--run", type=Path, required=True, help="the folder of this run")
    command.add_argument("--network", choices=NETWORKS, help="what to train (default: scratch)")
    command.add_argument("--resume", action="store_true", help="resume the run in the folder")
    command.add_argument("--size", type=int, metavar="PIXELS", help="width and height of the network's input")
    for name, kind, text in NUMBERS:
        command.add_argument(f"--{name}", type=kind, metavar="N", help=text)
    for name, text in SWITCHES.items():
        command.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=text)
    command.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="of the numbers in training; mixed is faster where the processor has it",
    )
    command.add_argument(
        "--device", choices=("auto", "cpu", "gpu"), help="auto takes a GPU where there is one (default)"
    )
    command.add_argument("--start", help="initial weights of the base: imagenet, bundled, none, or a file")
    command.add_argument("--members", nargs="+", metavar="RUN", help="the runs that an ensemble averages")


def _add_source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "source", nargs="+", metavar="SOURCE", help="a source of photos, as for build_gallery.py"
    )
    command.add_argument("--output", type=Path, required=True, metavar="DATA", help="the folder to write")
    add_detector(command)
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
