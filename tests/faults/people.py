"""People who answer, submit, reopen and answer again, over HTTP, and remember what the product said yes to."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from contextlib import closing
from http import HTTPStatus
from typing import Any

from tests.faults.actors import Actor
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.site import Session, Site
from tests.walking import GOLDEN

FIRST_ANSWERS: dict[str, Any] = GOLDEN | {"exposed": "no", "provider": "no"}
"""Enough to submit."""
PAUSE = 0.15
"""Seconds between two actions of one person, on average."""
PATIENCE = 90.0
"""Seconds for which a save that failed is tried again."""


class Person(Actor):
    """Acts until told to stop. One request at a time; what got no answer is sent again, as autosave.js does."""

    def __init__(self, site: Site, session: Session, ledger: Ledger, dice: random.Random) -> None:
        super().__init__(f"person {session.submission}")
        self.site, self.session, self.ledger, self.dice = site, session, ledger, dice
        self.answers: dict[str, Any] = {}
        self.revision = 0
        self._submitted = 0
        self.resting = threading.Event()
        """As long as it is set, nothing is saved."""
        self._versions: dict[str, int] = {}

    def act(self) -> None:
        self.save(FIRST_ANSWERS)
        while not self.stopping.wait(self.dice.uniform(0, 2 * PAUSE)):
            if not self.resting.is_set():
                self._take_a_step()

    def _take_a_step(self) -> None:
        if self.dice.random() < 0.1:
            self.submit()
            self._post("reopen", {}, HTTPStatus.FOUND)
        else:
            question = f"QC-{self.dice.randint(1, 12):02}"
            others = [value for value in "NPLF" if value != self.answers[question]]
            self.save({question: self.dice.choice(others)})

    def save(self, answers: dict[str, Any], note: str = "") -> None:
        """Save these answers and remember the yes."""
        changes = [
            {"question": question, "value": value, "note": note, "version": self._versions.get(question, 0)}
            for question, value in answers.items()
        ]
        document = json.loads(self._post("answers", {"changes": changes}, HTTPStatus.OK))
        self._versions = {question: each["version"] for question, each in document["answers"].items()}
        self.answers = {**self.answers, **answers}
        self.revision = document["revision"]
        self._acknowledge(final=False)

    def submit(self) -> None:
        """Submit and remember the yes: a revision of its own, unless nothing changed since the last one."""
        self._post("submit", {}, HTTPStatus.FOUND)
        if self.revision != self._submitted:
            self.revision += 1
            self._submitted = self.revision
            self._acknowledge(final=True)

    def _acknowledge(self, *, final: bool) -> None:
        self.ledger.note(Acknowledged(self.session.submission, self.revision, dict(self.answers), final))

    def _post(self, step: str, document: dict[str, Any], wanted: int) -> bytes:
        """Send until it is answered as wanted; an answer that no fault explains raises AssertionError."""
        end = time.monotonic() + PATIENCE
        while True:
            started = time.monotonic()
            status, body = self._send(step, json.dumps(document) if document else "")
            well = status == wanted
            self.ledger.answered(started, well=well)
            if well:
                return body
            # None, or an error of the server: nobody knows whether it was stored.
            assert status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR, f"{step}: {status} {body[:300]!r}"
            assert time.monotonic() < end, f"{step}: no good answer for {PATIENCE} seconds, at last {status}"
            time.sleep(self.dice.uniform(0.1, 0.5))

    def _send(self, step: str, body: str) -> tuple[int | None, bytes]:
        headers = {
            **self.site.headers,
            "Cookie": f"sessionid={self.session.session}; csrftoken={self.session.csrf}",
            "Origin": self.site.origin,
            "X-CSRFToken": self.session.csrf,
            "Content-Type": "application/json" if body else "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)) as connection:
                connection.request("POST", f"/submissions/{self.session.submission}/{step}/", body, headers)
                response = connection.getresponse()
                return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None, b""
