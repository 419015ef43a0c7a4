"""What a stranger with a clock learns: how long signing up, signing in and recovering take for an address that somebody
has, against one that nobody has. The floor is 1: no difference.

python -m tests.bench.strangers [--quick]

That the work is the same is tested (`accounts/tests/test_same_work.py`); this is the time that it takes.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.embedded import server
from tests.bench.figures import emit, wants_quick
from tests.services import free_port

PASSWORD = "several plain words"
BETWEEN_CODES = 10.5
"""Seconds after which another mail may go to an address."""


class Stranger:
    """Somebody without an account, over one connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("localhost", port)

    def seconds(self, path: str, expected: int, **sent: str) -> float:
        """How long an answer takes; RuntimeError for another status than the expected one."""
        begun = time.perf_counter()
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", f"/_allauth/app/v1/auth/{path}", json.dumps(sent), headers)
        response = self.connection.getresponse()
        body = response.read()
        took = time.perf_counter() - begun
        if response.status != expected:
            raise RuntimeError(f"{path} answered {response.status}: {body[:300]!r}")
        return took

    def sign_up(self, address: str) -> float:
        return self.seconds("signup", 401, email=address, password=PASSWORD)

    def sign_in(self, address: str) -> float:
        return self.seconds("login", 400, email=address, password="a wrong guess")

    def recover(self, address: str) -> float:
        return self.seconds("password/request", 401, email=address)


def measure(stranger: Stranger, people: int) -> None:
    """Known and unknown in turns, so that the machine's moods meet both."""
    known = [f"known-{number}@example.org" for number in range(people)]
    for address in known:
        stranger.sign_up(address)
    time.sleep(BETWEEN_CODES)
    stranger.connection.close()  # the server did so, after so long; it is opened again by itself
    for name, ask in (
        ("signing_in", stranger.sign_in),
        ("recovering", stranger.recover),
        ("signing_up", stranger.sign_up),
    ):
        pairs = [(ask(address), ask(f"{name}-{address}")) for address in known]
        took_known, took_unknown = (statistics.median(each) for each in zip(*pairs, strict=True))
        emit(
            f"{name}_known_over_unknown",
            round(took_known / took_unknown, 2),
            1.0,
            known_ms=round(took_known * 1000, 1),
            unknown_ms=round(took_unknown * 1000, 1),
            pairs=people,
        )


def main() -> None:
    """Ask a real `manage.py up` with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as name:
        port = free_port()
        with server(Path(name), port):
            measure(Stranger(port), 5 if wants_quick() else 25)


if __name__ == "__main__":
    main()
