"""The sockets of a process hear of hints through one channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer

from reports.hub import Hub, hub
from reports.live import group_of

ACME, CONTOSO = UUID(int=1), UUID(int=2)


class Ears:
    """A listener that keeps what it heard."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def put(self, hint: dict[str, Any]) -> None:
        self.heard.put_nowait(hint)

    async def next(self) -> int:
        return int((await asyncio.wait_for(self.heard.get(), 5))["position"])


@pytest.fixture
async def ours() -> AsyncIterator[Hub]:
    found = Hub(InMemoryChannelLayer())
    yield found
    await found._stop()


async def say(ours: Hub, organisation: UUID, position: int) -> None:
    hint = {"type": "report.changed", "organisation": str(organisation), "position": position}
    await ours.layer.group_send(group_of(organisation), hint)


async def test_each_hears_of_its_organisations_through_one_channel(ours: Hub) -> None:
    alice, charlie = Ears(), Ears()
    await ours.join(alice, [ACME])
    await ours.join(charlie, [CONTOSO])
    await say(ours, ACME, 1)
    await say(ours, CONTOSO, 2)
    await say(ours, ACME, 3)

    assert [await alice.next(), await alice.next(), await charlie.next()] == [1, 3, 2]
    assert [len(channels) for channels in ours.layer.groups.values()] == [1, 1]


async def test_who_leaves_hears_no_more_and_the_last_one_takes_the_channel_along(ours: Hub) -> None:
    alice, bob = Ears(), Ears()
    joined = await ours.join(alice, [ACME])
    await ours.join(bob, [ACME])
    assert await ours.join(alice, (), joined) == frozenset()
    await say(ours, ACME, 1)
    assert await bob.next() == 1
    assert alice.heard.empty()

    await ours.join(bob, (), joined)
    assert not any(ours.layer.groups.values())
    assert ours._reading is None


async def test_a_reader_who_gave_up_is_replaced_by_the_next_who_joins(ours: Hub) -> None:
    alice, bob = Ears(), Ears()
    await ours.join(alice, [ACME])
    assert ours._reading is not None
    ours._reading.cancel()
    await asyncio.wait([ours._reading])

    await ours.join(bob, [CONTOSO])
    await say(ours, ACME, 1)
    assert await alice.next() == 1


async def test_a_loop_has_one_hub_for_its_layer() -> None:
    layer = InMemoryChannelLayer()
    assert hub(layer) is hub(layer)
    assert hub(layer) is not hub(InMemoryChannelLayer())


async def test_a_burst_of_hints_is_heard_to_the_last() -> None:
    ours, alice = Hub(get_channel_layer()), Ears()
    joined = await ours.join(alice, [ACME])
    for position in range(1, 1001):  # before the reader gets its turn
        await say(ours, ACME, position)

    assert [await alice.next() for _ in range(1000)] == [*range(1, 1001)]
    await ours.join(alice, (), joined)
