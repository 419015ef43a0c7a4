"""A broker inside the process: Kombu's in-memory transport, woken up instead of polling once a second."""

from __future__ import annotations

import threading
from queue import Empty, Queue
from time import monotonic
from typing import Any, ClassVar

from kombu.transport import TRANSPORT_ALIASES, memory, virtual
from kombu.utils.scheduling import FairCycle

ALIAS = "embedded"
"""The scheme of the broker's address, `embedded://localhost`."""


class Bell:
    """Rings whenever a waiting consumer may find something to do."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def rings(self) -> int:
        """How often it rang: what `wait` compares with, so that no ring between looking and waiting is missed."""
        return self._rings

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float | None) -> bool:
        """Wait for a ring after the first `seen` ones; False when the time is over."""
        with self._condition:
            return self._condition.wait_for(lambda: self._rings != seen, timeout)


bell = Bell()


class QoS(virtual.QoS):
    """Acknowledging makes room in a full prefetch window, so the consumer has to look again."""

    def ack(self, delivery_tag: str) -> None:
        super().ack(delivery_tag)
        bell.ring()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue)
        bell.ring()


class Channel(memory.Channel):
    """Keeps its queues for the life of the process; everything may be called from any thread."""

    QoS = QoS
    queues: dict[str, Queue[Any]] = {}

    def _queue_for(self, queue: str) -> Queue[Any]:
        found = self.queues.get(queue)
        return self.queues.setdefault(queue, Queue()) if found is None else found

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        self._queue_for(queue)

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        bell.ring()

    def _put_fanout(self, exchange: str, message: Any, routing_key: str | None = None, **kwargs: Any) -> None:
        super()._put_fanout(exchange, message, routing_key, **kwargs)
        bell.ring()

    def close(self) -> None:
        virtual.Channel.close(self)


class Transport(memory.Transport):
    """Waits for the bell. `stopping` lets a waiting worker go at once."""

    Channel = Channel
    global_state = virtual.BrokerState()
    driver_type = driver_name = ALIAS
    stopping: ClassVar[threading.Event] = threading.Event()
    cycle: FairCycle

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Deliver one message, or raise TimeoutError when none comes in time or the worker is to stop."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            seen = bell.rings
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = None if deadline is None else deadline - monotonic()
                if self.stopping.is_set() or not bell.wait(seen, left):
                    raise TimeoutError from None
            else:
                return

    @classmethod
    def interrupt(cls) -> None:
        """Let every waiting consumer go, until `stopping` is cleared."""
        cls.stopping.set()
        bell.ring()


def register() -> None:
    """Make the scheme known to Kombu."""
    TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"
