"""A load generator: clients that call the page's `/find_lookalikes` over HTTP, as a script would."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass

import httpx

from lookalike.errors import LookalikeError

ENDPOINT = "/gradio_api/call/find_lookalikes"
ANSWER_TIMEOUT = 120.0  # seconds; in a long queue an answer may take some
COMPLETE = "event: complete\ndata: "


@dataclass(frozen=True)
class Reply:
    """The seconds from sending a photo to the last byte of the answer, and the server's own by stage."""

    seconds: float
    stages: dict[str, float]


def send_requests(address: str, photo: bytes, *, clients: int, requests: int) -> tuple[list[Reply], float]:
    """Send `requests` requests from `clients` clients at once; each client waits for its answer before its
    next request. Return the replies and the seconds that all of them took together.

    Raises LookalikeError with the server's message when a request is not answered.
    """
    return asyncio.run(_send_requests(address, photo, clients=clients, requests=requests))


async def _send_requests(
    address: str, photo: bytes, *, clients: int, requests: int
) -> tuple[list[Reply], float]:
    url = f"data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
    body = json.dumps({"data": [{"url": url, "meta": {"_type": "gradio.FileData"}}, 5, 0, None]}).encode()
    left = iter(range(requests))
    replies: list[Reply] = []
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=ANSWER_TIMEOUT, limits=limits) as client:

        async def run_client() -> None:
            for _ in left:  # shared: whichever client is free takes the next request
                replies.append(await _send(client, body))

        started = time.perf_counter()
        await asyncio.gather(*(run_client() for _ in range(clients)))
        return replies, time.perf_counter() - started


async def _send(client: httpx.AsyncClient, body: bytes) -> Reply:
    started = time.perf_counter()
    sent = await client.post(ENDPOINT, content=body, headers={"content-type": "application/json"})
    sent.raise_for_status()
    stream = (await client.get(f"{ENDPOINT}/{sent.json()['event_id']}")).text
    seconds = time.perf_counter() - started
    if COMPLETE not in stream:
        raise LookalikeError(f"The page gave no answer: {stream.strip()[-300:]}")
    _, report = json.loads(stream.rpartition(COMPLETE)[2])
    return Reply(seconds, report["seconds"])
