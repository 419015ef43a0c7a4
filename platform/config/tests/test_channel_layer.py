"""Pushes from worker threads reach the sockets' loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull

from config.embedded.channel_layer import ThreadSafeInMemoryChannelLayer


class Sockets:
    """A server's loop in a thread of its own, with one socket that waits and nothing else going on."""

    def __init__(self, layer: ThreadSafeInMemoryChannelLayer) -> None:
        self.layer = layer
        self.loop = asyncio.new_event_loop()
        self.waiting, self.arrived = threading.Event(), threading.Event()
        self.messages: list[Any] = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.waiting.wait(5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            self.task = self.loop.create_task(self._socket())
            runner.run(self._wait())

    async def _wait(self) -> None:
        await asyncio.gather(self.task, return_exceptions=True)

    async def _socket(self) -> None:
        self.channel = await self.layer.new_channel()
        await self.layer.group_add("organisation", self.channel)
        self.loop.call_soon(self.waiting.set)
        while True:
            self.messages.append(await self.layer.receive(self.channel))
            self.arrived.set()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(5)


@pytest.fixture
def layer() -> ThreadSafeInMemoryChannelLayer:
    return ThreadSafeInMemoryChannelLayer(capacity=2)


@pytest.fixture
def sockets(layer: ThreadSafeInMemoryChannelLayer) -> Iterator[Sockets]:
    sockets = Sockets(layer)
    yield sockets
    sockets.stop()


def _in_a_worker_thread(function: Any, *args: Any) -> None:
    thread = threading.Thread(target=async_to_sync(function), args=args)
    thread.start()
    thread.join()


def test_a_push_from_an_idle_worker_thread_arrives_at_once(
    layer: ThreadSafeInMemoryChannelLayer, sockets: Sockets
) -> None:
    _in_a_worker_thread(layer.group_send, "organisation", {"type": "hint", "revision": 3})

    assert sockets.arrived.wait(0.5)
    assert sockets.messages == [{"type": "hint", "revision": 3}]


def test_a_message_to_one_channel_from_a_worker_thread_arrives_at_once(
    layer: ThreadSafeInMemoryChannelLayer, sockets: Sockets
) -> None:
    _in_a_worker_thread(layer.send, sockets.channel, {"type": "hint"})

    assert sockets.arrived.wait(0.5)
    assert sockets.messages == [{"type": "hint"}]


def test_what_the_sender_changes_afterwards_does_not_change_the_message(
    layer: ThreadSafeInMemoryChannelLayer, sockets: Sockets
) -> None:
    message = {"type": "hint", "ids": ["a"]}

    async def send_and_change() -> None:
        await layer.group_send("organisation", message)
        message["ids"] = []

    _in_a_worker_thread(send_and_change)

    assert sockets.arrived.wait(0.5)
    assert sockets.messages == [{"type": "hint", "ids": ["a"]}]


def test_a_push_after_the_sockets_loop_has_ended_harms_nobody(layer: ThreadSafeInMemoryChannelLayer) -> None:
    sockets = Sockets(layer)
    sockets.stop()

    _in_a_worker_thread(layer.group_send, "organisation", {"type": "hint"})

    assert sockets.messages == []


def test_a_push_to_a_group_without_sockets_goes_nowhere(layer: ThreadSafeInMemoryChannelLayer) -> None:
    _in_a_worker_thread(layer.group_send, "nobody", {"type": "hint"})

    assert layer.channels == {}


async def test_a_socket_that_does_not_read_misses_pushes_and_others_do_not(
    layer: ThreadSafeInMemoryChannelLayer,
) -> None:
    slow, quick = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("organisation", slow)
    for number in range(2):
        await layer.send(slow, {"type": "hint", "number": number})
    await layer.group_add("organisation", quick)

    await layer.group_send("organisation", {"type": "hint", "number": 2})

    assert (await layer.receive(quick))["number"] == 2
    assert (await layer.receive(slow))["number"] == 0
    assert (await layer.receive(slow))["number"] == 1


async def test_one_channel_that_is_full_is_reported_to_its_sender(layer: ThreadSafeInMemoryChannelLayer) -> None:
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "hint"})
    await layer.send(channel, {"type": "hint"})

    with pytest.raises(ChannelFull):
        await layer.send(channel, {"type": "hint"})


async def test_expired_messages_are_looked_for_at_most_once_a_second(
    layer: ThreadSafeInMemoryChannelLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    layer.expiry = -1
    await layer.send("expired", {"type": "hint"})
    layer._clean_expired()
    assert layer.channels == {}

    await layer.send("expired", {"type": "hint"})
    layer._clean_expired()
    assert list(layer.channels) == ["expired"]

    now += 1
    layer._clean_expired()
    assert layer.channels == {}
