"""The measurements as Markdown: tables, and the page that holds all of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.probe import Contest, Growth
from benchmarks.recall import Found
from benchmarks.search import Speed
from benchmarks.serving import Crowd, Start
from lookalike.evaluation.reports import markdown, percent

TRIED = Path(__file__).with_name("tried.md")
SECTIONS = {
    "probe": "One photo, from the bytes of its file to matches",
    "recall": "Faces found, in photos as they are and in worse ones",
    "search": "Search",
    "serve": "The page",
    "live": "The live camera",
}


def contest_tables(contests: Sequence[Contest]) -> str:
    """Return a table a photo, the ratios first."""
    parts = [
        "`×` is how many times as long as our default it takes: the median of ratios taken in turns. Memory "
        "is the peak of the contestant's own process. DeepFace runs on weights drawn at random; its `find` "
        "searches a table that is up to date.",
    ]
    for photo, several in groupby(contests, key=lambda one: one.photo):
        group = list(several)
        stages = list(group[0].stages)
        rows = [
            [
                one.contestant,
                "1" if one.times_ours is None else f"{one.times_ours:.3g}",
                _ms(one.seconds),
                *(_ms(one.stages[stage]) if stage in one.stages else "" for stage in stages),
                f"{one.memory:.0f} MB",
            ]
            for one in group
        ]
        parts += [f"**{photo}**", markdown(["", "×", "all", *stages, "memory"], rows)]
    return "\n\n".join(parts)


def growth_table(rows: Sequence[Growth], *, of: str) -> str:
    """Return what our default takes as photos or crowds grow."""
    stages = list(rows[0].stages)
    lines = [
        [
            f"{row.size:g}",
            _ms(row.seconds),
            *(_ms(row.stages[stage]) for stage in stages),
            f"{row.memory:.0f} MB",
        ]
        for row in rows
    ]
    return markdown([of, "all", *stages, "memory"], lines)


def search_tables(speeds: Sequence[Speed], bandwidth: float) -> str:
    """Return a table a size."""
    parts = [
        f"Two threads read {bandwidth:.1f} GB a second from memory; the last column is the share of it that "
        "a method goes through which reads all rows. `×` is against the plain product in NumPy, in turns. "
        "Rows are drawn with the mean and the covariance of the bundled gallery's; recall is the share of "
        "the five nearest rows that is found.",
    ]
    for rows, several in groupby(speeds, key=lambda one: one.rows):
        lines = [
            [
                one.method,
                f"{one.times_numpy:.2f}",
                _ms(one.seconds),
                f"{one.megabytes:,.1f} MB",
                percent(one.recall),
                f"{one.built:.1f} s",
                "" if one.of_bandwidth is None else percent(one.of_bandwidth, 0),
            ]
            for one in several
        ]
        header = [f"{rows:,} rows", "×", "a probe", "size", "recall", "built in", "of the bandwidth"]
        parts.append(markdown(header, lines))
    return "\n\n".join(parts)


def serving_tables(begun: Start, served: Sequence[Crowd], held: Mapping[int, float]) -> str:
    """Return how the page starts, what crowds get, and how memory goes."""
    starts = [
        ["first byte of a bare gradio page", "1", f"{begun.bare_page:.1f} s"],
        ["first byte of `python app.py`", f"{begun.byte_times_bare:.2f}", f"{begun.first_byte:.1f} s"],
        ["its first answer", f"{begun.answer_times_bare:.2f}", f"{begun.first_answer:.1f} s"],
    ]
    stages = list(served[0].stages)
    crowds = [
        [
            str(one.clients),
            f"{one.a_second:.1f}",
            *(_ms(value) for value in (one.p50, one.p95, one.p99)),
            *(_ms(one.stages[stage]) for stage in stages),
            f"{one.memory:.0f} MB",
        ]
        for one in served
    ]
    header = ["at once", "answers a second", "50th", "95th", "99th percentile", *stages, "memory"]
    answers = list(held)
    middle = answers[len(answers) // 2]
    return "\n\n".join(
        [
            markdown(["from the start of the process", "×", ""], starts),
            f"After the first answer the process holds {begun.memory:.0f} MB and has loaded "
            f"{', '.join(begun.heavy) or 'neither TensorFlow nor PyTorch nor JAX'}.",
            "Visitors who each send a camera frame of 640×480 and wait for the answer, on the same machine; "
            "the last columns are the server's own time.",
            markdown(header, crowds),
            f"Memory: {held[answers[0]]:.0f} MB after the first answer, {held[middle]:.0f} after {middle:,}, "
            f"{held[answers[-1]]:.0f} after {answers[-1]:,}.",
        ]
    )


def recall_table(found: Sequence[Found]) -> str:
    """Return the share of faces that each detector finds."""
    names = list(found[0].shares)
    rows = [[one.group, one.value, *(percent(one.shares[name]) for name in names)] for one in found]
    return f"{found[0].photos} photos of people that training never saw.\n\n" + markdown(
        ["group", "", *names], rows
    )


def write_page(folder: Path, page: Path) -> None:
    """Write the page of all parts that were measured into `folder`, and of what was tried."""
    parts = [
        "# How fast it is",
        f"Written by `python -m lookalike.evaluation speed`, on {os.cpu_count()} cores of a shared machine "
        f"({_processor()}). Compare within a table, not across machines.",
    ]
    for part, title in SECTIONS.items():
        table = folder / f"speed-{part}.md"
        if table.exists():
            pictures = sorted(folder.glob(f"speed-{part}-*.png"))
            links = [f"![{title}: {one.stem}]({os.path.relpath(one, page.parent)})" for one in pictures]
            parts += [f"## {title}", table.read_text(encoding="utf-8").strip(), *links]
    parts.append(TRIED.read_text(encoding="utf-8").strip())
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _processor() -> str:
    """Return the processor's name as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")


def _ms(seconds: float) -> str:
    milliseconds = 1000 * seconds
    if milliseconds >= 1000:
        return f"{seconds:.2f} s"
    return f"{milliseconds:.3g} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"
