"""Timing: the stages of one run, several actions in alternation, and summary statistics."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

Seconds = dict[str, float]  # by stage


class StageClock:
    """The seconds that each stage of one run took, in order."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the block to `stage`."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def run_alternating(actions: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run each action once per round and return the seconds that it reports, by round.

    The first round fills caches and is not counted. Each round starts with another action, so that none of
    them always runs on a machine that the same other one has left.
    """
    names = list(actions)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken = actions[name]()
            if number:
                seconds[name].append(taken)
    return seconds


def timed(action: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs `action` and returns the seconds that it took."""

    def run() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return run


def median_ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """Return the median over the rounds of slower / faster."""
    return median(one / other for one, other in zip(slower, faster, strict=True))


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the value below which a share 0..1 of `seconds` lies: one of the values, not interpolated."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def processor_time(pid: int) -> float:
    """Return the processor seconds that a process has used, 0 on systems other than Linux."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user and system time
