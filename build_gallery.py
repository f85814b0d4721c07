"""Build a gallery of celebrities: python build_gallery.py SOURCE --output FOLDER [--push-to OWNER/NAME]"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from lookalike.building.arguments import parse
from lookalike.building.card import write_card
from lookalike.building.collecting import collect
from lookalike.building.hub import GalleryHub
from lookalike.building.interruption import GO_ON, Stop, exit_code, stoppable
from lookalike.building.ledger import Ledger, alone, ledger_folder
from lookalike.building.options import Options
from lookalike.building.pipeline import Built, Engine, build, write_rejections
from lookalike.building.ray_engine import RayEngine
from lookalike.building.removal import remove_from_folder
from lookalike.errors import GalleryError, LookalikeError, MissingFileError
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Detector
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.settings import SETTINGS_FILE
from lookalike.models.embedder import Embedder
from lookalike.models.registry import is_run, load_embedder
from lookalike.names import person_key
from lookalike.sources.inspection import inspect
from lookalike.sources.inspection_report import write_inspection
from lookalike.sources.opening import Choice, Source, open_sources

INSPECTION = "inspection"  # the folder below --output
# A build looks at a photo a core at once; a second thread for each would only cost what passes between them.
ONE_THREAD_DETECTOR = partial(load_detector, threads=1)
ONE_THREAD_EMBEDDER = partial(load_embedder, threads=1)


def main(
    arguments: Sequence[str] | None = None,
    *,
    detectors: Callable[[str], Detector] = ONE_THREAD_DETECTOR,
    embedders: Callable[[str], Embedder] = ONE_THREAD_EMBEDDER,
    hubs: Callable[[], GalleryHub] = GalleryHub,
) -> int:
    """Build what the command line asks for; return 0, 2 for trouble to be mended, 128 and the signal's number
    when it was stopped: 130 after Ctrl-C, 143 after SIGTERM.
    """
    options = parse(arguments)
    try:
        with stoppable():
            _do(options, detectors, embedders, hubs)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        reason = error.strerror or error
        print(f"error: {options.output} could not be written ({reason}). {GO_ON}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"error: The memory is full; end something else. {GO_ON}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"Stopped. {GO_ON}", file=sys.stderr)
        return stop.code if isinstance(stop, Stop) else exit_code(signal.SIGINT)
    return 0


def _do(
    options: argparse.Namespace,
    detectors: Callable[[str], Detector],
    embedders: Callable[[str], Embedder],
    hubs: Callable[[], GalleryHub],
) -> None:
    if options.remove:
        remove(options, hubs=hubs)
    elif options.inspect:
        look_into(options)
    else:
        run(options, detectors=detectors, embedders=embedders, hubs=hubs)


def run(
    options: argparse.Namespace,
    *,
    detectors: Callable[[str], Detector],
    embedders: Callable[[str], Embedder],
    hubs: Callable[[], GalleryHub],
) -> None:
    """Check everything that can be wrong, build, write, push, and say what became of every record."""
    excluded = read_exclude(options.exclude)
    check_output(options.output)
    embedder, detector = embedders(options.model), detectors(options.detector)
    source = open_sources(options.source, _choice(options), limit=options.limit)
    how = Options(
        photos_per_name=options.photos_per_name,
        min_photos=options.min_photos,
        one_row=options.one_row,
        photos=not options.no_photos,
        excluded=excluded,
        source=source.name,
        licence=options.licence,
    )
    engine = _engine(options, detectors, embedders)
    with alone(options.output):
        built = _build(source, detector, embedder, how, options.output, engine)
    print(f"{len(built.gallery.names):,} names in {len(built.gallery):,} rows written to {options.output}")
    print(built.counts)
    if options.push_to:
        title = f"Add {len(built.gallery.names):,} names for {built.gallery.settings.model}"
        push(hubs(), options.output, built.gallery, options, title)


def _engine(
    options: argparse.Namespace, detectors: Callable[[str], Detector], embedders: Callable[[str], Embedder]
) -> Engine:
    if options.engine == "local":
        return collect
    model = str(Path(options.model).resolve()) if is_run(options.model) else options.model
    makers = partial(detectors, options.detector), partial(embedders, model)
    return RayEngine(*makers, options.ray_address, options.ray_gpus)


def _build(
    source: Source, detector: Detector, embedder: Embedder, how: Options, output: Path, engine: Engine
) -> Built:
    ledger = Ledger(ledger_folder(output, detector, embedder, photos=how.thumbnails))
    if len(ledger):
        print(f"{len(ledger):,} photos are known from before; what is new is looked at.")
    with tqdm(total=source.total, unit="photo", dynamic_ncols=True) as bar:
        built = build(
            source,
            ledger=ledger,
            detector=detector,
            embedder=embedder,
            options=how,
            engine=engine,
            progress=bar.update,
        )
    built.gallery.save(output)
    write_rejections(output, built.rejections)
    write_card(output, built.gallery)
    return built


def look_into(options: argparse.Namespace) -> None:
    """Say what is in a source, and write it as a page, before anything is embedded."""
    source = open_sources(options.source, _choice(options), limit=options.limit)
    with tqdm(total=source.total, unit="photo", dynamic_ncols=True) as bar:
        inspection = inspect(source, source=source.name, progress=bar.update)
    for what, figure in inspection.lines:
        print(f"{what}: {figure}")
    print(f"See {write_inspection(options.output / INSPECTION, inspection)}")


def _choice(options: argparse.Namespace) -> Choice:
    return Choice(options.config, options.split, options.image_column, options.label_column, options.download)


def push(hub: GalleryHub, folder: Path, gallery: Gallery, options: argparse.Namespace, title: str) -> None:
    """Push one model's table and say where it lies."""
    pushed = hub.push(folder, gallery, options.push_to, private=options.private, title=title)
    state = "now at" if pushed.changed else "unchanged at"
    print(f"{pushed.url} is {state} revision {pushed.commit[:12]}")


def remove(options: argparse.Namespace, *, hubs: Callable[[], GalleryHub]) -> None:
    """Take people out of every table of a gallery, in its folder or on the Hub."""
    names, place = options.remove, options.source[0]
    folder = Path(place)
    removed = remove_from_folder(folder, names) if folder.is_dir() else hubs().remove(place, names)
    print(f"{removed:,} rows taken out of {place}")
    if not folder.is_dir():
        print("Earlier revisions on the Hub still hold them, until its history is squashed.")


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


if __name__ == "__main__":
    sys.exit(main())
