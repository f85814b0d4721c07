"""One visitor tries to end the page for all; another must be answered rightly within ten seconds."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.support.drawing import draw_face
from tests.support.hostile_photos import scans
from tests.support.server import API, DEFAULTS, Server, data_url, encoded, outcome, serving
from tests.support.table import Table

pytestmark = pytest.mark.attack

PER_MINUTE = "120"  # the limit of a Space
PATIENCE = 10.0  # seconds: the longest that the second visitor may wait
GROWTH_MB = 700  # that the server may take for what an address may send at once: SECURITY.md promises it
KEPT_MB = 250  # of it that it may keep afterwards: the pools of its libraries
MANY = 42  # requests: more than the queue's places
FACE = encoded(draw_face(seed=1))
KILL_QUEUE = """
import asyncio, gc, signal
def kill(number, frame):
    for task in [each for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done()]:
        if "start_processing" in repr(task.get_coro()):
            task.get_loop().call_soon_threadsafe(task.cancel)
signal.signal(signal.SIGUSR1, kill)
"""


@dataclass
class Bystander:
    """A second visitor, who asks for the same photo again and again; `waits` are seconds."""

    server: Server
    answer: str
    waits: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ask_until(self, stop: threading.Event) -> None:
        headers = {"x-forwarded-for": f"93.184.216.{secrets.randbelow(250)}"}
        while not stop.is_set() or not self.waits:
            started = time.monotonic()
            with suppress_error(self.wrong), httpx.Client(timeout=60, headers=headers) as client:
                said = outcome(ask(client, self.server))
                if said != self.answer:
                    self.wrong.append(said[:100])
            self.waits.append(time.monotonic() - started)
            time.sleep(1.0)  # 60 requests a minute, below the limit


class suppress_error(suppress):
    """Like suppress, and notes the error."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(httpx.HTTPError, TypeError, ValueError)  # no answer that can be read
        self._errors = errors

    def __exit__(self, kind, error, trace) -> bool:
        if error is not None:
            self._errors.append(type(error).__name__)
        return super().__exit__(kind, error, trace)


def ask(client: httpx.Client, server: Server, photo: bytes = FACE) -> str:
    """Return the events of the answer; what has come by then after a minute."""
    url, until = server.url(f"{API}/call/find_lookalikes"), time.monotonic() + 60
    joined = client.post(url, json={"data": [data_url(photo), *DEFAULTS["find_lookalikes"]]})
    if joined.status_code != 200:
        return joined.text
    events = ""
    with client.stream("GET", f"{url}/{joined.json()['event_id']}") as answer:
        for piece in answer.iter_text():
            events += piece
            if time.monotonic() > until:
                break
    return events


class Attacker:
    """Sends requests from one address."""

    def __init__(self, server: Server) -> None:
        self.server, self.statuses = server, list[int | str]()
        self.address = f"61.{secrets.randbelow(250)}.{secrets.randbelow(250)}.7"
        config = httpx.get(server.url("/config"), timeout=60).json()["dependencies"]
        self.camera = next(
            each["id"] for each in config if each["targets"][:1] and each["targets"][0][1] == "stream"
        )
        self.find = next(each["id"] for each in config if each["api_name"] == "find")

    def post(
        self, path: str, content: bytes | dict[str, object], timeout: float = 60
    ) -> httpx.Response | None:
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        headers = {"content-type": "application/json", "x-forwarded-for": self.address}
        try:
            answer = httpx.post(self.server.url(API + path), content=body, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            self.statuses.append(type(error).__name__)
            return None
        self.statuses.append(answer.status_code)
        return answer

    def join(self, listener: int, session: str, data: list[object]) -> httpx.Response | None:
        return self.post("/queue/join", {"fn_index": listener, "data": data, "session_hash": session})

    def connect(self) -> socket.socket:
        host, port = self.server.address.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def head(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {self.address}\r\n\r\n".encode()

    def at_once(self, count: int, send: Callable[[int], object]) -> None:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(send, range(count)))


def nested(size: int, start: bytes = b"") -> bytes:
    """JSON of `size` bytes that is made of many small lists."""
    return start + b"[" + b"[],".join([b""] * (size // 3)) + b"[]]" + (b"}" if start else b"")


JOINED = b'{"fn_index": 1, "session_hash": "abc", "data": '


def empty_sessions(attacker: Attacker) -> None:
    attacker.at_once(3, lambda _: attacker.join(attacker.find, "", [None, 5, None, ""]))
    time.sleep(3)


def unread_cameras(attacker: Attacker) -> None:
    joined = [attacker.join(attacker.camera, f"camera{number}", [None, None]) for number in range(4)]
    time.sleep(80)
    for event in [answer.json().get("event_id") for answer in joined if answer is not None]:
        attacker.post(f"/stream/{event}/close", b"")
    time.sleep(2)


def many_cameras(attacker: Attacker) -> None:
    for number in range(MANY):
        attacker.join(attacker.camera, f"many{number}", [None, None])
    time.sleep(20)


def nested_joins(attacker: Attacker) -> None:
    attacker.at_once(4, lambda _: attacker.post("/queue/join", nested(27_000_000, JOINED)))


def nested_reset(attacker: Attacker) -> None:
    answer = attacker.post("/reset", nested(27_000_000, b'{"event_id": '))
    assert answer is None or len(answer.content) < 10_000, "the answer repeats the request"


def idle_connections(attacker: Attacker) -> None:
    lines = []
    with suppress(OSError):
        for _ in range(1500):
            lines.append(attacker.connect())
            attacker.statuses.append("open")
    time.sleep(20)
    for line in lines:
        line.close()


def slow_heads(attacker: Attacker) -> None:
    lines = [attacker.connect() for _ in range(300)]
    for _ in range(20):
        for line in lines:
            with suppress(OSError):
                line.send(b"G")
        attacker.statuses.append("byte")
        time.sleep(1)
    for line in lines:
        line.close()


def long_names(attacker: Attacker) -> None:
    for number in range(10):
        attacker.join(attacker.find, "x" * 20_000_000, [None, 5, None, ""])
        attacker.join(attacker.find, f"long{number}", [data_url(FACE), 5, None, "data:" + "x" * 20_000_000])


def unread_answers(attacker: Attacker) -> None:
    for number in range(110):
        attacker.join(attacker.find, "greedy", [data_url(FACE), 5, None, ""])
        time.sleep(0.3 if number % 10 else 1.0)


def unfinished_bodies(attacker: Attacker) -> None:
    lines = []
    for path in [f"{API}/reset", f"{API}/queue/join"] * 20:
        lines.append(attacker.connect())
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        head += "content-length: 27000000\r\n"
        with suppress(OSError):
            lines[-1].sendall(
                f"{head}x-forwarded-for: {attacker.address}\r\n\r\n".encode() + b" " * 26_999_999
            )
        attacker.statuses.append("sent")
    time.sleep(75)
    for line in lines:
        line.close()


def slow_photos(attacker: Attacker) -> None:
    photo = data_url(scans(900))
    attacker.at_once(MANY, lambda n: attacker.join(attacker.find, f"slow{n}", [photo, 5, None, ""]))
    time.sleep(30)


def cancelled_photos(attacker: Attacker) -> None:
    photo = data_url(scans(900))
    for number in range(15):
        session = f"cancel{number}"
        joined = attacker.join(attacker.find, session, [photo, 5, None, ""])
        time.sleep(0.5)
        event = joined.json().get("event_id") if joined is not None else None
        attacker.post("/cancel", {"session_hash": session, "fn_index": attacker.find, "event_id": event})
    time.sleep(5)


def many_streams(attacker: Attacker) -> None:
    lines = []
    for number in range(600):
        lines.append(attacker.connect())
        lines[-1].sendall(attacker.head(f"{API}/heartbeat/s{number}"))
        attacker.statuses.append("open")
    time.sleep(10)
    for line in lines:
        line.close()


def unread_files(attacker: Attacker) -> None:
    page = httpx.get(attacker.server.url("/")).text
    file = "/assets/" + page.partition("./assets/")[2].partition('"')[0]
    lines = []
    for _ in range(200):
        lines.append(attacker.connect())
        lines[-1].sendall(attacker.head(file) * 20)
        attacker.statuses.append("asked")
    time.sleep(40)
    for line in lines:
        line.close()


def killed_queue(attacker: Attacker) -> None:
    for _ in range(2):
        os.kill(attacker.server.pid, signal.SIGUSR1)
        attacker.statuses.append("killed")
        time.sleep(12)


ATTACKS = [
    empty_sessions,
    unread_cameras,
    many_cameras,
    nested_joins,
    nested_reset,
    idle_connections,
    slow_heads,
    long_names,
    unread_answers,
    unfinished_bodies,
    slow_photos,
    cancelled_photos,
    many_streams,
    unread_files,
    killed_queue,
]


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    titles = (
        "requests",
        "answers to them",
        "second visitor: longest wait",
        "wrong",
        "before",
        "worst MB",
        "after",
    )
    table = Table("attack", *titles)
    yield table
    table.show(request)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_another_visitor_is_answered_meanwhile(
    attack: Callable[[Attacker], None], tmp_path: Path, table: Table
):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))\n"
    with serving(tmp_path / "page", before=limit + KILL_QUEUE, LOOKALIKE_PER_MINUTE=PER_MINUTE) as server:
        bystander = Bystander(server, outcome(server.ask(data_url(FACE))))
        attacker, stop = Attacker(server), threading.Event()
        before = server.held()
        server.reset_peaks()
        thread = threading.Thread(target=bystander.ask_until, args=[stop])
        thread.start()
        try:
            attack(attacker)
        finally:
            stop.set()
            thread.join()
            peak = server.peaks()["server"]
            time.sleep(2)
            after = server.held()
            counts = {what: attacker.statuses.count(what) for what in dict.fromkeys(attacker.statuses)}
            row = (len(attacker.statuses), counts, f"{max(bystander.waits):.1f} s", len(bystander.wrong))
            table.row(attack.__name__, *row, json.dumps(before), peak, json.dumps(after))
        assert bystander.wrong == []
        assert max(bystander.waits) < PATIENCE
        assert peak < before["MB"] + GROWTH_MB and after["MB"] < before["MB"] + KEPT_MB
        assert after["files"] < before["files"] + 60
        log = server.log.read_text()
        assert len(log) < 20_000 and "Traceback" not in log and "x" * 100 not in log


def photos_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix == ".jpg"]


@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGHUP], [signal.SIGTERM, signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGKILL]],
)
def test_no_upload_is_left_however_the_page_is_stopped(numbers: list[int], tmp_path: Path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "own.jpg").write_bytes(b"the owner's")
    with serving(tmp_path / "page", GRADIO_TEMP_DIR=str(folder)) as server:
        server.upload(FACE, "me.jpg")
        assert len(photos_below(folder)) == 2
        (own,) = [each for each in folder.iterdir() if each.is_dir()]
        assert "no longer here" in server.ask({"path": str(own), "meta": {"_type": "gradio.FileData"}})
        for number in numbers:
            server.process.send_signal(number)
            time.sleep(1.5)
        assert server.process.wait(timeout=40) == (-9 if numbers == [signal.SIGKILL] else 0)
        assert "Traceback" not in server.log.read_text()
    if numbers == [signal.SIGKILL]:
        with serving(tmp_path / "again", GRADIO_TEMP_DIR=str(folder)):
            assert photos_below(folder) == [folder / "own.jpg"]
    assert [*folder.iterdir()] == [folder / "own.jpg"]


def test_files_that_are_not_ours_are_never_deleted(tmp_path: Path):
    old = time.time() - 1000
    for name in ("own.jpg", "notes/own.txt", "a" * 64 + "/own.png"):
        path = tmp_path / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"the owner's")
        os.utime(path, (old, old))
    with serving(tmp_path / "page", GRADIO_TEMP_DIR=str(tmp_path / "uploads")) as server:
        assert outcome(server.ask(data_url(FACE))).startswith("answer: ")
        time.sleep(45)  # two rounds of cleaning up
    assert len([*(tmp_path / "uploads").rglob("own.*")]) == 3


def test_a_strangers_header_is_in_nobody_elses_answer(tmp_path: Path):
    with serving(tmp_path / "page") as server:
        evil = {"x-forwarded-host": "evil.example", "host": "evil.example"}
        for path in ("/", "/config", f"{API}/info", f"{API}/openapi.json", f"{API}/call/v2/find_lookalikes"):
            httpx.get(server.url(path), headers=evil, timeout=60)
            httpx.post(server.url(path), headers=evil, json={"photo": data_url(FACE)}, timeout=60)
        for path in ("/", "/config", f"{API}/info", f"{API}/openapi.json"):
            answer = httpx.get(server.url(path), timeout=60)
            assert answer.status_code == 200 and "evil.example" not in answer.text, path
            assert answer.headers["cache-control"] == "no-store"
            assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_a_queue_that_was_killed_answers_again_within_seconds(tmp_path: Path, request: pytest.FixtureRequest):
    with serving(tmp_path / "page", before=KILL_QUEUE) as server:
        assert httpx.get(server.url("/healthz")).status_code == 200
        os.kill(server.pid, signal.SIGUSR1)
        started, statuses = time.monotonic(), set()
        while 503 not in statuses and time.monotonic() < started + 5:
            statuses.add(httpx.get(server.url("/healthz")).status_code)
        said = outcome(server.ask(data_url(FACE)))
        seconds = time.monotonic() - started
        table = Table("from a dead queue to the next answer", f"{seconds:.1f} s")
        table.show(request)
        assert 503 in statuses and said.startswith("answer: ") and seconds < PATIENCE
        assert "the queue had stopped and is started again" in server.log.read_text()
