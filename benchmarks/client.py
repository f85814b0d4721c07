"""Visitors who ask the page's `/find_lookalikes` over HTTP, as a script would with two calls of curl."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass

import httpx

from lookalike.errors import LookalikeError

ENDPOINT = "/gradio_api/call/find_lookalikes"
PATIENCE = 120.0  # seconds for one answer; in a long queue it may take some
COMPLETE = "event: complete\ndata: "


@dataclass(frozen=True)
class Reply:
    """The seconds from sending a photo to the answer's last byte, and the server's own by stage."""

    seconds: float
    stages: dict[str, float]


def ask_all(address: str, photo: bytes, *, clients: int, requests: int) -> tuple[list[Reply], float]:
    """Let `clients` visitors ask at once, each again when answered, `requests` times in all; return the
    replies and the seconds that all took. Raise LookalikeError with the server's words when one gets none.
    """
    return asyncio.run(_ask_all(address, photo, clients=clients, requests=requests))


async def _ask_all(address: str, photo: bytes, *, clients: int, requests: int) -> tuple[list[Reply], float]:
    url = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
    body = json.dumps({"data": [{"url": url, "meta": {"_type": "gradio.FileData"}}, 5, 0, None]}).encode()
    left = iter(range(requests))
    replies: list[Reply] = []
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as client:

        async def visit() -> None:
            for _ in left:  # shared: whoever is free takes the next
                replies.append(await _ask(client, body))

        started = time.perf_counter()
        await asyncio.gather(*(visit() for _ in range(clients)))
        return replies, time.perf_counter() - started


async def _ask(client: httpx.AsyncClient, body: bytes) -> Reply:
    started = time.perf_counter()
    sent = await client.post(ENDPOINT, content=body, headers={"content-type": "application/json"})
    sent.raise_for_status()
    stream = (await client.get(f"{ENDPOINT}/{sent.json()['event_id']}")).text
    seconds = time.perf_counter() - started
    if COMPLETE not in stream:
        raise LookalikeError(f"The page gave no answer: {stream.strip()[-300:]}")
    _, report = json.loads(stream.rpartition(COMPLETE)[2])
    return Reply(seconds, report["seconds"])
