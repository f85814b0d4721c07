"""Build a gallery of celebrities: python build_gallery.py SOURCE --output FOLDER [--push-to OWNER/NAME]"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from lookalike.building.account import write_rejections
from lookalike.building.arguments import parse
from lookalike.building.card import write_card
from lookalike.building.interruption import HOW_TO_RESUME, StopSignal, exit_code, stop_on_signals
from lookalike.building.ledger import Ledger, ledger_folder
from lookalike.building.local_engine import collect
from lookalike.building.options import Options
from lookalike.building.output import INSPECTION, account_lines, check_output
from lookalike.building.people import NOBODY, read_names, read_people
from lookalike.building.pipeline import Built, Engine, build
from lookalike.building.progress import ProgressLog
from lookalike.building.publishing import GalleryHub, remove_from_folder
from lookalike.building.ray_engine import RayEngine
from lookalike.building.strangers import embed_strangers
from lookalike.errors import GalleryError, LookalikeError, MissingFileError, WikimediaError
from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Detector
from lookalike.files import escape_unprintable_output
from lookalike.finder import Lookalikes
from lookalike.gallery.credit import Credit
from lookalike.gallery.fetching import is_gallery, open_gallery
from lookalike.gallery.gallery import BUNDLED_GALLERY, Gallery
from lookalike.gallery.pictures import with_pictures
from lookalike.gallery.work_folder import WORK, exclusive
from lookalike.hub import is_dataset_id
from lookalike.models.embedder import Embedder, Embeddings
from lookalike.models.registry import DEFAULT_MODEL, find_model, is_run, load_embedder
from lookalike.portraits.cache import PortraitCache
from lookalike.portraits.collecting import collect_portraits
from lookalike.portraits.portrait import Outcome, Verdict
from lookalike.portraits.verify import Verifier
from lookalike.portraits.wikimedia import Wikimedia, open_wikimedia
from lookalike.sources.inspection import inspect
from lookalike.sources.inspection_report import write_inspection
from lookalike.sources.opening import Choice, Source, open_source, open_sources
from lookalike.space.middleware.decoders import DECODERS
from lookalike.space.portraits import people_without_photo

PORTRAITS = "portraits"  # the folder below .work in --output
# A build processes as many photos at once as there are cores, so each photo gets one thread.
ONE_THREAD_DETECTOR = partial(load_detector, threads=1)
ONE_THREAD_EMBEDDER = partial(load_embedder, threads=1)


def main(
    arguments: Sequence[str] | None = None,
    *,
    detectors: Callable[[str], Detector] = ONE_THREAD_DETECTOR,
    embedders: Callable[[str], Embedder] = ONE_THREAD_EMBEDDER,
    hubs: Callable[[], GalleryHub] = GalleryHub,
) -> int:
    """Do what the command line asks for, and return the exit code.

    That is 0, or 2 after an error that one sentence explains, or 128 and the signal's number after an
    interruption: 130 after Ctrl-C, 143 after SIGTERM.
    """
    escape_unprintable_output()
    options = parse(arguments)
    try:
        with stop_on_signals():
            if options.remove:
                remove(options, hubs)
            elif options.inspect:
                report(options)
            else:
                gallery = open_or_build(options, detectors, embedders)
                if options.portraits:
                    tools = detectors(options.detector), embedders(options.model)
                    gallery = add_portraits(gallery, options.output, *tools)
                if options.push_to:
                    push(options, gallery, hubs())
                print(f"Serve it with: {serving_command(options)}")
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        reason = error.strerror or error
        print(f"error: {options.output} could not be written ({reason}). {HOW_TO_RESUME}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"error: The memory is full; close other programs. {HOW_TO_RESUME}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"Stopped. {HOW_TO_RESUME}", file=sys.stderr)
        return stop.code if isinstance(stop, StopSignal) else exit_code(signal.SIGINT)
    return 0


def open_or_build(
    options: argparse.Namespace,
    detectors: Callable[[str], Detector],
    embedders: Callable[[str], Embedder],
) -> Gallery:
    """Return the gallery that SOURCE already is, if it only needs portraits; else build one."""
    place = options.source[0]
    may_be_gallery = options.portraits and len(options.source) == 1
    if not may_be_gallery or not is_gallery(place):
        if options.output is None:
            raise GalleryError(f"{place} is no gallery yet; give --output FOLDER, and one is built there.")
        return build_into_folder(options, detectors, embedders)
    if options.output is None:
        if not Path(place).is_dir() or Path(place).resolve() == BUNDLED_GALLERY:
            raise GalleryError(f"Give --output FOLDER: {place} itself cannot be changed.")
        options.output = Path(place)
    check_output(options.output)
    return open_gallery(place, model=find_model(options.model).name)


def add_portraits(
    gallery: Gallery,
    output: Path,
    detector: Detector,
    embedder: Embedder,
    wikimedia: Callable[[], Wikimedia] = open_wikimedia,
) -> Gallery:
    """Give people without a photo a portrait from Wikimedia Commons, and write the gallery into `output`.

    Prints what became of every name. Results are kept in `output`, so that an interrupted run goes on.
    """
    finder = Lookalikes(gallery, embedder=embedder, detector=detector)
    verifier = Verifier(detector=detector, embedder=embedder, matches=finder.recognizes, decode=DECODERS.read)
    people, source = people_without_photo(finder), wikimedia()
    found: list[Outcome] = []
    with exclusive(output), tqdm(total=len(people), unit="name", dynamic_ncols=True) as bar:
        cache = PortraitCache(output / WORK / PORTRAITS)
        try:
            for outcome in collect_portraits(people, source, verifier, cache):
                found.append(outcome)
                tqdm.write(str(outcome))
                bar.update()
        except WikimediaError as error:
            raise WikimediaError(f"{error} {HOW_TO_RESUME}") from error
        finally:
            source.close()
            DECODERS.close()
        credits = {each.name: each.portrait for each in found if each.portrait}
        pictures = {
            name: (each.image, Credit(each.credit, each.licence, each.source))
            for name, each in credits.items()
        }
        pictured = with_pictures(gallery, pictures)
        pictured.save(output)
        write_card(output, pictured)
    print(" · ".join(f"{what} {sum(each.verdict == what for each in found):,}" for what in Verdict))
    return pictured


def build_into_folder(
    options: argparse.Namespace,
    detectors: Callable[[str], Detector],
    embedders: Callable[[str], Embedder],
) -> Gallery:
    """Check the options, build the gallery, write it into --output, and print the account of all records."""
    excluded = read_names(options.exclude)
    people = read_people(options.people) if options.people else NOBODY
    check_output(options.output)
    embedder, detector = embedders(options.model), detectors(options.detector)
    source = _source(options)
    build_options = Options(
        photos_per_name=options.photos_per_name,
        min_photos=options.min_photos,
        one_row=options.one_row,
        photos=not options.no_photos,
        excluded=excluded,
        people=people,
        listed_only=options.listed_only,
        strangers=_strangers(options.cohort, detector, embedder),
        source=source.name,
        licence=options.licence,
    )
    engine = _engine(options, detectors, embedders)
    with exclusive(options.output):
        built = _build(source, options.output, detector, embedder, build_options, engine)
    for line in account_lines(built, options.output):
        print(line)
    return built.gallery


def _build(
    source: Source, output: Path, detector: Detector, embedder: Embedder, options: Options, engine: Engine
) -> Built:
    """Build the gallery with a progress bar; write it, its card and the rejected records into `output`."""
    ledger = Ledger(ledger_folder(output, detector, embedder, photos=options.thumbnails))
    if len(ledger):
        print(f"{len(ledger):,} photos are known from earlier builds; only new ones are processed.")
    log = ProgressLog(output, source.total)
    with _progress_bar(source) as bar:

        def progress() -> None:
            bar.update()
            log.update()

        built = build(
            source,
            ledger=ledger,
            detector=detector,
            embedder=embedder,
            options=options,
            engine=engine,
            progress=progress,
        )
    built.gallery.save(output)
    write_rejections(output, built.rejections, built.spellings)
    write_card(output, built.gallery)
    log.finish(complete=source.limit is None or built.counts.total < source.limit)
    return built


def serving_command(options: argparse.Namespace) -> str:
    """Return the command that serves the new gallery."""
    model = [] if options.model == DEFAULT_MODEL else ["--model", options.model]
    return shlex.join(["python", "app.py", "--gallery", str(options.output), *model])


def _strangers(source: str | None, detector: Detector, embedder: Embedder) -> Embeddings | None:
    """Return the embedding of the largest face of each photo of `source` that shows one."""
    if source is None:
        return None
    records = open_source(source)
    with tqdm(total=records.total, unit="stranger", dynamic_ncols=True) as bar:
        return embed_strangers(records, detector, embedder, progress=bar.update)


def _engine(
    options: argparse.Namespace, detectors: Callable[[str], Detector], embedders: Callable[[str], Embedder]
) -> Engine:
    if options.engine == "local":
        return collect
    model = str(Path(options.model).resolve()) if is_run(options.model) else options.model
    makers = partial(detectors, options.detector), partial(embedders, model)
    return RayEngine(*makers, options.ray_address, options.ray_gpus)


def report(options: argparse.Namespace) -> None:
    """Print what the source contains, and write it as a page with pictures."""
    source = _source(options)
    with _progress_bar(source) as bar:
        inspection = inspect(source, source=source.name, progress=bar.update)
    for what, figure in inspection.lines:
        print(f"{what}: {figure}")
    print(f"See {write_inspection(options.output / INSPECTION, inspection)}")


def _source(options: argparse.Namespace) -> Source:
    columns = options.image_column, options.label_column
    choice = Choice(options.config, options.split, *columns, download=options.download)
    return open_sources(options.source, choice, limit=options.limit)


def _progress_bar(source: Source) -> tqdm[None]:
    return tqdm(total=source.total, unit="photo", dynamic_ncols=True)


def push(options: argparse.Namespace, gallery: Gallery, hub: GalleryHub) -> None:
    """Push the new gallery to the Hub, and print its address."""
    title = f"Add {len(gallery.names):,} names for {gallery.settings.model}"
    pushed = hub.push(options.output, gallery, options.push_to, private=options.private, title=title)
    state = "now at" if pushed.changed else "unchanged at"
    print(f"{pushed.url} is {state} revision {pushed.commit[:12]}")


def remove(options: argparse.Namespace, hubs: Callable[[], GalleryHub]) -> None:
    """Remove people from every table of a gallery, in a folder or on the Hub."""
    names, place = options.remove, options.source[0]
    folder = Path(place)
    if not folder.is_dir() and not is_dataset_id(place):
        raise MissingFileError(f"There is no gallery at {place}; give its folder, or OWNER/NAME on the Hub.")
    removed = remove_from_folder(folder, names) if folder.is_dir() else hubs().remove(place, names)
    for name in names:
        PortraitCache(folder / WORK / PORTRAITS).remove(name)
    print(f"{removed:,} rows removed from {place}")
    if not folder.is_dir():
        print("Earlier revisions on the Hub still contain them, until you squash its history.")


if __name__ == "__main__":
    sys.exit(main())
