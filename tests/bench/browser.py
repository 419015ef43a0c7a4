"""A person's browser as the embedded part has it: one connection and one socket, each in a thread."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


@dataclass
class Session:
    """A signed-in person with a submission."""

    port: int
    cookie: str
    csrf: str
    submission: str

    def headers(self) -> dict[str, str]:
        """What a browser would send along."""
        return {
            "Cookie": f"sessionid={self.cookie}; csrftoken={self.csrf}",
            "X-CSRFToken": self.csrf,
            "Origin": f"http://localhost:{self.port}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }


class Saver:
    """Saves one answer after another over one kept-alive connection."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.connection = http.client.HTTPConnection("localhost", session.port)
        self.versions: dict[str, int] = {}
        self.turn = 0

    def save(self) -> int:
        """Change one answer; gives the revision that the save made."""
        question = f"QC-{self.turn % 12 + 1:02}"
        value = "NPLF"[self.turn // 12 % 4]
        self.turn += 1
        change = {"question": question, "value": value, "note": "", "version": self.versions.get(question, 0)}
        self.connection.request(
            "POST",
            f"/submissions/{self.session.submission}/answers/",
            json.dumps({"changes": [change]}),
            self.session.headers(),
        )
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"saving answered {response.status}: {body[:300]!r}")
        document = json.loads(body)
        self.versions[question] = document["answers"][question]["version"]
        return int(document["revision"])


class Listener:
    """A browser's socket in a thread of its own; tells when the hint of a submission's revision came."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seen: dict[tuple[str, int], float] = {}
        self.news = threading.Condition()
        self.ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True).start()
        if not self.ready.wait(10):
            raise RuntimeError("the WebSocket did not open within ten seconds")

    async def _listen(self) -> None:
        headers = {name: value for name, value in self.session.headers().items() if name in ("Cookie", "Origin")}
        address = f"ws://localhost:{self.session.port}/ws/reports/"
        with suppress(ConnectionClosed):  # the server stops before this thread does
            async with connect(address, additional_headers=headers, proxy=None) as socket:
                self.ready.set()
                async for message in socket:
                    self._note(json.loads(message))

    def _note(self, hint: dict[str, Any]) -> None:
        if "submission" in hint:
            with self.news:
                self.seen[hint["submission"], int(hint["revision"])] = time.perf_counter()
                self.news.notify_all()

    def arrival(self, submission: str, revision: int) -> float:
        """The time at which the revision's hint came (waits up to ten seconds for it)."""
        with self.news:
            if not self.news.wait_for(lambda: (submission, revision) in self.seen, 10):
                raise RuntimeError(f"no hint for revision {revision} within ten seconds")
            return self.seen.pop((submission, revision))
