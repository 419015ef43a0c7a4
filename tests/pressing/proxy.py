"""A proxy between a browser and a server. It can go dead: what is sent then never arrives and gets no answer."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Self

PIECE = 65_536


class Proxy:
    """Passes on to a port of this machine whatever reaches its own."""

    def __init__(self, port: int) -> None:
        self.is_dead = False
        proxy = self

        class Passing(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy.pass_on(self.request, port)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Passing)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, browser: socket.socket, port: int) -> None:
        """Serve one connection until either end hangs up."""
        with socket.create_connection(("localhost", port)) as server:
            back = threading.Thread(target=self._copy, args=(server, browser), daemon=True)
            back.start()
            self._copy(browser, server)
            back.join(1)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(PIECE):
                if not self.is_dead:
                    target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # either end hung up
            pass
