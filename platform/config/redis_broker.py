"""Redis as the broker: Kombu's transport, with one thing mended.

A worker takes no more messages than it has room for, and a message leaves its room when Redis was told that it is done.
Where the telling fails, because the connection was cut just then, Kombu keeps the room taken for ever. After as many of
these as the worker has processes it takes nothing any more, though it is connected and looks well: it is deaf. The
sweeper still delivers what nobody was woken up for, but a second late, and messages pile up.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis, virtual

SCHEMES = ("redis", "rediss")


class QoS(redis.QoS):
    """Frees a message's room whether or not Redis could be told. Redis gives it out once more, an hour later, and who
    takes it then finds nothing due."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel


def register() -> None:
    """Let addresses that begin with redis:// or rediss:// use it."""
    for scheme in SCHEMES:
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
