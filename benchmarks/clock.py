"""Clocks: the stages of one run, contestants in turns, and how much memory a process took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

Seconds = dict[str, float]  # by stage


class Stages:
    """The seconds that each stage of one run took, in order."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to `stage`."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Let each contestant run once a round and return the seconds that each says it took, round by round.

    The first round warms caches up and does not count; each round starts with another contestant.
    """
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken = contestants[name]()
            if number:
                seconds[name].append(taken)
    return seconds


def timed(action: Callable[[], object]) -> Callable[[], float]:
    """Return a contestant that does `action` and says how many seconds that took."""

    def run() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return run


def times_as_long(slower: Sequence[float], faster: Sequence[float]) -> float:
    """Return the median over the rounds of slower / faster."""
    return median(one / other for one, other in zip(slower, faster, strict=True))


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the value under which a share 0..1 of `seconds` lies, taken from the sorted ones, no mixture."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def processor_time(pid: int) -> float:
    """Return the processor seconds that a process has used, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # of the user, of the system
