"""Redis as the broker: Kombu's transport, with two things mended.

**Rooms.** A worker takes no more messages than it has room for, and a message leaves its room when Redis was told
that it is done. Where the telling fails, because the connection was cut just then, Kombu keeps the room taken for ever.
After as many of these as the worker has processes it takes nothing any more, though it is connected and looks well: it
is deaf. The sweeper still delivers what nobody was woken up for, but a second late, and messages pile up.

**Foreign messages.** Anybody who reaches Redis can put anything into a queue, by mistake above all. Kombu takes what is
there for a message of its own, and what fails over it ends the worker. Here it is logged and dropped. What is a message
of Kombu's but none that a worker can use, `config.consumer` drops.
"""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual

logger = logging.getLogger(__name__)

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

    def _brpop_read(self, **options: Any) -> Any:
        transport: Any = self.connection
        transport.has_read = False
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # the stubs leave it out
        except (ValueError, RecursionError):
            if transport.has_read:
                raise
            # By now it is out of the queue.
            logger.error("dropped a message in Redis that is no JSON")
            return True


class Transport(redis.Transport):
    Channel = Channel
    has_read = False
    """Whether what was taken from Redis last could be read."""

    def _deliver(self, message: Any, queue: str | None) -> None:
        self.has_read = True
        if is_message(message):
            super()._deliver(message, queue)
        else:
            logger.error("dropped a message in the queue %s that is none of Celery's", queue)


def is_message(raw: Any) -> bool:
    """Whether it has what Kombu relies on in each message: a tag, where it belongs, and a text that can be decoded."""
    if not isinstance(raw, Mapping) or not isinstance(properties := raw.get("properties"), Mapping):
        return False
    place = properties.get("delivery_info")
    return (
        isinstance(properties.get("delivery_tag"), str)
        and isinstance(place, Mapping)
        and all(isinstance(place.get(name), str) for name in ("exchange", "routing_key"))
        and isinstance(raw.get("headers", {}), Mapping)
        and all(isinstance(raw.get(name), str) for name in ("content-type", "content-encoding"))
        and _can_be_decoded(raw.get("body"), properties.get("body_encoding"))
    )


def _can_be_decoded(body: Any, encoding: Any) -> bool:
    if encoding is None:
        return isinstance(body, str)
    if encoding != "base64" or not isinstance(body, str):
        return False
    try:
        b64decode(body).decode()
    except ValueError:
        return False
    return True


def register() -> None:
    """Let addresses that begin with redis:// or rediss:// use it."""
    for scheme in SCHEMES:
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
