"""A hundred clients at once: each gets the answer for its own photo, and the server's resources return to
normal.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from lookalike.space.gradio_internals.queue import TOO_MANY
from tests.support.drawing import draw_face, draw_group, draw_landscape
from tests.support.server import API, DEFAULTS, Server, data_url, encoded, outcome, serving
from tests.support.table import Table

pytestmark = pytest.mark.attack

CLIENTS = 100
SECONDS = 120.0  # long enough to detect growing memory, with a full queue all the time
WARM_SECONDS = 60.0  # of the same load, until caches are full
LEAVING = 0.15  # share of the clients that disconnect before their answer
PHOTOS = 12
ANSWER_TIMEOUT = 240.0  # seconds for one answer
FULL = "Queue is full"  # the message of the queue, with status 503
REFUSED = "refused"  # because too many large photos arrive or wait
REST = 75.0  # seconds after which unfetched answers and unused uploads are deleted
GROWTH_MB = 60  # allowed growth by the load: fragments, caches that were not full
THREADS = 60  # of the server: gradio's pool of 40, onnxruntime's, the decoders' timers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("crowds")) as server:
        yield server
        assert "Traceback" not in server.log.read_text()


def photos() -> list[bytes]:
    faces = [encoded(draw_face(seed=seed, size=200 + 40 * seed)) for seed in range(PHOTOS - 3)]
    return [*faces, encoded(draw_group((320, 260)), "PNG"), encoded(draw_landscape()), b"hello"]


def address(number: int) -> dict[str, str]:
    """Return the header with which a proxy names its caller's address."""
    return {"x-forwarded-for": f"93.184.{number}.7"}


class Crowd:
    """Clients that send requests until the time is up."""

    def __init__(self, server: Server, content: list[bytes], alone: list[str]) -> None:
        self.server, self.content, self.alone = server, content, alone
        self.counts: Counter[str] = Counter()
        self.wrong: list[tuple[str, str]] = []
        self.waits: list[float] = []

    async def come(self, seconds: float, clients: int = CLIENTS) -> None:
        until = time.monotonic() + seconds
        limits = httpx.Limits(
            max_keepalive_connections=0
        )  # the server closes connections that are idle for 5 s
        await asyncio.gather(*(self.visit(limits, number, until) for number in range(clients)))

    async def visit(self, limits: httpx.Limits, place: int, until: float) -> None:
        chance = random.Random(place)
        async with httpx.AsyncClient(
            base_url=self.server.address, timeout=ANSWER_TIMEOUT, limits=limits, headers=address(place)
        ) as client:
            await self.stay(client, chance, until)

    async def stay(self, client: httpx.AsyncClient, chance: random.Random, until: float) -> None:
        while time.monotonic() < until:
            number = chance.randrange(len(self.content))
            try:
                await self.once(client, chance, number)
            except httpx.HTTPError as error:
                self.wrong.append(("connection", repr(error)))
            await asyncio.sleep(chance.random())

    async def once(self, client: httpx.AsyncClient, chance: random.Random, number: int) -> None:
        started = time.monotonic()
        photo = await self.photo(client, chance, number)
        joined = await client.post(
            f"{API}/call/find_lookalikes", json={"data": [photo, *DEFAULTS["find_lookalikes"]]}
        )
        if joined.status_code == 503 and FULL in joined.text:
            self.counts["told that the queue is full"] += 1
            return
        if joined.status_code == 503 and TOO_MANY in joined.text:  # those that it left wait still
            self.counts["told to wait for its own requests"] += 1
            return
        assert joined.status_code == 200, joined.text
        answer = f"{API}/call/find_lookalikes/{joined.json()['event_id']}"
        if chance.random() < LEAVING:
            self.counts["left midway"] += 1
            if chance.random() < 0.5:
                async with client.stream("GET", answer):
                    return
            return
        said = outcome((await client.get(answer)).text)
        self.waits.append(time.monotonic() - started)
        self.counts["answered"] += 1
        if said != self.alone[number]:
            self.wrong.append((self.alone[number], said))

    async def photo(self, client: httpx.AsyncClient, chance: random.Random, number: int) -> dict[str, object]:
        if chance.random() < 0.5:
            return data_url(self.content[number])
        sent = await client.post(f"{API}/upload", files={"files": ("me.jpg", self.content[number])})
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_many_clients_get_correct_answers_and_leave_nothing_behind(
    server: Server, request: pytest.FixtureRequest
):
    content = photos()
    alone = [outcome(server.ask(data_url(each))) for each in content]
    assert len(set(alone)) > 3
    asyncio.run(Crowd(server, content, alone).come(WARM_SECONDS))
    time.sleep(REST)
    before, decoders = server.held(), len(server.processes())
    crowd = Crowd(server, content, alone)
    server.reset_peaks()
    asyncio.run(crowd.come(SECONDS))
    peak = server.peaks()["server"]
    time.sleep(REST)
    after = server.held()
    table = Table("a crowd", "")
    for what, count in sorted(crowd.counts.items()):
        table.row(what, count)
    waits = sorted(crowd.waits)
    table.row("wrong answers and other errors", len(crowd.wrong))
    table.row(
        "seconds to an answer: half, most, all",
        " ".join(f"{waits[round((len(waits) - 1) * share)]:.1f}" for share in (0.5, 0.95, 1)),
    )
    table.row("held before and after", f"{json.dumps(before)} {json.dumps(after)}, peak {peak} MB")
    table.show(request)
    assert crowd.wrong == []
    assert crowd.counts["answered"] > CLIENTS
    assert after["MB"] < before["MB"] + GROWTH_MB
    assert after["files"] <= before["files"] + 5 and after["threads"] <= THREADS
    assert len(server.processes()) == decoders


def test_a_full_queue_of_large_photos_stays_within_memory(server: Server, request: pytest.FixtureRequest):
    """As many requests as may wait, each of the maximum size; most of them are then refused."""
    from lookalike.space.middleware.json_bodies import PHOTO_BYTES
    from lookalike.space.page.page import CONCURRENT_REQUESTS, QUEUE_LENGTH

    body = data_url(encoded(draw_face(seed=3)) + bytes(PHOTO_BYTES * 3 // 4 - 300_000))
    content = json.dumps({"data": [body, *DEFAULTS["find_lookalikes"]]}).encode()
    assert len(content) < PHOTO_BYTES
    server.reset_peaks()

    async def ask(client: httpx.AsyncClient, number: int) -> str:
        head = {"content-type": "application/json", **address(number)}
        joined = await client.post(f"{API}/call/find_lookalikes", content=content, headers=head)
        if joined.status_code != 200:
            return REFUSED
        return outcome((await client.get(f"{API}/call/find_lookalikes/{joined.json()['event_id']}")).text)

    async def all_at_once() -> list[str]:
        async with httpx.AsyncClient(base_url=server.address, timeout=600, limits=httpx.Limits()) as client:
            count = QUEUE_LENGTH + CONCURRENT_REQUESTS
            return await asyncio.gather(*(ask(client, number) for number in range(count)))

    said = Counter(asyncio.run(all_at_once()))
    peaks = server.peaks()
    table = Table("the fullest queue", "")
    table.row(f"{QUEUE_LENGTH + CONCURRENT_REQUESTS} bodies of {len(content):,} bytes", dict(said))
    table.row("peak", f"{peaks['server']} MB, a decoder {peaks['decoder']} MB")
    table.show(request)
    assert all(each.startswith(("answer: ", REFUSED)) for each in said)
    assert peaks["server"] < 2500  # as SECURITY.md says
