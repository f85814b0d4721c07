"""Build a gallery of celebrities: python build_gallery.py SOURCE --output FOLDER"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from lookalike.building.card import write_card
from lookalike.building.pipeline import Options, build
from lookalike.detectors import DEFAULT_DETECTOR, DETECTORS, load_detector
from lookalike.embedders import BUNDLED, DEFAULT_MODEL, MODELS, Embedder, load_embedder
from lookalike.errors import GalleryError, LookalikeError, MissingFileError
from lookalike.faces import Detector
from lookalike.gallery import SETTINGS_FILE
from lookalike.sources import open_sources
from lookalike.splits import person_key

EXCLUDE = BUNDLED / "exclude.txt"


def main(
    arguments: Sequence[str] | None = None,
    *,
    detectors: Callable[[str], Detector] = load_detector,
    embedders: Callable[[str], Embedder] = load_embedder,
) -> int:
    """Build what the command line asks for; return 0, 2 for trouble to be mended, 130 after Ctrl-C."""
    options = parse(arguments)
    try:
        run(options, detectors=detectors, embedders=embedders)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {options.output} could not be written ({error.strerror or error}).", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def run(
    options: argparse.Namespace, *, detectors: Callable[[str], Detector], embedders: Callable[[str], Embedder]
) -> None:
    """Check everything that can be wrong, build, write, and say what became of every record."""
    excluded = read_exclude(options.exclude)
    check_output(options.output)
    embedder, detector = embedders(options.model), detectors(options.detector)
    source = open_sources(options.source, limit=options.limit)
    how = Options(
        photos_per_name=options.photos_per_name,
        min_photos=options.min_photos,
        one_row=options.one_row,
        photos=not options.no_photos,
        excluded=excluded,
        source=source.name,
        licence=options.licence,
    )
    with tqdm(total=source.total, unit="photo", dynamic_ncols=True) as bar:
        built = build(source, detector=detector, embedder=embedder, options=how, progress=bar.update)
    built.gallery.save(options.output)
    write_card(options.output, built.gallery, built.counts)
    print(f"{len(built.gallery.names):,} names in {len(built.gallery):,} rows written to {options.output}")
    print(built.counts)


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
        help="a Parquet file or a folder of them, a folder with one folder per celebrity, or a dataset on "
        "the Hub (owner/name, or owner/name@revision); several are read one after the other",
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FOLDER", help="where the gallery is written"
    )
    models = ", ".join(model.name for model in MODELS)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME", help=f"{models} (default: %(default)s)"
    )
    detectors = ", ".join(DETECTORS)
    parser.add_argument(
        "--detector", default=DEFAULT_DETECTOR, metavar="NAME", help=f"{detectors} (default: %(default)s)"
    )
    parser.add_argument(
        "--photos-per-name",
        default=10,
        type=_positive,
        metavar="N",
        help="keep the best N photos of each name (default: 10)",
    )
    parser.add_argument(
        "--min-photos",
        default=1,
        type=_positive,
        metavar="K",
        help="leave out names with fewer usable photos (default: 1)",
    )
    parser.add_argument(
        "--one-row", action="store_true", help="keep the mean of each name's photos instead of a row each"
    )
    parser.add_argument("--no-photos", action="store_true", help="keep no thumbnails")
    parser.add_argument(
        "--exclude",
        default=EXCLUDE,
        type=Path,
        metavar="FILE",
        help="leave out the names of this file, one a line, # for comments (default: the list that comes "
        "with the project, of people nobody wants to be told they resemble)",
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="read the first N records only")
    parser.add_argument(
        "--licence",
        default="unknown",
        metavar="TEXT",
        help="the photos' licence, for the card (default: unknown)",
    )
    return parser.parse_args(arguments)


def read_exclude(path: Path) -> frozenset[str]:
    """Return the person keys of the names in a text file, one a line; what follows a # is a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file of names at {path}; give one name a line.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFileError(f"{path} cannot be read as UTF-8 text; give one name a line.") from error
    return frozenset(key for line in lines if (key := person_key(line.partition("#")[0])))


def check_output(folder: Path) -> None:
    """Raise GalleryError unless a gallery can be written into `folder`; leave no trace of having looked."""
    if folder.is_dir() and any(folder.glob("[!.]*")) and not any(folder.glob(f"*/{SETTINGS_FILE}")):
        raise GalleryError(
            f"{folder} holds other files; choose a new folder, an empty one, or that of a gallery."
        )
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise GalleryError(
            f"{folder} cannot be written ({error.strerror}); choose another folder."
        ) from error


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
