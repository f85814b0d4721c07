"""Contestants in processes of their own: each keeps its libraries, threads and memory to itself."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.clock import Seconds, Stages
from lookalike.errors import LookalikeError, WeightsError
from lookalike.evaluation.memory import forget_peak, peak_memory

Look = Callable[[bytes], Seconds]  # does the work on a photo's bytes; returns its own stages, or {}
Opener = Callable[..., Look]  # loads what the work needs; a function of a module, so that it can travel

ENDED = "Its process ended: its own words stand above, or there was too little memory."
READY_SECONDS = 600  # to import TensorFlow and draw 145 million random weights on a busy machine


class Run(NamedTuple):
    """One run: seconds from bytes to answer, those of its stages, and the peak of memory meanwhile in MB."""

    seconds: float
    stages: Seconds
    peak: float


class Worker:
    """A process that has opened a contestant and does its work on one photo at a time."""

    def __init__(self, opener: Opener, *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, opener, arguments), daemon=True)
        self._process.start()
        theirs.close()
        if not self._connection.poll(READY_SECONDS):
            self.close()
            raise WeightsError(f"{opener.__name__} was not ready after {READY_SECONDS} s.")
        self._answer()  # it is ready

    def look(self, photo: bytes) -> Run:
        """Do the work on an image file's bytes; raise WeightsError when the process does not survive it."""
        try:
            self._connection.send(photo)
        except BrokenPipeError:
            raise WeightsError(ENDED) from None
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()

    def _answer(self) -> Run:
        try:
            answer: Run | LookalikeError = self._connection.recv()
        except (EOFError, ConnectionError):
            raise WeightsError(ENDED) from None
        if isinstance(answer, LookalikeError):
            self.close()
            raise answer
        return answer


def _work(connection: Connection, opener: Opener, arguments: tuple[object, ...]) -> None:
    try:
        look = opener(*arguments)
    except LookalikeError as error:
        connection.send(error)
        return
    connection.send(Run(0.0, {}, peak_memory()))
    while True:
        try:
            photo = connection.recv()
        except EOFError:
            return
        forget_peak()
        clock = Stages()
        with clock("all"):
            stages = look(photo)
        connection.send(Run(clock.seconds["all"], stages, peak_memory()))
