"""Evaluate a model. Each command prints a Markdown table, and writes it with a JSON file and charts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lookalike.errors import LookalikeError, MissingFileError
from lookalike.evaluation import commands
from lookalike.evaluation.splits import BUNDLED_SPLIT, load_split
from lookalike.faces.detectors import DEFAULT_DETECTOR, load_detector
from lookalike.files import check_writable, escape_unprintable_output
from lookalike.models.registry import DEFAULT_MODEL


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

    verify = subparsers.add_parser(
        "verify", help="verification (do two photos show one person?) and the cost of one or several models"
    )
    verify.add_argument(
        "--pairs",
        type=Path,
        required=True,
        help="tab-separated file with the columns first, second (file names) and same (0 or 1)",
    )
    verify.set_defaults(run_command=commands.verify)

    retrieve = subparsers.add_parser(
        "retrieve", help="retrieval: enrol some photos of each name and look up the others"
    )
    retrieve.add_argument("--photos-per-name", type=int, default=10, help="photos of each name to enrol")
    retrieve.set_defaults(run_command=commands.retrieve)

    groups = subparsers.add_parser(
        "groups", help="accuracy by source, colour and detector, and for degraded photos"
    )
    groups.add_argument("--other-detectors", nargs="*", default=["yunet"], help="detectors to compare with")
    groups.set_defaults(run_command=commands.groups)

    cohort = subparsers.add_parser(
        "cohort", help="fit the cohort of ordinary strangers that normalizes a model's cosines"
    )
    cohort.set_defaults(run_command=commands.cohort)

    strangers = subparsers.add_parser(
        "strangers", help="write photos of ordinary strangers for build_gallery.py --cohort"
    )
    strangers.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help="tables of aligned faces")
    strangers.set_defaults(
        run_command=commands.strangers, detector=DEFAULT_DETECTOR, model=[]
    )  # finds and embeds no face

    percentage = subparsers.add_parser(
        "percentage", help="fit the percentage on held-out people, check it on others, and store it"
    )
    percentage.set_defaults(run_command=commands.percentage)

    for command in (verify, retrieve):
        command.add_argument(
            "--model", nargs="+", default=[DEFAULT_MODEL], help="names of models, or ONNX files"
        )
    for command in (groups, cohort, percentage):
        command.add_argument("--model", default=DEFAULT_MODEL, help="the name of a model, or an ONNX file")
    for command in (verify, retrieve, groups, cohort, percentage):
        command.add_argument("sources", nargs="+", metavar="SOURCE", help="what build_gallery.py takes")
        command.add_argument("--detector", default=DEFAULT_DETECTOR)
    for command in (verify, retrieve, groups, cohort, percentage, strangers):
        command.add_argument("--split", type=Path, default=BUNDLED_SPLIT, help="split of people")
        command.add_argument("--output", type=Path, default=Path("reports"), help="folder for the results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
