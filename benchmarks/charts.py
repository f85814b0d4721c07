"""How time and memory grow, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from matplotlib import colormaps
from matplotlib.figure import Figure

from benchmarks.probe import Growth
from benchmarks.search import Speed
from benchmarks.serving import Crowd

WIDE = (10, 4)  # inches, for two panels


def draw_growth(rows: Sequence[Growth], *, of: str) -> Figure:
    """Return the milliseconds of each stage, one on the other, and the peak of memory, against a size."""
    figure = Figure(figsize=WIDE, layout="constrained")
    times, held = figure.subplots(1, 2)
    sizes = [row.size for row in rows]
    stages = list(rows[0].stages)
    times.stackplot(sizes, [[1000 * row.stages[stage] for row in rows] for stage in stages], labels=stages)
    times.set(xlabel=of, ylabel="ms a photo", xlim=(0, None), ylim=(0, None))
    times.legend(loc="upper left")
    held.plot(sizes, [row.memory for row in rows], marker="o", color="#3b5b92")
    held.set(xlabel=of, ylabel="MB, the peak of the process", xlim=(0, None), ylim=(0, None))
    _grids(figure)
    return figure


def draw_search(rows: Sequence[Speed]) -> Figure:
    """Return the milliseconds a probe and the megabytes of each method against the rows of the table."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    times, held = figure.subplots(1, 2)
    by_method = sorted(rows, key=lambda row: row.method)
    methods = [(method, list(group)) for method, group in groupby(by_method, key=lambda row: row.method)]
    colours = [colormaps["tab20"](place) for place in range(20)]
    times.set_prop_cycle(color=colours)
    held.set_prop_cycle(color=colours)
    for method, group in methods:
        style = "--" if group[0].of_bandwidth is None else "-"
        sizes = [row.rows for row in group]
        times.plot(sizes, [1000 * row.seconds for row in group], style, marker=".", label=method)
        held.plot(sizes, [row.megabytes for row in group], style, marker=".")
    for axes, label in ((times, "ms a probe"), (held, "MB searched")):
        axes.set(xscale="log", yscale="log", xlabel="rows", ylabel=label)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    _grids(figure)
    return figure


def draw_crowds(rows: Sequence[Crowd]) -> Figure:
    """Return answers a second, and the seconds that one takes, against the number of visitors at once."""
    figure = Figure(figsize=WIDE, layout="constrained")
    rates, waits = figure.subplots(1, 2)
    clients = [row.clients for row in rows]
    rates.plot(clients, [row.a_second for row in rows], marker="o", color="#2a7f62")
    rates.set(xlabel="visitors at once", ylabel="answers a second", ylim=(0, None))
    for name, style in (("p50", "-"), ("p95", "--"), ("p99", ":")):
        waits.plot(
            clients, [getattr(row, name) for row in rows], style, marker="o", color="#3b5b92", label=name
        )
    waits.set(xlabel="visitors at once", ylabel="seconds for one answer", ylim=(0, None))
    waits.legend()
    _grids(figure)
    return figure


def draw_memory(held: Mapping[int, float]) -> Figure:
    """Return the server's memory against the answers that it has given."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(list(held), list(held.values()), marker=".", color="#3b5b92")
    axes.set(xlabel="answers", ylabel="MB", xlim=(0, None), ylim=(0, None))
    _grids(figure)
    return figure


def _grids(figure: Figure) -> None:
    for axes in figure.axes:
        axes.grid(alpha=0.3)
