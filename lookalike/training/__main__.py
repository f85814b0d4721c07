"""Train networks: distil `compact` from a teacher, or train a classifier of celebrities."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import LookalikeError, MissingFileError
from lookalike.evaluation.splits import BUNDLED_SPLIT, Split, load_split
from lookalike.files import BUNDLED, escape_unprintable_output
from lookalike.training.classify.arguments import add_command, add_commands, add_detector, add_numbers

if TYPE_CHECKING:
    from lookalike.training.networks import CompactWidths


def main(arguments: list[str] | None = None, *, widths: CompactWidths | None = None) -> int:
    """Run one command; return its exit code: 0, or 2 with a sentence on stderr. `widths` sets the size of the
    network that `distill` trains.
    """
    escape_unprintable_output()
    options = _parser().parse_args(arguments, argparse.Namespace(widths=widths))
    try:
        options.run_command(options)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        file = error.filename or "A file"
        print(
            f"error: {file} could not be read or written ({error.strerror or error}). If the disk is full, "
            "free some space and run the command again; `classify` needs --resume to continue.",
            file=sys.stderr,
        )
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = add_command(
        commands, "prepare", _prepare, "detect and align the faces of photos, and embed them with a teacher"
    )
    prepare.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a source of photos, as for build_gallery.py"
    )
    prepare.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the Parquet file to write"
    )
    _add_teacher(prepare)
    _add_distill(commands)
    curves = add_command(
        commands,
        "curves",
        _curves,
        "draw the learning curves of one run, or of several that continue each other",
    )
    curves.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folders of runs, the earliest first"
    )
    curves.add_argument("--output", type=Path, required=True, metavar="FILE", help="the PNG file to write")
    add_commands(commands)
    return parser


def _add_distill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    distill = add_command(
        commands, "distill", _distill, "train `compact` to reproduce a teacher's embeddings"
    )
    faces = distill.add_mutually_exclusive_group(required=True)
    faces.add_argument(
        "--faces", type=Path, nargs="+", metavar="FILE", help="tables of aligned faces, as `prepare` writes"
    )
    faces.add_argument(
        "--source", nargs="+", help="sources of photos instead; their table of faces is kept in RUN"
    )
    distill.add_argument(
        "--split",
        type=Path,
        metavar="FILE",
        help="the split of people (default: the bundled one; with --source a random one)",
    )
    distill.add_argument(
        "--run", type=Path, required=True, help="folder of checkpoints and logs; an unfinished run is resumed"
    )
    distill.add_argument(
        "--start", type=Path, metavar="FILE", help="an exported network of the same shape to start from"
    )
    add_numbers(
        distill,
        ("--epochs", int, 36, "number of epochs"),
        ("--views", int, None, "views in an epoch (default: as many as there are faces)"),
        ("--batch", int, 64, "faces in a batch"),
        ("--rate", float, 2e-3, "peak learning rate"),
        (
            "--patience",
            int,
            10,
            "stop when so many epochs were on average no better than as many before them",
        ),
        ("--seed", int, 0, "of the random numbers"),
    )
    distill.add_argument(
        "--passes",
        type=int,
        dest="epochs",
        default=argparse.SUPPRESS,
        metavar="N",
        help="the old name of --epochs",
    )
    distill.add_argument(
        "--output",
        type=Path,
        default=BUNDLED / "compact.onnx",
        metavar="FILE",
        help="the network to write (default: the bundled network, which is replaced)",
    )
    _add_teacher(distill)


def _add_teacher(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--teacher",
        required=True,
        metavar="MODEL",
        help="a face embedder in ONNX, or the name of one of DeepFace's models",
    )
    add_detector(command)


def _prepare(options: argparse.Namespace) -> None:
    from lookalike.evaluation.models import open_model
    from lookalike.training.face_table import prepare

    teacher = open_model(options.teacher)
    prepare(options.sources, teacher=teacher, detector=options.detector, output=options.output)


def _distill(options: argparse.Namespace) -> None:
    from lookalike.evaluation.aligned_faces import read_faces
    from lookalike.evaluation.models import open_model
    from lookalike.training.distillation import DistillSettings, distill
    from lookalike.training.export import export_onnx
    from lookalike.training.networks import CompactWidths
    from lookalike.training.within_class import normalize_within_class

    teacher = open_model(options.teacher)
    if options.start and not options.start.is_file():
        raise MissingFileError(f"There is no network at {options.start}; give an ONNX file to --start.")
    tables, split = _faces_and_split(options)
    train = read_faces(tables, split, "train")
    network = distill(
        train,
        read_faces(tables, split, "validation"),
        options.run,
        DistillSettings(
            epochs=options.epochs,
            views=options.views,
            batch=options.batch,
            peak_rate=options.rate,
            patience=options.patience,
            seed=options.seed,
            widths=options.widths or CompactWidths(),
        ),
        teacher=teacher if teacher.model.alignment == "template" else None,
        start=options.start,
    )
    normalize_within_class(network, train)
    export_onnx(network, options.output, train.images)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


def _faces_and_split(options: argparse.Namespace) -> tuple[Sequence[Path], Split]:
    """Return the tables of faces and the split of people. With --source the table is made once and kept
    in RUN, and so is the split unless --split names one.
    """
    from lookalike.evaluation.aligned_faces import names_of
    from lookalike.evaluation.models import open_model
    from lookalike.evaluation.splits import draw_split, save_split
    from lookalike.training.face_table import prepare

    if options.faces:
        return options.faces, load_split(options.split or BUNDLED_SPLIT)
    table, drawn = options.run / "faces.parquet", options.run / "split.json"
    options.run.mkdir(parents=True, exist_ok=True)
    if not table.exists():
        teacher = open_model(options.teacher)
        prepare(options.source, teacher=teacher, detector=options.detector, output=table)
    if not options.split and not drawn.exists():
        save_split(draw_split(names_of(table), seed=options.seed), drawn)
    return [table], load_split(options.split or drawn)


def _curves(options: argparse.Namespace) -> None:
    from lookalike.training.run_log import draw_curves, read_log, save_figure

    logs = [read_log(run) for run in options.runs]
    for run, log in zip(options.runs, logs, strict=True):
        if not log:
            raise MissingFileError(f"There is no log of a run in {run}.")
    save_figure(draw_curves(logs), options.output, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
