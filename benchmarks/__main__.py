"""Benchmarks: one photo, search, the page under load, the live camera, detectors, and the browser."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.evaluation.markdown import save_report

SIZES = [1_000, 10_000, 100_000, 1_000_000]  # rows; a million take 0.5 GB
CLIENTS = [1, 8, 32]
CAMERAS = [1, 2]  # the most that the page serves at once


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark; return its exit code: 0, or 2 with a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run_command(options)
    except LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parts = parser.add_subparsers(required=True, metavar="BENCHMARK")
    probe = _part(
        parts,
        "probe",
        _probe,
        "one photo from its bytes to matches, by stage, compared with DeepFace",
        rounds=7,
    )
    probe.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    probe.add_argument("group", type=Path, metavar="GROUP", help="a photo of several faces")
    search = _part(parts, "search", _search, "exact search in galleries of growing size", rounds=50)
    search.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of rows")
    serve = _part(
        parts, "serve", _serve, "the page: start-up time, memory, and answer times under load", rounds=5
    )
    serve.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    serve.add_argument(
        "--answers", type=int, default=1000, help="answers to measure for each number of clients"
    )
    serve.add_argument(
        "--memory-answers", type=int, default=10_000, help="answers over which memory is measured"
    )
    live = _part(parts, "live", _live, "the live camera: answered frames per second")
    live.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    live.add_argument("--frames", type=int, default=100, help="frames from each camera")
    recall = _part(parts, "recall", _recall, "how many faces each detector finds, also in degraded photos")
    recall.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="crops of one face each, as for build_gallery.py"
    )
    recall.add_argument("--photos", type=int, default=200, help="how many of them, chosen at random")
    browser = _part(
        parts,
        "browser",
        _browser,
        "the static site in Chromium beside Python: equality and speed",
        rounds=9,
        on_page=False,
    )
    browser.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    browser.add_argument("sources", nargs="+", metavar="SOURCE", help="photos, as for build_gallery.py")
    browser.add_argument("--photos", type=int, default=200, help="how many of them, chosen at random")
    browser.add_argument("--frames", type=int, default=1000, help="frames over which memory is measured")
    visitors = _part(
        parts, "visitors", _visitors, "what ordinary visitors get from a gallery, by group", on_page=False
    )
    visitors.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="tables of aligned faces, or as for build_gallery.py"
    )
    visitors.add_argument("--gallery", help="a folder or a Hub dataset (default: the bundled gallery)")
    return parser


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
    *,
    rounds: int = 0,
    on_page: bool = True,
) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=summary)
    if rounds:
        part.add_argument("--rounds", type=int, default=rounds, help="measured runs of each system")
    part.add_argument("--output", type=Path, default=Path("reports"), help="folder for the results")
    if on_page:
        part.add_argument("--page", type=Path, help="page with all results so far (OUTPUT/performance.md)")
    part.set_defaults(run_command=run)
    return part


def _probe(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_growth
    from benchmarks.probe import compare, crowds_of, grow, sizes_of
    from benchmarks.tables import comparison_tables, growth_table
    from lookalike.images import read_image

    portrait, group = read_image(options.portrait), read_image(options.group)
    comparisons = compare(portrait, group, rounds=options.rounds)
    sizes = grow(sizes_of(portrait), rounds=options.rounds)
    crowds = grow(crowds_of(portrait), rounds=options.rounds)
    save_report(
        options.output,
        "speed-probe",
        result={"comparisons": comparisons, "megapixels": sizes, "faces": crowds},
        table="\n\n".join(
            [
                comparison_tables(comparisons),
                growth_table(sizes, of="megapixels, one face"),
                growth_table(crowds, of="faces in 1.9 megapixels"),
            ]
        ),
        pictures={
            "size": partial(draw_growth, sizes, of="megapixels of a photo of one face"),
            "faces": partial(draw_growth, crowds, of="faces in a photo"),
        },
    )
    _write_page(options)


def _search(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_search
    from benchmarks.search import measure_search
    from benchmarks.tables import search_table

    speeds, bandwidth = measure_search(options.sizes, rounds=options.rounds)
    save_report(
        options.output,
        "speed-exact",
        result={"gigabytes_per_second": bandwidth, "searches": speeds},
        table=search_table(speeds, bandwidth),
        pictures={"rows": partial(draw_search, speeds)},
    )
    _write_page(options)


def _serve(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_load, draw_memory
    from benchmarks.probe import CAMERA, frame
    from benchmarks.serving import measure_load, measure_memory, measure_start
    from benchmarks.tables import serving_tables
    from lookalike.images import read_image

    photo = frame(read_image(options.portrait), CAMERA)
    begun = measure_start(photo, rounds=options.rounds)
    loads = measure_load(photo, CLIENTS, answers=options.answers)
    held = measure_memory(photo, options.memory_answers)
    save_report(
        options.output,
        "speed-serve",
        result={"start": begun, "load": loads, "memory": held},
        table=serving_tables(begun, loads, held),
        pictures={"clients": partial(draw_load, loads), "memory": partial(draw_memory, held)},
    )
    _write_page(options)


def _live(options: argparse.Namespace) -> None:
    from benchmarks.camera import live_table, measure_rates
    from benchmarks.probe import CAMERA, frame
    from lookalike.images import read_image

    photo = frame(read_image(options.portrait), CAMERA)
    found = measure_rates(photo, CAMERAS, frames=options.frames)
    save_report(options.output, "speed-live", result=found, table=live_table(found))
    _write_page(options)


def _recall(options: argparse.Namespace) -> None:
    from benchmarks.recall import measure_recall
    from benchmarks.tables import recall_table
    from lookalike.evaluation.photos import read_photos
    from lookalike.evaluation.splits import load_split

    found = measure_recall(read_photos(options.sources, load_split(), ("test",)), most=options.photos)
    save_report(options.output, "speed-recall", result=found, table=recall_table(found))
    _write_page(options)


def _browser(options: argparse.Namespace) -> None:
    import random
    import tempfile

    from benchmarks.browser import compare, equality_table, measure, speed_table
    from benchmarks.browser_site import chromium, open_finder, runtime_folder, serve
    from lookalike.evaluation.photos import read_photos
    from lookalike.evaluation.splits import load_split
    from lookalike.finder import Lookalikes
    from lookalike.images import read_image
    from lookalike.web.runtime import copied_runtime
    from lookalike.web.site_files import site_files, write_site

    finder = Lookalikes.load()
    photos = read_photos(options.sources, load_split(), ("test",))
    chosen = random.Random(0).sample(photos, min(options.photos, len(photos)))
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as address, chromium() as browser:
        write_site(Path(folder), site_files(finder, copied_runtime(runtime_folder())))
        images = [photo.image() for photo in chosen]
        differences = compare(open_finder(browser, address), finder, images)
        portrait = read_image(options.portrait)
        speed = measure(browser, address, portrait, rounds=options.rounds, frames=options.frames)
    tables = [equality_table(differences), speed_table(speed, frames=options.frames)]
    result = {"differences": differences, "speed": speed}
    save_report(options.output, "browser", result=result, table="\n\n".join(tables))


def _write_page(options: argparse.Namespace) -> None:
    from benchmarks.tables import write_page

    write_page(options.output, options.page or options.output / "performance.md")


def _visitors(options: argparse.Namespace) -> None:
    from benchmarks.visitors import visit, visitors_table
    from lookalike.evaluation.population import read_population
    from lookalike.evaluation.splits import load_split
    from lookalike.finder import Lookalikes

    finder = Lookalikes.load(options.gallery)
    population = read_population(
        options.sources, load_split(), ("test",), embedder=finder.embedder, detector=finder.detector
    )
    rows, names = visit(population, finder.gallery, finder.scale)
    result = {"groups": rows, "shown": dict(names.most_common(20))}
    save_report(options.output, "visitors", result=result, table=visitors_table(rows, names))


if __name__ == "__main__":
    sys.exit(main())
