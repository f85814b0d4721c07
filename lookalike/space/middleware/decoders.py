"""Decode photos in separate processes, so that a hostile file can end only its decoder.

Pillow and its libraries read many formats in C. A file of a few kilobytes can keep them busy for minutes or
take all memory, and only another process can be stopped in the middle. Photos travel through a pipe and never
touch the disk.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import IO

import numpy as np

from lookalike.errors import ImageError
from lookalike.images import RGB, read_image
from lookalike.space.middleware.decoder_time import DecoderTime

COUNT = 4  # processes at most: two requests and two cameras; one starts when all others are busy
CPU_SECONDS = 8  # for one photo; the slowest honest one, a progressive JPEG of 49 megapixels, takes 3
WALL_SECONDS = 40.0  # for the same on a busy machine
MEMORY = 2_500_000_000  # bytes of address space; 50 megapixels with transparency take 1.3 GB
# A stub replaces the package, so that only this module and what it imports are loaded.
START = (
    "import sys, types; package = types.ModuleType('lookalike'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['lookalike'] = package; from lookalike.space.middleware.decoders import serve; serve()"
)
PACKAGE = Path(__file__).parents[2]
HEAD = struct.Struct("<qd")  # of a photo that follows: its bytes, and the CPU seconds that it may take
# Of an answer: height and width of the pixels that follow, or -1 and the length of an error sentence; and the
# CPU seconds that it took.
REPLY = struct.Struct("<qqd")
# The exit status of a process that took too long, by its own limit or ours.
STOPPED = [-getattr(signal, name) for name in ("SIGXCPU", "SIGKILL") if hasattr(signal, name)] or [1]
SLOW = "The photo takes too long to read; save it again as a plain JPEG."
CANCELLED = "The request was cancelled."
BROKEN = "This is not a photo that can be read; use a JPEG, PNG or WebP file."


class Job:
    """A request that may be cancelled: then the decoder that reads its photo is stopped."""

    def __init__(self, visitor: str = "") -> None:
        self.visitor = visitor
        self._stopped, self._lock = False, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End the decoder that reads the request's photo, and let no other one start."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def attach(self, process: subprocess.Popen[bytes] | None) -> None:
        """Note the process that reads the photo, or None afterwards; raise ImageError after `stop`."""
        with self._lock:
            self._process = process
            if process is not None and self._stopped:
                raise ImageError(CANCELLED)


JOB: ContextVar[Job | None] = ContextVar("job", default=None)  # the request in whose name a photo is read


class Decoders:
    """Decodes photos in at most `count` processes, each photo in at most `seconds` of CPU time.

    A visitor's photos together may take what `DecoderTime` allows. Safe to call from several threads. A
    decoder that died is replaced when the next photo comes.
    """

    def __init__(self, count: int = COUNT, *, seconds: float = CPU_SECONDS) -> None:
        self._seconds, self._time = seconds, DecoderTime()
        self._free: queue.LifoQueue[_Decoder] = queue.LifoQueue()  # the last one used is still warm
        for _ in range(count):
            self._free.put(_Decoder())

    def start(self) -> None:
        """Start one process in advance, for the first photo."""
        decoder = self._free.get()
        decoder.start()
        self._free.put(decoder)

    def read(self, data: bytes) -> RGB:
        """Return the photo in a file's bytes as `lookalike.images.read_image` does; raise ImageError."""
        job = JOB.get() or Job()
        seconds = self._time.take(job.visitor, self._seconds)
        decoder = self._free.get()
        decoder.used = 0.0
        try:
            return decoder.read(data, seconds, job)
        finally:
            used = decoder.used
            self._free.put(decoder)
            self._time.give_back(job.visitor, seconds - used)

    def close(self) -> None:
        """End the processes; the next photo starts one again."""
        decoders = [self._free.get() for _ in range(self._free.qsize())]
        for decoder in decoders:
            decoder.stop()
            self._free.put(decoder)


class _Decoder:
    def __init__(self) -> None:
        self.used = 0.0  # CPU seconds for the latest photo; all that it might take if the process died
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, data: bytes, seconds: float, job: Job) -> RGB:
        process = self.start()
        job.attach(process)
        self.used = seconds
        timer = threading.Timer(WALL_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(HEAD.pack(len(data), seconds))
            process.stdin.write(data)
            process.stdin.flush()
            return self._receive(process.stdout)
        except ImageError:  # sent by the decoder, which goes on
            raise
        except (OSError, EOFError):  # the decoder died
            stopped = process.wait() in STOPPED
            self.stop()
            raise ImageError(SLOW if stopped else BROKEN) from None
        except BaseException:  # the rest of the answer is in the pipe and would reach the next visitor
            self.stop()
            raise
        finally:
            job.attach(None)
            timer.cancel()

    def _receive(self, pipe: IO[bytes]) -> RGB:
        height, width, self.used = REPLY.unpack(_exactly(pipe, REPLY.size))
        if height < 0:
            raise ImageError(_exactly(pipe, width).decode())
        pixels = np.frombuffer(_exactly(pipe, height * width * 3), np.uint8)
        return pixels.reshape(height, width, 3)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(PACKAGE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libraries print warnings about broken files
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread reserves address space
                start_new_session=True,  # Ctrl-C is for the server; a decoder ends with its pipe
            )
        return self._process


DECODERS = Decoders()  # the page's; the first process starts with `start` or with the first photo


def _exactly(pipe: IO[bytes], size: int) -> bytearray:
    """Return `size` bytes; raise EOFError if the pipe ends before."""
    data = bytearray(size)
    with memoryview(data) as view:
        done = 0
        while done < size:
            count = pipe.readinto(view[done:])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            done += count
    return data


def serve() -> None:
    """Decode photos from standard input until it is closed; the main loop of a `_Decoder`'s process."""
    while head := sys.stdin.buffer.read(HEAD.size):
        length, seconds = HEAD.unpack(head)
        _limit(seconds)
        _answer(sys.stdin.buffer.read(length), sys.stdout.buffer)


def _answer(data: bytes, outlet: IO[bytes]) -> None:
    started = time.process_time()
    try:
        image = read_image(data)
        outlet.write(REPLY.pack(*image.shape[:2], time.process_time() - started))
        outlet.write(np.ascontiguousarray(image).data)
    except ImageError as error:
        sentence = str(error).encode()
        outlet.write(REPLY.pack(-1, len(sentence), time.process_time() - started) + sentence)
    outlet.flush()


def _limit(seconds: float) -> None:
    """Limit CPU time for the next photo and memory for all, and allow no core dump: it would hold photos."""
    try:
        import resource
    except ImportError:  # Windows has none; there, only WALL_SECONDS counts
        return
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds), resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
