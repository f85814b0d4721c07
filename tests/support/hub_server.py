"""A Hub for tests. It keeps everything in memory and runs in a thread of this process on a local port.

It accepts one token and returns the errors that a test asks for.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.support.hub_routes import make_app
from tests.support.hub_state import TOKEN, Hub

__all__ = ["TOKEN", "Hub", "serve"]


@contextmanager
def serve(door: socket.socket) -> Iterator[Hub]:
    """Serve a Hub on a bound socket until the block ends."""
    hub = Hub()
    config = uvicorn.Config(
        make_app(hub), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )  # longer connections are closed
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join(timeout=10)
