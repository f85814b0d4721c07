"""The measurements as Markdown tables, and the page that contains all of them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.probe import Comparison, Growth
from benchmarks.recall import Recall
from benchmarks.search import SearchSpeed
from benchmarks.serving import Load, Start
from lookalike.evaluation.markdown import markdown, percent

TRIED = Path(__file__).with_name("tried.md")
SECTIONS = {
    "probe": "One photo, from its bytes to matches",
    "recall": "Faces found in unchanged and in degraded photos",
    "exact": "Exact search",
    "search": "Search indexes compared",  # measured once; the code is gone, since exact search won
    "serve": "The page under load",
    "live": "The live camera",
}


def comparison_tables(comparisons: Sequence[Comparison]) -> str:
    """Return a table for each photo, with the ratios first."""
    parts = [
        "`×` says how many times as long as our default a system takes (median ratio of alternating runs). "
        "Memory is the peak of the system's own process. DeepFace runs with random weights, which are as "
        "fast as trained ones. Its `find` searches a table that needs no update.",
    ]
    for photo, several in groupby(comparisons, key=lambda one: one.photo):
        group = list(several)
        stages = list(group[0].stages)
        rows = [
            [
                one.system,
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
    """Return the time and memory of our default as photos or crowds grow."""
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


def search_table(speeds: Sequence[SearchSpeed], bandwidth: float) -> str:
    """Return a row for each number of rows."""
    lines = [
        [
            f"{one.rows:,}",
            _ms(one.search),
            _ms(one.product),
            f"{one.megabytes:,.1f} MB",
            f"{one.built:.1f} s",
            percent(one.of_bandwidth, 0),
        ]
        for one in speeds
    ]
    header = ["rows", "search by name", "matrix product alone", "size", "built in", "of the bandwidth"]
    return (
        "Exact search by the gallery, in random rows with the mean and covariance of the bundled gallery's. "
        f"Two threads read {bandwidth:.1f} GB/s from memory; the last column is the share of that rate at "
        "which a search reads the rows. Tables that fit into the processor's caches exceed 100 %.\n\n"
        + markdown(header, lines)
    )


def serving_tables(begun: Start, loads: Sequence[Load], held: Mapping[int, float]) -> str:
    """Return the start-up times, the answer times under load, and the memory over many answers."""
    starts = [
        ["first byte of a bare gradio page", "1", f"{begun.bare_page:.1f} s"],
        ["first byte of `python app.py`", f"{begun.byte_times_bare:.2f}", f"{begun.first_byte:.1f} s"],
        ["first answer of `python app.py`", f"{begun.answer_times_bare:.2f}", f"{begun.first_answer:.1f} s"],
    ]
    stages = list(loads[0].stages)
    rows = [
        [
            str(one.clients),
            f"{one.per_second:.1f}",
            *(_ms(value) for value in (one.p50, one.p95, one.p99)),
            *(_ms(one.stages[stage]) for stage in stages),
            f"{one.memory:.0f} MB",
        ]
        for one in loads
    ]
    header = ["clients", "answers per second", "50th", "95th", "99th percentile", *stages, "memory"]
    answers = list(held)
    middle = answers[len(answers) // 2]
    return "\n\n".join(
        [
            markdown(["from the start of the process", "×", "time"], starts),
            f"After the first answer the process holds {begun.memory:.0f} MB and has loaded "
            f"{', '.join(begun.heavy) or 'neither TensorFlow nor PyTorch nor JAX'}.",
            "Each client sends a camera frame of 640×480 pixels and waits for the answer. Clients and server "
            "run on the same machine. The last columns are the server's own time.",
            markdown(header, rows),
            f"Memory: {held[answers[0]]:.0f} MB after the first answer, {held[middle]:.0f} after {middle:,}, "
            f"{held[answers[-1]]:.0f} after {answers[-1]:,}.",
        ]
    )


def recall_table(found: Sequence[Recall]) -> str:
    """Return the percentage of faces that each detector finds."""
    names = list(found[0].shares)
    rows = [[one.group, one.value, *(percent(one.shares[name]) for name in names)] for one in found]
    return f"{found[0].photos} photos of people who are not in the training set.\n\n" + markdown(
        ["group", "", *names], rows
    )


def write_page(folder: Path, page: Path) -> None:
    """Write a page with all reports in `folder`, and with what was tried without success."""
    parts = [
        "# Performance",
        f"Written by `python -m benchmarks` on {os.cpu_count()} cores of a shared machine ({_processor()}). "
        "Compare figures within a table, not across machines.",
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
    """Return the name of the processor."""
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
