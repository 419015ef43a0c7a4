"""What this process has served: requests by view and status, and WebSockets that are open."""

from __future__ import annotations

import threading
from collections import Counter

_lock = threading.Lock()
_requests: Counter[tuple[str, int]] = Counter()
_sockets = 0


def count_request(view: str, status: int) -> None:
    """Count one answered request; the view's name, never the address, which holds ids."""
    with _lock:
        _requests[view, status] += 1


def requests() -> dict[tuple[str, int], int]:
    """Requests since this process started, by the view's name ("" where no address matched) and status."""
    with _lock:
        return dict(_requests)


def socket_opened() -> None:
    global _sockets
    with _lock:
        _sockets += 1


def socket_closed() -> None:
    global _sockets
    with _lock:
        _sockets -= 1


def open_sockets() -> int:
    """WebSockets that are open in this process now."""
    with _lock:
        return _sockets


def reset() -> None:
    """Forget the requests (tests)."""
    with _lock:
        _requests.clear()
