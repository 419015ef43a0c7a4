"""Hints: sent after the commit, holding ids and numbers only, and heard by the organisation's people alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from django.db import OperationalError, transaction
from django.test import Client

from accounts import erasure
from accounts.models import Membership, User
from config.embedded.channel_layer import ThreadSafeInMemoryChannelLayer
from eventbus.deliveries import drain_all
from questionnaires.definition import Questionnaire
from reports import consumers
from reports.handlers import store
from reports.live import group_of, send_hint
from reports.models import Report
from reports.tests.makers import evaluated, stored
from reports.tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_layer() -> Iterator[None]:
    channel_layers.backends.clear()
    consumers._looked_up.clear()
    yield
    channel_layers.backends.clear()


def _layer() -> Any:
    return get_channel_layer()


async def _stored(questionnaire: Questionnaire, user: User) -> Report:
    organisation = await sync_to_async(lambda: user.organisation)()
    return await sync_to_async(stored)(evaluated(questionnaire, organisation))


async def test_a_colleague_hears_of_a_report_and_learns_only_ids_and_numbers(
    alice: User, bob_client: Client, quick_check: Questionnaire
) -> None:
    socket = Socket(bob_client)
    assert await socket.connect() == (True, None)

    report = await _stored(quick_check, alice)

    assert json.loads(await socket.hear()) == {
        "type": "report.changed",
        "organisation": str(report.organisation_id),
        "report": str(report.pk),
        "submission": str(report.submission),
        "revision": 1,
        "position": 1,
        "state": "new",
    }
    await socket.disconnect()


async def test_a_message_that_only_a_newer_version_knows_ends_no_socket(
    alice: User, bob_client: Client, quick_check: Questionnaire
) -> None:
    socket = Socket(bob_client)
    await socket.connect()
    organisation = await sync_to_async(lambda: alice.organisation.pk)()

    await _layer().group_send(group_of(organisation), {"type": "section.changed", "section": 7})
    await _stored(quick_check, alice)

    assert json.loads(await socket.hear())["type"] == "report.changed"
    await socket.disconnect()


async def test_a_stranger_hears_nothing(alice: User, charlie_client: Client, quick_check: Questionnaire) -> None:
    socket = Socket(charlie_client)
    await socket.connect()

    await _stored(quick_check, alice)

    assert await socket.is_silent()
    await socket.disconnect()


async def test_an_anonymous_visitor_is_refused(db: None) -> None:
    assert await Socket(Client()).connect() == (False, consumers.SIGNED_OUT)


async def test_signing_out_ends_the_socket_at_the_next_hint(
    alice: User, alice_client: Client, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "TRUST_SECONDS", -1.0)
    socket = Socket(alice_client)
    await socket.connect()
    await sync_to_async(alice_client.logout)()

    await _stored(quick_check, alice)

    assert await socket.close_code() == consumers.SIGNED_OUT
    await socket.disconnect()


async def test_signing_out_ends_an_idle_socket_too(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.01)
    socket = Socket(alice_client)
    await socket.connect()

    await sync_to_async(alice_client.logout)()

    assert await socket.close_code() == consumers.SIGNED_OUT
    await socket.disconnect()


async def test_leaving_the_organisation_ends_the_hints(
    alice: User, bob: User, bob_client: Client, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.01)
    socket = Socket(bob_client)
    await socket.connect()
    organisation = await sync_to_async(lambda: alice.organisation)()

    await Membership.objects.filter(user=bob).adelete()
    while _layer().groups.get(group_of(organisation.pk)):
        assert await socket.is_silent(0.05)
    await _stored(quick_check, alice)

    assert await socket.is_silent()
    await socket.disconnect()


async def test_the_first_hint_after_leaving_the_organisation_is_not_heard(
    alice: User, bob: User, bob_client: Client, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "TRUST_SECONDS", -1.0)
    socket = Socket(bob_client)
    await socket.connect()

    await Membership.objects.filter(user=bob).adelete()
    await _stored(quick_check, alice)

    assert await socket.is_silent()
    await socket.disconnect()


async def test_a_ping_is_answered_with_how_far_the_reports_have_come_and_other_words_are_not(
    alice: User, alice_client: Client, quick_check: Questionnaire
) -> None:
    organisation = await sync_to_async(lambda: str(alice.organisation.pk))()
    socket = Socket(alice_client)
    await socket.connect()

    await socket.say("hello")
    await socket.say("ping")
    assert json.loads(await socket.hear()) == {"type": "pong", "positions": {organisation: 0}}

    consumers._looked_up.clear()
    await _stored(quick_check, alice)
    assert json.loads(await socket.hear())["position"] == 1
    await socket.say("ping")
    assert json.loads(await socket.hear()) == {"type": "pong", "positions": {organisation: 1}}
    assert await socket.is_silent()
    await socket.disconnect()


async def test_a_ping_is_answered_while_the_database_is_away(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(organisations: list[UUID]) -> dict[UUID, int]:
        raise OperationalError

    monkeypatch.setattr(consumers, "_last_positions", gone)
    socket = Socket(alice_client)
    await socket.connect()

    await socket.say("ping")

    assert json.loads(await socket.hear()) == {"type": "pong", "positions": {}}
    await socket.disconnect()


@pytest.mark.parametrize("words", [["x" * 65], ["ping"] * (consumers.MESSAGES_A_MINUTE + 1)])
async def test_who_says_too_much_is_disconnected(alice_client: Client, words: list[str]) -> None:
    socket = Socket(alice_client)
    await socket.connect()

    for word in words:
        await socket.say(word)

    assert await socket.close_code() == consumers.TOO_MUCH
    await socket.disconnect()


async def test_closing_the_socket_leaves_the_groups(alice_client: Client) -> None:
    socket = Socket(alice_client)
    await socket.connect()

    await socket.disconnect()

    assert _layer().groups == {}


def test_a_hint_is_sent_only_once_the_report_is_committed(
    alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Report, str, bool]] = []
    monkeypatch.setattr(
        "reports.handlers.send_hint",
        lambda report, state, event: sent.append((report, state, transaction.get_connection().in_atomic_block)),
    )

    with transaction.atomic():
        store(evaluated(quick_check, alice.organisation))
        before = list(sent)

    assert before == []
    assert [(state, inside) for _report, state, inside in sent] == [("new", False)]


def test_no_hint_is_sent_for_what_is_rolled_back(
    alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("reports.handlers.send_hint", lambda report, state, event: sent.append(state))

    with transaction.atomic():
        store(evaluated(quick_check, alice.organisation, submission=uuid4()))
        transaction.set_rollback(True)

    assert sent == []
    assert not Report.objects.exists()


def test_a_hint_that_cannot_be_sent_does_no_harm(
    alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Unreachable(InMemoryChannelLayer):
        async def group_send(self, group: str, message: dict[str, object]) -> None:
            raise ConnectionError("no channel layer")

    monkeypatch.setattr("reports.live.get_channel_layer", Unreachable)

    report = stored(evaluated(quick_check, alice.organisation))
    sending = send_hint(report, "new", uuid4())

    assert sending is not None
    assert isinstance(sending.exception(timeout=5), ConnectionError)
    assert report.state == "provisional"
    assert f"the hint for report {report.pk} was not sent: ConnectionError" in caplog.text


@pytest.mark.parametrize("layer", [InMemoryChannelLayer, ThreadSafeInMemoryChannelLayer])
def test_sending_without_listeners_is_fine(
    alice: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch, layer: type[InMemoryChannelLayer]
) -> None:
    monkeypatch.setattr("reports.live.get_channel_layer", layer)
    sending = send_hint(stored(evaluated(quick_check, alice.organisation)), "new", uuid4())

    assert sending is None or sending.exception(timeout=5) is None


async def test_sockets_of_an_organisation_that_is_erased_close(
    alice: User, alice_client: Client, charlie: User, charlie_client: Client
) -> None:
    """Charlie belongs elsewhere, too: his tab is to come back and look. A stranger's socket stays."""
    organisation = await sync_to_async(lambda: alice.organisation)()
    await sync_to_async(charlie.join)(organisation)
    dora = await sync_to_async(User.objects.create_user)("dora@example.org")
    stranger = Client()
    await sync_to_async(stranger.force_login)(dora)
    sockets = [Socket(each) for each in (alice_client, charlie_client, stranger)]
    for socket in sockets:
        assert await socket.connect() == (True, None)

    await sync_to_async(erasure.erase)(organisation.pk)
    await sync_to_async(drain_all)()

    assert [await socket.close_code() for socket in sockets[:2]] == [4401, 1012]
    assert await sockets[2].is_silent()
    await sockets[2].disconnect()


async def test_a_reader_who_takes_too_long_is_let_go(
    alice: User, alice_client: Client, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SEND_SECONDS", 0.01)
    socket = Socket(alice_client)
    await socket.connect()

    async def never(*args: object, **kwargs: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(consumers.LiveReports, "send", never)
    await _stored(quick_check, alice)

    await socket.wait()
    assert not any(_layer().groups.values())
