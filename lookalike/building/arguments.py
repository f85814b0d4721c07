"""The command line of build_gallery.py."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from lookalike.files import BUNDLED
from lookalike.models.registry import DEFAULT_MODEL, MODELS

EXCLUDE = BUNDLED / "exclude.txt"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; leave with exit code 2 and a sentence when they make no sense."""
    parser = argparse.ArgumentParser(
        prog="build_gallery.py",
        description="Build a gallery of celebrities from labelled photos: find the one face in each photo, "
        "embed it, drop what looks mislabelled, and keep the best photos of each name.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="a Parquet file or a folder of them, a folder with one folder per celebrity (in folders of "
        "categories or not), a CSV of path and name, IMDB-WIKI's .mat, or a dataset on the Hub (owner/name, "
        "or owner/name@revision; HF_TOKEN for a private one); several are read one after the other",
    )
    _add_source(parser.add_argument_group("what of the source is read"))
    _add_places(parser.add_argument_group("where the gallery goes"))
    _add_models(parser.add_argument_group("what sees the faces"))
    _add_engine(parser.add_argument_group("where the work is done"))
    _add_choice(parser.add_argument_group("which photos are kept"))
    options = parser.parse_args(arguments)
    if options.remove and len(options.source) > 1:
        parser.error("--remove takes one gallery, a folder or owner/name on the Hub")
    if not (options.output or options.push_to or options.remove or options.inspect):
        parser.error("say where the gallery goes: --output FOLDER or --push-to OWNER/NAME")
    if (options.ray_address or options.ray_gpus) and options.engine != "ray":
        parser.error("--ray-address and --ray-gpus belong to --engine ray")
    if options.private and not options.push_to:
        parser.error("--private belongs to --push-to")
    default = Path("galleries", options.push_to.replace("/", "--")) if options.push_to else Path()
    options.output = options.output or default
    return options


def _add_source(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--config", metavar="NAME", help="the configuration of a Hub dataset")
    group.add_argument("--split", metavar="NAME", help="one split of a Hub dataset (default: all)")
    group.add_argument(
        "--image-column", metavar="NAME", help="the column of photos (default: the first of that type)"
    )
    group.add_argument(
        "--label-column", metavar="NAME", help="the column of names (default: a ClassLabel, or called so)"
    )
    group.add_argument(
        "--download",
        action="store_true",
        help="fetch a Hub dataset into the cache first instead of streaming it: better where a build may be "
        "stopped and go on",
    )
    group.add_argument(
        "--inspect",
        action="store_true",
        help="build nothing, but report what is in SOURCE: a page with pictures in FOLDER/inspection",
    )
    group.add_argument("--limit", type=_positive, metavar="N", help="read the first N records only")


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where the gallery is written (default with --push-to: galleries/OWNER--NAME)",
    )
    group.add_argument(
        "--push-to",
        metavar="OWNER/NAME",
        help="also push the gallery to this dataset on the Hub, with the token in HF_TOKEN",
    )
    group.add_argument("--private", action="store_true", help="make that dataset private if it is new")
    group.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="NAME",
        help="build nothing, but take this person out of the gallery SOURCE, a folder or OWNER/NAME",
    )


def _add_models(group: argparse._ArgumentGroup) -> None:
    models = ", ".join(model.name for model in MODELS)
    group.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help=f"{models}, or the folder of a run of the training room (default: %(default)s)",
    )
    detectors = ", ".join(DETECTORS)
    group.add_argument(
        "--detector", default=DEFAULT_DETECTOR, metavar="NAME", help=f"{detectors} (default: %(default)s)"
    )


def _add_engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="local: every core of this machine (default); ray: a Ray cluster, or one of processes on this "
        "machine (needs requirements-ray.txt)",
    )
    group.add_argument("--ray-address", metavar="HOST:PORT", help="the cluster that --engine ray joins")
    group.add_argument(
        "--ray-gpus",
        type=float,
        default=0.0,
        metavar="N",
        help="GPUs, or the share of one, that each embedder holds: for DeepFace's models where "
        "DEEPFACE_BACKEND_ENGINE can use them (default: 0, a CPU core each)",
    )


def _add_choice(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--photos-per-name",
        default=10,
        type=_positive,
        metavar="N",
        help="keep the best N photos of each name (default: 10)",
    )
    group.add_argument(
        "--min-photos",
        default=1,
        type=_positive,
        metavar="K",
        help="leave out names with fewer usable photos (default: 1)",
    )
    group.add_argument(
        "--one-row", action="store_true", help="keep the mean of each name's photos instead of a row each"
    )
    group.add_argument("--no-photos", action="store_true", help="keep no thumbnails")
    group.add_argument(
        "--exclude",
        default=EXCLUDE,
        type=Path,
        metavar="FILE",
        help="leave out the names of this file, one a line, # for comments (default: the list that comes "
        "with the project, of people nobody wants to be told they resemble)",
    )
    group.add_argument(
        "--licence",
        default="unknown",
        metavar="TEXT",
        help="the photos' licence, for the card (default: unknown)",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)
