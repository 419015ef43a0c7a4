"""Following reports through Redis, which forgets a channel as soon as somebody stops listening to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from pytest_django import Settings

from accounts.models import User
from config import production
from config.tests.listening import nobody_else
from questionnaires.definition import Questionnaire
from reports import following
from reports.following import Watch, follow
from reports.live import hint, join
from reports.tests.makers import evaluated, stored
from tests.services import Service

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def layer(redis_server: Service, settings: Settings) -> AsyncIterator[Any]:
    """The channel layer of the production mode."""
    settings.CHANNEL_LAYERS = {"default": production.channel_layer(redis_server.url)}
    async with nobody_else():
        layer: Any = get_channel_layer()
        yield layer
        await layer.flush()
        channel_layers.backends.clear()


async def test_who_follows_hears_of_a_report_after_a_quiet_time(
    layer: Any, alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Queue[None]()

    async def noted_join(*arguments: Any) -> frozenset[str]:
        joined = await join(*arguments)
        looks.put_nowait(None)
        return joined

    monkeypatch.setattr(following, "join", noted_join)
    monkeypatch.setattr("reports.handlers.send_hint", lambda report, state, event: None)
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.05)
    organisation = await sync_to_async(lambda: alice.organisation)()
    async with aclosing(follow(Watch(person=alice.pk), None)) as news, asyncio.timeout(20):
        first = asyncio.ensure_future(anext(news))
        for _look in range(3):
            await looks.get()
        monkeypatch.setattr(following, "RECHECK_SECONDS", 60.0)
        await looks.get()

        report = await sync_to_async(stored)(evaluated(quick_check, organisation))
        await layer.group_send(f"organisation.{organisation.pk}", hint(report, "new"))

        assert (await first).report == report


async def test_who_has_nothing_to_follow_leaves_nothing_behind(layer: Any, alice: User, redis_server: Service) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        before = client.pubsub_channels()

        async with aclosing(follow(Watch(person=alice.pk, organisation=uuid4()), None)) as news:
            assert [each async for each in news] == []

        assert client.pubsub_channels() == before
