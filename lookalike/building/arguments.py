"""The command line of build_gallery.py."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from lookalike.files import BUNDLED
from lookalike.hub import is_dataset_id
from lookalike.models.registry import DEFAULT_MODEL, MODELS

EXCLUDE = BUNDLED / "exclude.txt"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options. Exits with code 2 and a sentence where they are invalid."""
    parser = argparse.ArgumentParser(
        prog="build_gallery.py",
        description="Build a gallery of celebrities from labelled photos: find the face in each photo, embed "
        "it, drop photos that look mislabelled, and keep the best photos of each name.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="a Parquet file or a folder of them, a folder with one folder per celebrity (which may be in "
        "folders of categories) or with metadata.csv, a CSV of path and name, WebDataset's .tar, IMDB-WIKI's "
        ".mat, or a dataset on the Hub (owner/name or owner/name@revision; HF_TOKEN for a private one); "
        "several are read in this order",
    )
    _add_source(parser.add_argument_group("source"))
    _add_places(parser.add_argument_group("output"))
    _add_models(parser.add_argument_group("model and detector"))
    _add_engine(parser.add_argument_group("engine"))
    _add_selection(parser.add_argument_group("selection of photos"))
    options = parser.parse_args(arguments)
    if options.remove and len(options.source) > 1:
        parser.error("--remove takes one gallery: a folder, or owner/name on the Hub")
    if not (options.output or options.push_to or options.remove or options.inspect or options.portraits):
        parser.error("give --output FOLDER or --push-to OWNER/NAME")
    if (options.ray_address or options.ray_gpus) and options.engine != "ray":
        parser.error("--ray-address and --ray-gpus need --engine ray")
    if options.listed_only and not options.people:
        parser.error("--listed-only needs --people FILE")
    if options.private and not options.push_to:
        parser.error("--private needs --push-to")
    if options.push_to and ("@" in options.push_to or not is_dataset_id(options.push_to)):
        parser.error(f"--push-to takes OWNER/NAME, not '{options.push_to}'")
    if options.output is None and options.push_to:
        options.output = Path("galleries", options.push_to.replace("/", "--"))
    elif options.output is None and (options.remove or options.inspect):
        options.output = Path()
    return options


def _add_source(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--config", metavar="NAME", help="the configuration of a Hub dataset (default: its only one)"
    )
    group.add_argument("--split", metavar="NAME", help="a split of a Hub dataset (default: all splits)")
    group.add_argument(
        "--image-column", metavar="NAME", help="the column of photos (default: the first of images)"
    )
    group.add_argument(
        "--label-column",
        metavar="NAME",
        help="the column of names (default: a ClassLabel, or one called name, celebrity, person or the like)",
    )
    group.add_argument(
        "--download",
        action="store_true",
        help="download a Hub dataset into the cache first instead of streaming it: better if the build may "
        "be interrupted and resumed",
    )
    group.add_argument(
        "--inspect",
        action="store_true",
        help="build nothing; report what SOURCE contains, with pictures, in FOLDER/inspection",
    )
    group.add_argument("--limit", type=_positive, metavar="N", help="read only the first N records")


def _add_places(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write the gallery into this folder (default with --push-to: galleries/OWNER--NAME)",
    )
    group.add_argument(
        "--push-to",
        metavar="OWNER/NAME",
        help="push the gallery to this dataset on the Hub, with the token in HF_TOKEN",
    )
    group.add_argument(
        "--portraits",
        action="store_true",
        help="give people without a photo one from Wikimedia Commons that the model recognizes, with its "
        "author and licence; a SOURCE that is a gallery is not built again. Set LOOKALIKE_CONTACT to your "
        "address first",
    )
    group.add_argument("--private", action="store_true", help="if that dataset is new, make it private")
    group.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="NAME",
        help="build nothing; remove this person from the gallery SOURCE, a folder or OWNER/NAME (repeatable)",
    )


def _add_models(group: argparse._ArgumentGroup) -> None:
    models = ", ".join(model.name for model in MODELS)
    group.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help=f"{models}, or the folder of a training run (default: %(default)s)",
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
        help="local: all cores of this machine; ray: a Ray cluster, by default one on this machine (needs "
        "requirements-ray.txt) (default: %(default)s)",
    )
    group.add_argument("--ray-address", metavar="HOST:PORT", help="the Ray cluster to connect to")
    group.add_argument(
        "--ray-gpus",
        type=float,
        default=0.0,
        metavar="N",
        help="GPUs, or the fraction of one, that each embedder reserves: for DeepFace's models with a "
        "DEEPFACE_BACKEND_ENGINE that uses GPUs (default: 0, one CPU core each)",
    )


def _add_selection(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--photos-per-name",
        default=10,
        type=_positive,
        metavar="N",
        help="keep the best N photos of each name (default: %(default)s)",
    )
    group.add_argument(
        "--min-photos",
        default=1,
        type=_positive,
        metavar="K",
        help="leave out names with fewer than K usable photos (default: %(default)s)",
    )
    group.add_argument(
        "--one-row", action="store_true", help="store one row a name: the mean embedding of its photos"
    )
    group.add_argument("--no-photos", action="store_true", help="store no thumbnails")
    group.add_argument(
        "--exclude",
        default=EXCLUDE,
        type=Path,
        metavar="FILE",
        help="leave out the names in this file, one a line, # for comments (default: the list that comes "
        "with the project, of people whom nobody wants to resemble)",
    )
    group.add_argument(
        "--people",
        type=Path,
        metavar="FILE",
        help="join a CSV of people by name: name, native, field, gender, country, born, known_for, aliases",
    )
    group.add_argument(
        "--listed-only", action="store_true", help="leave out names that --people does not list"
    )
    group.add_argument(
        "--cohort",
        metavar="SOURCE",
        help="photos of ordinary people, one person each: they make the percentile of a first match, "
        "and normalize the scores of a model that has no cohort of its own (default: the gallery itself)",
    )
    group.add_argument(
        "--licence",
        default="unknown",
        metavar="TEXT",
        help="the photos' licence, for the card (default: %(default)s)",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)
