"""The web server of the embedded mode: uvicorn in the main thread."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from config.heads import Protocol
from config.processor import settle

MAX_MESSAGE = 64 * 1024
"""Bytes of one WebSocket message: browsers only ever send small ones."""
GRACE = 3
"""Seconds that open requests and sockets get when the server stops."""


class Server(uvicorn.Server):
    """Tells when it has begun to serve."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            settle()
            self._on_started()


def configuration(application: Any) -> uvicorn.Config:
    """How the embedded mode runs uvicorn."""
    return uvicorn.Config(
        application,
        http=Protocol,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Whose X-Forwarded-For counts is TRUSTED_PROXIES' to say; uvicorn would believe any program on this machine.
        proxy_headers=False,
        lifespan="off",
        ws_max_size=MAX_MESSAGE,
        timeout_graceful_shutdown=GRACE,
    )


def serve(listener: socket.socket, on_started: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; returns once open requests are done or their grace is over."""
    config = configuration("config.asgi:application")
    # uvicorn raises the signal that stopped it once more when it is done: it must not end the process then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_stopping)
    Server(config, on_started).run(sockets=[listener])


def _already_stopping(number: int, frame: FrameType | None) -> None:
    """The rest of the stop is on its way."""
