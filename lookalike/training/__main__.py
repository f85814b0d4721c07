"""The training room's commands."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lookalike.embedders import BUNDLED
from lookalike.errors import LookalikeError
from lookalike.splits import BUNDLED_SPLIT, load_split


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, or 2 with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run_command(options)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    prepare = commands.add_parser(
        "prepare", help="find and align the faces of photos, with a teacher's embeddings"
    )
    prepare.add_argument("sources", nargs="+", metavar="SOURCE", help="what build_gallery.py takes")
    prepare.add_argument("--teacher", type=Path, required=True, help="a face embedder in ONNX")
    prepare.add_argument("--detector", default="yunet")
    prepare.add_argument("--output", type=Path, required=True, help="the Parquet file to write")
    prepare.set_defaults(run_command=_prepare)

    distill = commands.add_parser("distill", help="teach `compact` to give a teacher's embeddings")
    distill.add_argument("--faces", type=Path, required=True, help="a table that `prepare` wrote")
    distill.add_argument("--split", type=Path, default=BUNDLED_SPLIT, help="who trains and who judges")
    distill.add_argument(
        "--run", type=Path, required=True, help="folder of checkpoints and logs; an unfinished run goes on"
    )
    distill.add_argument("--passes", type=int, default=36, help="how often each face is seen")
    distill.add_argument("--seed", type=int, default=0)
    distill.add_argument("--output", type=Path, default=BUNDLED / "compact.onnx", help="the network to write")
    distill.set_defaults(run_command=_distill)
    return parser


def _prepare(options: argparse.Namespace) -> None:
    from lookalike.training.preparation import prepare

    prepare(options.sources, teacher=options.teacher, detector=options.detector, output=options.output)


def _distill(options: argparse.Namespace) -> None:
    from lookalike.evaluation.aligned import read_faces
    from lookalike.training.distillation import DistillSettings, distill
    from lookalike.training.export import export_onnx

    split = load_split(options.split)
    train = read_faces(options.faces, split, "train")
    judge = read_faces(options.faces, split, "validation")
    network = distill(train, judge, options.run, DistillSettings(passes=options.passes, seed=options.seed))
    export_onnx(network, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
