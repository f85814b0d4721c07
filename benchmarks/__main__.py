"""How fast it is, and how that grows: one photo, the search, the start, the crowd, and what is found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.evaluation.reports import save_report

SIZES = [1_000, 10_000, 100_000, 1_000_000, 10_000_000]  # rows; ten million take 5 GB
CLIENTS = [1, 8, 32]
CAMERAS = [1, 2]  # the page lets no more film at once


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
        parts, "probe", _probe, "one photo from its bytes to matches, by stage, beside DeepFace", rounds=7
    )
    probe.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    probe.add_argument("group", type=Path, metavar="GROUP", help="a photo of several")
    search = _part(parts, "search", _search, "the ways to search a table, from a thousand rows up", rounds=50)
    search.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows of the tables")
    serve = _part(
        parts, "serve", _serve, "the page: how soon it is up, its memory, and what a crowd gets", rounds=5
    )
    serve.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    serve.add_argument("--answers", type=int, default=1000, help="that each crowd gets")
    serve.add_argument("--visit", type=int, default=10_000, help="answers over which memory is watched")
    live = _part(parts, "live", _live, "the live camera: frames a second that the page answers")
    live.add_argument("portrait", type=Path, metavar="PORTRAIT", help="a photo of one face")
    live.add_argument("--frames", type=int, default=100, help="that each camera sends")
    recall = _part(parts, "recall", _recall, "how many faces each detector finds, in worse photos too")
    recall.add_argument("sources", nargs="+", metavar="SOURCE", help="crops of one face each")
    recall.add_argument("--photos", type=int, default=200, help="how many of them, drawn by chance")
    return parser


def _part(
    parts: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
    *,
    rounds: int = 0,
) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=summary)
    if rounds:
        part.add_argument("--rounds", type=int, default=rounds, help="turns that each contestant has")
    part.add_argument("--output", type=Path, default=Path("reports"), help="folder for the results")
    part.add_argument("--page", type=Path, help="the page of all results so far (OUTPUT/SPEED.md)")
    part.set_defaults(run_command=run)
    return part


def _probe(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_growth
    from benchmarks.probe import contest, crowds_of, grow, sizes_of
    from benchmarks.tables import contest_tables, growth_table
    from lookalike.images import read_image

    portrait, group = read_image(options.portrait), read_image(options.group)
    contests = contest(portrait, group, rounds=options.rounds)
    sizes = grow(sizes_of(portrait), rounds=options.rounds)
    crowds = grow(crowds_of(portrait), rounds=options.rounds)
    save_report(
        options.output,
        "speed-probe",
        result={"contests": contests, "megapixels": sizes, "faces": crowds},
        table="\n\n".join(
            [
                contest_tables(contests),
                growth_table(sizes, of="megapixels, one face"),
                growth_table(crowds, of="faces in 1.9 megapixels"),
            ]
        ),
        pictures={
            "size": draw_growth(sizes, of="megapixels of a photo of one face"),
            "faces": draw_growth(crowds, of="faces in a photo"),
        },
    )
    _renew_page(options)


def _search(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_search
    from benchmarks.search import race
    from benchmarks.tables import search_tables

    speeds, bandwidth = race(options.sizes, rounds=options.rounds)
    save_report(
        options.output,
        "speed-search",
        result={"gigabytes_a_second": bandwidth, "searches": speeds},
        table=search_tables(speeds, bandwidth),
        pictures={"rows": draw_search(speeds)},
    )
    _renew_page(options)


def _serve(options: argparse.Namespace) -> None:
    from benchmarks.charts import draw_crowds, draw_memory
    from benchmarks.probe import CAMERA, frame
    from benchmarks.serving import crowds, long_visit, start
    from benchmarks.tables import serving_tables
    from lookalike.images import read_image

    photo = frame(read_image(options.portrait), CAMERA)
    begun = start(photo, rounds=options.rounds)
    served = crowds(photo, CLIENTS, answers=options.answers)
    held = long_visit(photo, options.visit)
    save_report(
        options.output,
        "speed-serve",
        result={"start": begun, "crowds": served, "memory": held},
        table=serving_tables(begun, served, held),
        pictures={"clients": draw_crowds(served), "memory": draw_memory(held)},
    )
    _renew_page(options)


def _live(options: argparse.Namespace) -> None:
    from benchmarks.camera import live_table, rates
    from benchmarks.probe import CAMERA, frame
    from lookalike.images import read_image

    photo = frame(read_image(options.portrait), CAMERA)
    found = rates(photo, CAMERAS, frames=options.frames)
    save_report(options.output, "speed-live", result=found, table=live_table(found))
    _renew_page(options)


def _recall(options: argparse.Namespace) -> None:
    from benchmarks.recall import count_found
    from benchmarks.tables import recall_table
    from lookalike.evaluation.photos import read_photos
    from lookalike.evaluation.splits import load_split

    found = count_found(read_photos(options.sources, load_split(), ("test",)), most=options.photos)
    save_report(options.output, "speed-recall", result=found, table=recall_table(found))
    _renew_page(options)


def _renew_page(options: argparse.Namespace) -> None:
    from benchmarks.tables import write_page

    write_page(options.output, options.page or options.output / "SPEED.md")


if __name__ == "__main__":
    sys.exit(main())
