"""uvicorn's HTTP protocol with a deadline for the head of a request, and a size; and a pause for handshakes.

uvicorn gives an idle connection five seconds between two requests and ends it then. But it waits for ever for a first
request, and for the rest of a head of which one byte has come; and it keeps whatever such a head brings.

Making a WebSocket of a handshake, and even refusing it then, takes several times as long as reading its head. Where an
origin has no place for one more (`sockets.seats`), its handshake waits here for a while, and is looked at once more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.clients import clients
from operations import files
from sockets import seats

MAX_HEAD = 64 * 1024
"""Bytes of a head: far more than cookies and a query of GET have."""
MOST_PAUSED = 2_000
"""Handshakes that wait, of all origins: some 20 KB each. It is a quarter of the open files where that is less."""

_paused: Counter[Hashable] = Counter()
"""Handshakes of each origin that wait."""


class Protocol(HttpToolsProtocol):
    """Ends a connection whose next head is not whole within HEAD_SECONDS of its beginning, or of the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._received = 0
        self._is_in_head = self._is_socket = False
        self._pause: tuple[Hashable, asyncio.TimerHandle] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        self._end_pause()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._is_in_head = False
        self._stop_watching()

    def handle_websocket_upgrade(self) -> None:
        self._is_socket = True
        origin = clients.origin_of(self.scope)
        if seats.may_come(origin):
            super().handle_websocket_upgrade()
        elif _is_full(origin):
            self._refuse_handshake()
        else:
            _paused[origin] += 1
            self.transport.pause_reading()
            self._pause = origin, self.loop.call_later(settings.HANDSHAKE_PAUSE_SECONDS, self._look_again)

    def _look_again(self) -> None:
        assert self._pause is not None
        origin, _timer = self._pause
        self._end_pause()
        if seats.may_come(origin):
            self.transport.resume_reading()
            super().handle_websocket_upgrade()
        else:
            self._refuse_handshake()

    def _end_pause(self) -> None:
        if self._pause is not None:
            origin, timer = self._pause
            timer.cancel()
            self._pause = None
            _paused[origin] -= 1
            if not _paused[origin]:
                del _paused[origin]

    def _refuse_handshake(self) -> None:
        self._refuse(HTTPStatus.TOO_MANY_REQUESTS, f"retry-after: {seats.RETRY_SECONDS}\r\n")

    def _watch(self) -> None:
        if not self._awaits_head() or self.transport.is_closing():
            self._stop_watching()
        elif self._received > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(settings.HEAD_SECONDS, self._give_up)

    def _awaits_head(self) -> bool:
        if self._is_socket:
            return False
        return self._is_in_head or self.cycle is None or self.cycle.response_complete

    def _stop_watching(self) -> None:
        self._received = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._received:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            # Browsers connect beforehand; nothing was asked that an answer would be for.
            self.transport.close()

    def _refuse(self, status: HTTPStatus, headers: str = "") -> None:
        self._stop_watching()
        line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        self.transport.write(f"{line}{headers}connection: close\r\ncontent-length: 0\r\n\r\n".encode())
        self.transport.close()


def _is_full(origin: Hashable) -> bool:
    """Whether as many wait as may: of all, or of this origin, which may have half of the places."""
    most = min(MOST_PAUSED, files.limits()[0] // 4)
    return _paused.total() >= most or _paused[origin] >= most // 2
