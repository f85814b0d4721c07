"""Charts of how time and memory grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from benchmarks.probe import Growth
from benchmarks.search import SearchSpeed
from benchmarks.serving import Load

WIDE = (10, 4)  # inches, for two panels


def draw_growth(rows: Sequence[Growth], *, of: str) -> Figure:
    """Draw the milliseconds of each stage, stacked, and the peak memory, against a size."""
    figure = Figure(figsize=WIDE, layout="constrained")
    times, held = figure.subplots(1, 2)
    sizes = [row.size for row in rows]
    stages = list(rows[0].stages)
    times.stackplot(sizes, [[1000 * row.stages[stage] for row in rows] for stage in stages], labels=stages)
    times.set(xlabel=of, ylabel="ms per photo", xlim=(0, None), ylim=(0, None))
    times.legend(loc="upper left")
    held.plot(sizes, [row.memory for row in rows], marker="o", color="#3b5b92")
    held.set(xlabel=of, ylabel="peak memory, MB", xlim=(0, None), ylim=(0, None))
    _grids(figure)
    return figure


def draw_search(rows: Sequence[SearchSpeed]) -> Figure:
    """Draw the milliseconds of a search and of the plain matrix product against the number of rows."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    sizes = [row.rows for row in rows]
    axes.plot(sizes, [1000 * row.search for row in rows], marker="o", color="#3b5b92", label="search by name")
    axes.plot(
        sizes, [1000 * row.product for row in rows], "--", color="#b5651d", label="matrix product alone"
    )
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel="ms per probe")
    axes.legend()
    _grids(figure)
    return figure


def draw_load(rows: Sequence[Load]) -> Figure:
    """Draw answers per second and the seconds for one answer, against the number of clients at once."""
    figure = Figure(figsize=WIDE, layout="constrained")
    rates, waits = figure.subplots(1, 2)
    clients = [row.clients for row in rows]
    rates.plot(clients, [row.per_second for row in rows], marker="o", color="#2a7f62")
    rates.set(xlabel="clients at once", ylabel="answers per second", ylim=(0, None))
    for name, style in (("p50", "-"), ("p95", "--"), ("p99", ":")):
        waits.plot(
            clients, [getattr(row, name) for row in rows], style, marker="o", color="#3b5b92", label=name
        )
    waits.set(xlabel="clients at once", ylabel="seconds for one answer", ylim=(0, None))
    waits.legend()
    _grids(figure)
    return figure


def draw_memory(held: Mapping[int, float]) -> Figure:
    """Draw the server's memory against the number of answers that it has given."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(list(held), list(held.values()), marker=".", color="#3b5b92")
    axes.set(xlabel="answers", ylabel="MB", xlim=(0, None), ylim=(0, None))
    _grids(figure)
    return figure


def _grids(figure: Figure) -> None:
    for axes in figure.axes:
        axes.grid(alpha=0.3)
