"""Subscriptions on the production mode's channel layer."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from pytest_django import Settings

from accounts.models import Organisation, User
from config import production
from config.tests.listening import listening
from questionnaires.definition import Questionnaire
from reports import following
from reports.following import Watch, follow
from reports.live import group_of
from reports.tests.makers import evaluated, stored
from tests.services import Service

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

CHANGED = "subscription { reportChanged { report { revision } } }"


@pytest.fixture
def layer(redis_server: Service, settings: Settings) -> Any:
    settings.CHANNEL_LAYERS = {"default": production.channel_layer(redis_server.url)}
    return get_channel_layer()


async def test_a_report_comes_after_many_silent_looks(
    layer: Any, alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.05)
    organisation = await sync_to_async(lambda: alice.organisation)()

    async def join_again(ear: following.Ear) -> None:
        nonlocal looks
        looks += 1
        await join(ear)

    join = following.Ear.join
    monkeypatch.setattr(following.Ear, "join", join_again)
    async with listening(alice, CHANGED) as listener:
        while looks < 5:
            assert await listener.is_silent(0.05)
        # Now only a hint can bring it.
        monkeypatch.setattr(following, "RECHECK_SECONDS", 3600)
        await listener.is_silent(0.1)

        await make(quick_check, organisation)

        assert await listener.hear() == {"reportChanged": {"report": {"revision": 1}}}
    await layer.flush()


async def test_who_leaves_leaves_nothing_behind(layer: Any, alice: User, quick_check: Questionnaire) -> None:
    organisation = await sync_to_async(lambda: alice.organisation)()
    async with listening(alice, CHANGED) as listener:
        assert await listener.is_silent(0.1)
        assert [group_of(organisation.pk) in name for name in layer.groups] == [True]

    assert (layer.groups, layer.channels) == ({}, {})
    await layer.flush()


async def test_who_has_nothing_to_follow_leaves_nothing_behind(layer: Any, alice: User, redis_server: Service) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        before = client.pubsub_channels()

        async with aclosing(follow(Watch(person=alice.pk, organisation=uuid4()), None)) as news:
            assert [each async for each in news] == []

        assert client.pubsub_channels() == before
    await layer.flush()


@sync_to_async
def make(questionnaire: Questionnaire, organisation: Organisation) -> Any:
    return stored(evaluated(questionnaire, organisation))
