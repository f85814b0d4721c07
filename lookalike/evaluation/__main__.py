"""The commands that judge a model."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.detectors import DEFAULT_DETECTOR
from lookalike.embedders import BUNDLED, DEFAULT_MODEL, load_embedder
from lookalike.errors import LookalikeError
from lookalike.evaluation.aligned import AlignedFaces, read_faces
from lookalike.splits import BUNDLED_SPLIT, Split, load_split


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code: 0, or 2 with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        print(json.dumps(options.run_command(options), indent=2))
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike.evaluation", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    verify = commands.add_parser(
        "verify", help="do two photos show one person? on labelled pairs of held-out people"
    )
    verify.add_argument("--pairs", type=Path, required=True, help="tab-separated: first, second, same")
    verify.set_defaults(run_command=_verify)

    percentage = commands.add_parser(
        "percentage", help="fit the percentage on held-out people, store it beside `compact`"
    )
    percentage.add_argument(
        "--pairs", type=Path, required=True, help="labelled pairs, for the threshold at equal error"
    )
    percentage.set_defaults(run_command=_percentage)

    for command in (verify, percentage):
        command.add_argument("--faces", type=Path, required=True, help="a table of aligned faces")
        command.add_argument("--split", type=Path, default=BUNDLED_SPLIT)

    retrieve = commands.add_parser(
        "retrieve", help="does the right name come first? photos looked up in a gallery"
    )
    retrieve.add_argument("source", help="labelled photos, as build_gallery.py takes them")
    retrieve.add_argument(
        "--gallery", required=True, help="a folder or Hub dataset built from other photos of the same names"
    )
    retrieve.add_argument("--model", default=DEFAULT_MODEL)
    retrieve.add_argument("--detector", default=DEFAULT_DETECTOR)
    retrieve.add_argument("--split", type=Path, default=BUNDLED_SPLIT)
    retrieve.set_defaults(run_command=_retrieve)
    return parser


def _verify(options: argparse.Namespace) -> dict[str, Any]:
    from lookalike.evaluation.verification import verify

    _, cosines, pairs = _pair_scores(options, load_split(options.split))
    return asdict(verify(cosines, pairs))


def _percentage(options: argparse.Namespace) -> dict[str, Any]:
    from lookalike.evaluation.percentage import fit
    from lookalike.evaluation.verification import verify

    split = load_split(options.split)
    faces, cosines, pairs = _pair_scores(options, split)
    threshold = verify(cosines, pairs).threshold
    people = [split.person(name) for name in faces.names]
    fitted_on = f"all pairs among {len(set(people))} people that training never saw"
    scale, check = fit(_embed(faces), people, threshold=threshold, fitted_on=fitted_on)
    settings = BUNDLED / f"{DEFAULT_MODEL}.json"
    fields = json.loads(settings.read_text(encoding="utf-8")) | {"percentage": asdict(scale)}
    settings.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    return {"scale": asdict(scale), "check": asdict(check)}


def _retrieve(options: argparse.Namespace) -> dict[str, Any]:
    from lookalike.evaluation.retrieval import retrieve
    from lookalike.finder import Lookalikes
    from lookalike.sources import open_source

    finder = Lookalikes.load(options.gallery, model=options.model, detector=options.detector)
    found = retrieve(finder, open_source(options.source), load_split(options.split))
    return {side: asdict(figures) for side, figures in found.items()}


def _pair_scores(
    options: argparse.Namespace, split: Split
) -> tuple[AlignedFaces, NDArray[np.float32], list[Any]]:
    """Return the held-out faces, the cosines of the pairs whose two people are held out, and those pairs."""
    from lookalike.evaluation.verification import read_pairs

    faces = read_faces(options.faces, split, "test")
    place = {file: row for row, file in enumerate(faces.files)}
    pairs = [pair for pair in read_pairs(options.pairs) if pair.first in place and pair.second in place]
    rows = _embed(faces)
    cosines = np.array([rows[place[pair.first]] @ rows[place[pair.second]] for pair in pairs], np.float32)
    return faces, cosines, pairs


def _embed(faces: AlignedFaces) -> NDArray[np.float32]:
    return load_embedder(DEFAULT_MODEL).embed_crops(list(faces.images))


if __name__ == "__main__":
    sys.exit(main())
