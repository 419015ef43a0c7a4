"""Clients that read slowly, and clients that come and go."""

from __future__ import annotations

import base64
import os
import socket
import time

from tests.faults.site import Production, Session
from tests.faults.stage import Stage


def read_slowly(stage: Stage[Production]) -> None:
    """Two clients stop reading while thousands of hints flood their channel; others must not notice, and the two are
    let go and find everything when they come back."""
    session = next(p.session for p in stage.people if p.session.organisation == stage.organisations[0])
    readers = [_open_and_stall(stage.site, session) for _ in range(2)]
    stage.site.manage("faults_hints", str(stage.organisations[0]), "--times", "500" if stage.short else "20000")
    stage.mark()
    if not stage.short:
        stage.wait(12)
        stage.expect(all(_was_let_go(reader) for reader in readers), "a client that does not read was kept")
    for reader in readers:
        reader.close()
        back = stage.watcher(session)
        stage.watchers.append(back)
        back.start()


def reconnect(stage: Stage[Production]) -> None:
    """A hundred reconnects while reports are published."""
    wanted = _opened(stage) + (20 if stage.short else 100)
    end = time.monotonic() + 90
    while _opened(stage) < wanted and time.monotonic() < end:
        stage.dice.choice(stage.watchers).drop()
        stage.wait(0.1)
    stage.expect(_opened(stage) >= wanted, "the clients did not come back often enough")
    stage.mark()


def _opened(stage: Stage[Production]) -> int:
    return sum(watcher.connected for watcher in stage.watchers)


def _open_and_stall(site: Production, session: Session) -> socket.socket:
    """A WebSocket whose client reads the handshake and not a byte more."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    reader.settimeout(10)
    reader.connect(("127.0.0.1", site.port))
    lines = [
        "GET /ws/reports/ HTTP/1.1",
        *(f"{name}: {value}" for name, value in site.headers.items()),
        f"Origin: {site.origin}",
        f"Cookie: sessionid={session.session}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
    ]
    reader.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += reader.recv(1)
    assert b" 101 " in answer.splitlines()[0], answer
    return reader


def _was_let_go(reader: socket.socket) -> bool:
    """Read what had been sent, up to the end of the connection; False where there is none."""
    try:
        while reader.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True
