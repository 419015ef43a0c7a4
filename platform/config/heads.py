"""uvicorn's HTTP protocol with a deadline for the head of a request, and a size.

uvicorn gives an idle connection five seconds between two requests and ends it then. But it waits for ever for a first
request, and for the rest of a head of which one byte has come; and it keeps whatever such a head brings.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a head: far more than cookies and a query of GET have."""


class Protocol(HttpToolsProtocol):
    """Ends a connection whose next head is not whole within HEAD_SECONDS of its beginning, or of the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._received = 0
        self._is_in_head = self._is_socket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
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
        super().handle_websocket_upgrade()

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

    def _refuse(self, status: HTTPStatus) -> None:
        self._stop_watching()
        line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        self.transport.write(f"{line}connection: close\r\ncontent-length: 0\r\n\r\n".encode())
        self.transport.close()
