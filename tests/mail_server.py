"""A mail server on this machine that behaves as it is told: it takes mails, refuses them, or says nothing."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from enum import StrEnum


class Behaviour(StrEnum):
    TAKES = "takes every mail"
    SILENT = "takes the connection and says nothing"
    REFUSES = "refuses every recipient for good"
    BUSY = "refuses every recipient for now"
    HANGS = "takes every mail and never says so"


_TO_RECIPIENTS = {Behaviour.REFUSES: "550 5.1.1 no such mailbox", Behaviour.BUSY: "451 4.7.1 try again later"}


class MailServer:
    """Listens on the loopback; its behaviour may change at any time, for connections that come after that."""

    def __init__(self, behaviour: Behaviour = Behaviour.TAKES) -> None:
        self.behaviour = behaviour
        self.mails: list[EmailMessage] = []
        """What was handed in, whether or not it was acknowledged."""
        self.visited, self.received = threading.Event(), threading.Event()
        """Set when somebody has connected, and when a mail was handed in; a test that waits for one clears it."""
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._dialogue)
        self._server.daemon_threads = True
        serve = {"target": self._server.serve_forever, "kwargs": {"poll_interval": 0.05}}
        self._thread = threading.Thread(name="mail-server", daemon=True, **serve)  # type: ignore[arg-type]
        self.port: int = self._server.server_address[1]

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        """It serves until the end of the block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections; never started: nothing but the port is given back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _dialogue(self, *arguments: object) -> _Dialogue:
        return _Dialogue(self, *arguments)


class _Dialogue(socketserver.StreamRequestHandler):
    """One connection (RFC 5321, as much of it as Python's client speaks)."""

    def __init__(self, server: MailServer, *arguments: object) -> None:
        self.mail_server = server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that is killed says no QUIT
            self._answer()

    def _answer(self) -> None:
        behaviour = self.mail_server.behaviour
        self.mail_server.visited.set()
        if behaviour is Behaviour.SILENT:
            self.rfile.read(1)  # until the other side gives up
            return
        self._say("220 loopback")
        for line in self.rfile:
            verb = line.decode("ascii", "replace").strip().upper().partition(" ")[0]
            if verb == "DATA":
                self._say("354 go on")
                self._take()
                if behaviour is Behaviour.HANGS:
                    self.rfile.read(1)
                    return
                self._say("250 taken")
            elif verb == "RCPT":
                self._say(_TO_RECIPIENTS.get(behaviour, "250 fine"))
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self) -> None:
        lines = list[bytes]()
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        self.mail_server.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        self.mail_server.received.set()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
