"""A mail is a row: stored with what it is about, sent by a worker, and emptied however it ends."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from contracts.erasure import Erasure
from contracts.mails import MailEvent
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain
from eventbus.models import Delivery, Event
from mailing import smtp
from mailing.erasing import count, erase
from mailing.handlers import give_up
from mailing.keeping import tidy_up
from mailing.models import Mail, State
from mailing.posting import post
from tests.mail_server import Behaviour, MailServer

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]
ALICE, SECRET = "alice@example.org", "AB12-CD34"
SENDER = "mailing.send"


def posted(recipient: str = ALICE, of_use_for: timedelta = timedelta(minutes=15)) -> UUID:
    return post(recipient, f"Your code, {recipient}", f"{SECRET} is the code", kind="code", of_use_for=of_use_for)


def state_of(mail: UUID) -> tuple[str, int, str]:
    """Its state, its tries, and all that it still says."""
    row = Mail.objects.get(pk=mail)
    return row.state, row.tries, f"{row.recipient}{row.subject}{row.text}"


def last_error() -> str:
    return Delivery.objects.get().last_error


def let_it_be_due() -> None:
    Delivery.objects.filter(status="ready").update(due_at=Now() - timedelta(seconds=1))


def test_it_is_stored_with_what_it_is_about_or_not_at_all() -> None:
    with transaction.atomic():
        posted()
        transaction.set_rollback(True)
    assert (Mail.objects.count(), Event.objects.count()) == (0, 0)


def test_the_event_has_its_id_and_nothing_of_what_it_says() -> None:
    mail = posted()
    event = Event.objects.get()
    assert event.payload["data"] == {"mail": str(mail), "state": "waiting"}
    assert (event.type, event.source, event.key) == ("MailEvent", "mailing", str(mail))
    assert not any(said in json.dumps(event.payload) for said in (ALICE, SECRET, "Your code"))


def test_it_is_sent_by_a_worker_and_then_empty(server: MailServer) -> None:
    mail = posted()
    assert server.mails == []

    drain(SENDER)

    (sent,) = server.mails
    assert (sent["To"], sent["Subject"], sent["Auto-Submitted"]) == (ALICE, f"Your code, {ALICE}", "auto-generated")
    assert sent.get_content().strip() == f"{SECRET} is the code"
    assert state_of(mail) == ("sent", 1, "")


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (Behaviour.SILENT, "TryAgain: the mail could not be handed over (TimeoutError): check the mail server"),
        (Behaviour.BUSY, "TryAgain: the mail server refuses the recipient for now (reply 451): it is tried again"),
        (Behaviour.HANGS, "TryAgain: the mail could not be handed over (TimeoutError): check the mail server"),
    ],
)
def test_a_server_that_does_not_take_it_gets_it_again(
    server: MailServer, behaviour: Behaviour, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.behaviour = behaviour
    mail = posted()
    drain(SENDER)
    assert last_error().startswith(told)
    assert state_of(mail)[:2] == ("waiting", 1)

    server.behaviour = Behaviour.TAKES
    let_it_be_due()
    drain(SENDER)

    assert state_of(mail) == ("sent", 2, "")
    assert len({sent["Message-ID"] for sent in server.mails}) == 1
    assert not any(said in caplog.text for said in (ALICE, SECRET))


def test_a_server_that_is_not_there_gets_it_later(server: MailServer, settings: Settings) -> None:
    settings.EMAIL_PORT, port = 1, settings.EMAIL_PORT
    mail = posted()
    drain(SENDER)
    assert "(ConnectionRefusedError): check the mail server and EMAIL_URL" in last_error()

    settings.EMAIL_PORT = port
    let_it_be_due()
    drain(SENDER)
    assert state_of(mail) == ("sent", 2, "")


def test_a_recipient_that_is_refused_for_good_leaves_no_dead_letter(server: MailServer) -> None:
    server.behaviour = Behaviour.REFUSES
    mail = posted()
    drain(SENDER)
    assert state_of(mail) == ("dead", 1, "")
    assert Mail.objects.get().reason == "the mail server refuses the recipient (reply 550)"
    assert list(Delivery.objects.values_list("status", flat=True)) == ["done"]


def test_what_has_expired_is_not_sent(server: MailServer) -> None:
    server.behaviour = Behaviour.BUSY
    mail = posted()
    drain(SENDER)
    server.behaviour = Behaviour.TAKES
    Mail.objects.update(expires_at=Now())
    let_it_be_due()

    drain(SENDER)

    assert state_of(mail) == ("expired", 1, "")
    assert server.mails == []
    assert Delivery.objects.get().status == "done"


def test_a_mail_whose_delivery_is_given_up_is_emptied_and_a_redriven_one_has_nothing_to_send(
    server: MailServer,
) -> None:
    mail = posted()
    Delivery.objects.update(status="dead", finished_at=Now())
    give_up(MailEvent(mail=mail))
    assert state_of(mail) == ("dead", 0, "")

    redrive(Delivery.objects.all(), by="Ada")
    drain(SENDER)

    assert (state_of(mail), server.mails) == (("dead", 0, ""), [])


def test_a_mail_that_no_table_has_is_nobody_to_be_sent_to(server: MailServer) -> None:
    posted()
    Mail.objects.all().delete()  # as after a restore: they are in no backup
    drain(SENDER)
    assert (server.mails, Delivery.objects.get().status) == ([], "done")


def test_sweepers_empty_what_has_expired_and_forget_what_ended_long_ago(settings: Settings) -> None:
    waits, expired, old = posted(), posted(), posted()
    Mail.objects.filter(pk=expired).update(expires_at=Now())
    Mail.objects.filter(pk=old).end(State.SENT)
    Mail.objects.filter(pk=old).update(ended_at=Now() - timedelta(days=31))
    settings.EVENTBUS_KEEP_DELIVERIES = 0
    tidy_up()
    assert state_of(expired) == ("expired", 0, "")
    assert Mail.objects.count() == 3

    settings.EVENTBUS_KEEP_DELIVERIES = 30
    tidy_up()

    assert {*Mail.objects.values_list("pk", flat=True)} == {waits, expired}
    assert state_of(waits)[0] == "waiting"


@pytest.mark.parametrize("kept", [{"text": SECRET}, {"recipient": ALICE}, {"subject": "Your code"}])
def test_the_database_keeps_nothing_of_a_mail_that_has_ended(kept: dict[str, str]) -> None:
    mail = posted()
    Mail.objects.filter(pk=mail).end(State.SENT)
    with pytest.raises(IntegrityError):
        Mail.objects.filter(pk=mail).update(**kept)


def test_what_waits_for_people_who_are_erased_goes_and_what_waits_for_others_stays(server: MailServer) -> None:
    posted()
    others = posted("bob@example.org")

    erasure = Erasure(uuid4(), frozenset(), frozenset({ALICE, "nobody@example.org"}))
    assert count(erasure) == erase(erasure) == {"mails": 1}
    assert count(erasure) == {"mails": 0}

    drain(SENDER)
    assert [sent["To"] for sent in server.mails] == ["bob@example.org"]
    assert [mail.pk for mail in Mail.objects.all()] == [others]
    assert sorted(bool(event.erased_at) for event in Event.objects.all()) == [False, True]


def test_a_server_that_is_slow_at_each_step_is_left_before_the_lease_ends(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(0, 10**6, 12))  # each look at the clock is twelve seconds after the one before
    posted()
    with monkeypatch.context() as clock:
        clock.setattr(smtp, "monotonic", lambda: float(next(hours)))
        drain(SENDER)
    assert last_error().startswith("TryAgain: the mail could not be handed over (TimeoutError)")
    assert server.mails == []


def test_the_command_that_shows_the_bus_names_the_sender(capsys: pytest.CaptureFixture[str]) -> None:
    posted()
    call_command("bus", "status")
    assert SENDER in capsys.readouterr().out


def test_each_mail_has_a_line_of_its_own() -> None:
    assert MailEvent(mail=uuid4()).key != MailEvent(mail=uuid4()).key
