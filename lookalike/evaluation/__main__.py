"""Evaluate a model. Each command prints a Markdown table, and writes it with a JSON file and charts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from lookalike.errors import LookalikeError, MissingFileError
from lookalike.evaluation import commands
from lookalike.evaluation.splits import BUNDLED_SPLIT, load_split
from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS, load_detector
from lookalike.files import check_writable, escape_unprintable_output
from lookalike.models.registry import DEFAULT_MODEL

MODEL_HELP = "a model by its name, the folder of a training run, or a network in an ONNX file"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, or 2 with an error on stderr."""
    escape_unprintable_output()
    options = _parser().parse_args(arguments)
    try:
        _check(options)
        options.run_command(options)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        place, reason = error.filename or options.output, error.strerror or error
        print(f"error: {place} could not be read or written ({reason}).", file=sys.stderr)
        return 2
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise a LookalikeError, before the work, if something is missing that a command needs."""
    from lookalike.evaluation.models import open_model

    try:
        check_writable(options.output)
    except OSError as error:
        reason = error.strerror or error
        raise MissingFileError(
            f"{options.output} cannot be written ({reason}); choose another folder with --output."
        ) from error
    load_split(options.split)
    load_detector(options.detector)
    for spec in [options.model] if isinstance(options.model, str) else options.model:
        open_model(spec)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike.evaluation", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    verify = _command(
        subparsers,
        commands.verify,
        "verification (do two photos show one person?) and the cost of one or several models",
    )
    verify.add_argument(
        "--pairs",
        type=Path,
        required=True,
        metavar="FILE",
        help="tab-separated file with the columns first, second (file names) and same (0 or 1)",
    )
    retrieve = _command(
        subparsers, commands.retrieve, "retrieval: enrol some photos of each name and look up the others"
    )
    retrieve.add_argument(
        "--photos-per-name",
        type=int,
        default=10,
        metavar="N",
        help="photos of each name to enrol (default: %(default)s)",
    )
    groups = _command(
        subparsers, commands.groups, "accuracy by source, colour and detector, and for degraded photos"
    )
    groups.add_argument(
        "--other-detectors",
        nargs="*",
        default=["yunet"],
        metavar="NAME",
        help="detectors to compare with (default: yunet)",
    )
    cohort = _command(
        subparsers,
        commands.cohort,
        "fit the cohort of ordinary strangers that normalizes a model's cosines, and store it in the JSON "
        "beside the model",
    )
    strangers = _command(
        subparsers, commands.strangers, "write photos of ordinary strangers for build_gallery.py --cohort"
    )
    strangers.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="tables of aligned faces")
    strangers.set_defaults(detector=DEFAULT_DETECTOR, model=[])  # finds and embeds no face
    percentage = _command(
        subparsers,
        commands.percentage,
        "fit the percentage on held-out people, check it on others, and store it in the JSON beside the "
        "model",
    )
    for command in (verify, retrieve):
        command.add_argument(
            "--model",
            nargs="+",
            default=[DEFAULT_MODEL],
            metavar="NAME",
            help=f"{MODEL_HELP} (default: {DEFAULT_MODEL})",
        )
    for command in (groups, cohort, percentage):
        command.add_argument(
            "--model", default=DEFAULT_MODEL, metavar="NAME", help=f"{MODEL_HELP} (default: %(default)s)"
        )
    for command in (verify, retrieve, groups, cohort, percentage):
        _add_photos(command)
    for command in (verify, retrieve, groups, cohort, percentage, strangers):
        _add_files(command)
    return parser


def _command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], None],
    summary: str,
) -> argparse.ArgumentParser:
    """Add the command that is called like its function."""
    command = subparsers.add_parser(
        run.__name__, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    command.set_defaults(run_command=run)
    return command


def _add_photos(command: argparse.ArgumentParser) -> None:
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="photos, as for build_gallery.py")
    command.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--split",
        type=Path,
        default=BUNDLED_SPLIT,
        metavar="FILE",
        help="the people who were kept out of training, in JSON (default: those of the bundled model)",
    )
    command.add_argument(
        "--output",
        type=Path,
        default=Path("reports"),
        metavar="FOLDER",
        help="folder for the results (default: %(default)s)",
    )


if __name__ == "__main__":
    sys.exit(main())
