"""Clients on a WebSocket that behave as `static/js/live.js` does: hints make them fetch, and so does a reconnect."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from contextlib import closing
from http import HTTPStatus
from typing import Any
from uuid import UUID

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.faults.actors import Actor
from tests.faults.site import Session, Site

OPEN_WITHIN = 4.0
POLL_EVERY = 5.0
PING_EVERY = 10.0
RETRY_FIRST = 0.5
RETRY_MOST = 30.0
FAILURES_UNTIL_POLLING = 2
SIGNED_OUT = 4401


class Watcher(Actor):
    """An open list of an organisation's reports."""

    def __init__(self, site: Site, session: Session, dice: random.Random) -> None:
        super().__init__(f"watcher of {session.organisation}")
        self.site, self.session, self.dice = site, session, dice
        self.organisation = session.organisation
        self.shown: dict[UUID, tuple[int, bool]] = {}
        """The revision of each report that is on the page, and whether it is final."""
        self.connected = 0
        """How often a socket was opened."""
        self._dropped = threading.Event()
        self._position = 0
        self._known = -1
        """The newest position that the socket has told of."""
        self._failures = 0
        self._again_at: float | None = None
        """When a fetch that failed is tried again."""

    def drop(self) -> None:
        """Lose the connection, as on a train."""
        self._dropped.set()

    def act(self) -> None:
        while not self.stopping.is_set():
            self._dropped.clear()
            self._live()
            self._failures += 1
            self._wait()

    def _live(self) -> None:
        """Listen on a socket for as long as it lasts."""
        try:
            with connect(
                f"ws://127.0.0.1:{self.site.port}/ws/reports/",
                origin=Origin(self.site.origin),
                additional_headers={"Cookie": f"sessionid={self.session.session}", **_host(self.site)},
                proxy=None,
                open_timeout=OPEN_WITHIN,
                close_timeout=1,
                ping_interval=None,
            ) as socket:
                self.connected += 1
                self._failures = 0
                self._refresh()
                self._listen(socket)
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == SIGNED_OUT:
                raise
        except (OSError, WebSocketException):
            return

    def _listen(self, socket: ClientConnection) -> None:
        next_ping, answered = time.monotonic() + PING_EVERY, True
        socket.send("ping")
        while not (self.stopping.is_set() or self._dropped.is_set()):
            try:
                self._hear(json.loads(socket.recv(timeout=0.2)))
                answered = True
            except TimeoutError:
                pass
            if self._again_at is not None and time.monotonic() > self._again_at:
                self._refresh()
            if time.monotonic() > next_ping:
                if not answered:
                    return
                next_ping, answered = time.monotonic() + PING_EVERY, False
                socket.send("ping")

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "pong":
            position = message["positions"].get(str(self.organisation))
            missed = position is not None and self._misses(position, 0)
        elif message["type"] == "report.changed":
            missed = self._misses(message["position"], 1) or message["position"] > self._position
        else:
            return
        if missed:
            self._refresh()

    def _misses(self, position: int, following: int) -> bool:
        known, self._known = self._known, max(self._known, position)
        return position > known + following

    def _wait(self) -> None:
        """Wait before the next connection; after two failures poll meanwhile."""
        longest = min(RETRY_MOST, RETRY_FIRST * 2 ** min(self._failures, 10))
        end = time.monotonic() + longest / 2 + self.dice.random() * longest / 2
        while (left := end - time.monotonic()) > 0 and not self.stopping.is_set():
            if self._failures >= FAILURES_UNTIL_POLLING:
                self._refresh()
            self.stopping.wait(min(left, POLL_EVERY))

    def _refresh(self) -> None:
        """Fetch what was missed; where that fails, try again soon."""
        more = True
        self._again_at = time.monotonic() + POLL_EVERY
        while more:
            news = self._get(f"/reports/changes/?organisation={self.organisation}&after={self._position}")
            if news is None:
                return
            for change in news["changes"]:
                self._apply(change)
            more = news["more"] and news["position"] > self._position
            self._position = news["position"]
        self._again_at = None

    def _apply(self, change: dict[str, Any]) -> None:
        report = UUID(change["id"])
        if change["removed"]:
            self.shown.pop(report, None)
        else:
            self.shown[report] = (change["revision"], 'data-final="true"' in change["row"])

    def _get(self, path: str) -> Any:
        headers = {**self.site.headers, "Cookie": f"sessionid={self.session.session}", "Accept": "application/json"}
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)) as connection:
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                body = response.read()
        except (OSError, http.client.HTTPException):
            return None
        return json.loads(body) if response.status == HTTPStatus.OK else None


def _host(site: Site) -> dict[str, str]:
    """The client sets the Host itself."""
    return {name: value for name, value in site.headers.items() if name != "Host"}
