"""Each system that is compared runs in a process of its own, with its own libraries, threads and memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.clock import Seconds, StageClock
from lookalike.errors import LookalikeError, WeightsError
from lookalike.evaluation.memory import peak_memory, reset_peak

Process = Callable[[bytes], Seconds]  # processes an encoded photo; returns the seconds by stage, or {}
Opener = Callable[..., Process]  # loads a system; a module-level function, so that it can be pickled

ENDED = "The process ended; see its output above. It may have run out of memory."
READY_SECONDS = 600  # to import TensorFlow and draw 145 million random weights on a busy machine


class Run(NamedTuple):
    """One run: seconds from bytes to answer, seconds by stage, and the peak memory of the process in MB."""

    seconds: float
    stages: Seconds
    peak: float


class Worker:
    """A process that has loaded a system and processes one photo at a time."""

    def __init__(self, opener: Opener, *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, opener, arguments), daemon=True)
        self._process.start()
        theirs.close()
        if not self._connection.poll(READY_SECONDS):
            self.close()
            raise WeightsError(f"{opener.__name__} was not ready after {READY_SECONDS} s.")
        self._receive()  # it is ready

    def process(self, photo: bytes) -> Run:
        """Process an encoded photo; raise WeightsError when the process ends meanwhile."""
        try:
            self._connection.send(photo)
        except BrokenPipeError:
            raise WeightsError(ENDED) from None
        return self._receive()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()

    def _receive(self) -> Run:
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
        process = opener(*arguments)
    except LookalikeError as error:
        connection.send(error)
        return
    connection.send(Run(0.0, {}, peak_memory()))
    while True:
        try:
            photo = connection.recv()
        except EOFError:
            return
        reset_peak()
        clock = StageClock()
        with clock("all"):
            stages = process(photo)
        connection.send(Run(clock.seconds["all"], stages, peak_memory()))
