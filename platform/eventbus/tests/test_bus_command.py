"""`manage.py bus`: the administration's pages of the bus, for a terminal."""

from __future__ import annotations

import sys
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from contracts import AnswerEvent
from eventbus import NeverRetry, subscribe
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event, Replay, Status
from eventbus.replays import Selection, carry_on, place
from eventbus.tests.making import commit, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)


class Switch:
    broken = False


@pytest.fixture(autouse=True)
def switch() -> Switch:
    switch = Switch()

    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None:
        if switch.broken:
            raise NeverRetry("no room")

    return switch


@pytest.fixture
def dead(switch: Switch) -> list[int]:
    """Two dead letters."""
    switch.broken = True
    commit(saved(), saved())
    drain_all()
    switch.broken = False
    return list(Delivery.objects.order_by("pk").values_list("pk", flat=True))


def bus(*arguments: object) -> list[str]:
    """What it prints, by lines."""
    out = StringIO()
    call_command("bus", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def refused(*arguments: object) -> tuple[int, str]:
    """With which status and words it refuses."""
    with pytest.raises(CommandError) as caught:
        bus(*arguments)
    return caught.value.returncode, str(caught.value)


def test_status_lists_each_subscriber_and_what_waits() -> None:
    commit(saved())
    bus("pause", "test.trace")
    heading, row = bus("status")
    assert heading.split("  ")[0] == "SUBSCRIBER"
    assert row.split() == ["test.trace", "paused", "1", "0", "0", "s", "0", "s", "0"]


def test_status_tells_who_waits_for_a_worker() -> None:
    commit(saved())
    Delivery.objects.update(due_at=Now() - timedelta(seconds=11))
    assert bus("status")[1].split()[:2] == ["test.trace", "behind"]


def test_pause_and_resume_say_what_became_of_it() -> None:
    assert bus("pause", "test.trace") == ["test.trace is paused; what comes for it waits."]
    assert bus("pause", "test.trace") == ["test.trace was paused already."]
    commit(saved())
    assert drain_all() == 0
    assert bus("resume", "test.trace") == ["test.trace goes on with what waited."]
    assert drain_all() == 1
    assert bus("resume", "test.trace") == ["test.trace was not paused."]


def test_an_unknown_subscriber_is_refused_with_those_that_there_are() -> None:
    words = "there is no subscriber 'nobody'; known are: test.trace"
    assert refused("pause", "nobody") == (1, words)
    assert refused("replay", "--subscriber", "nobody") == (1, words)


def test_dead_letters_are_listed_with_their_reason(dead: list[int]) -> None:
    heading, newest, oldest = bus("dead")
    assert heading.split() == ["ID", "SUBSCRIBER", "KEY", "ATTEMPTS", "DIED", "ERROR"]
    assert (newest.split()[0], oldest.split()[0]) == (str(dead[1]), str(dead[0]))
    assert "NeverRetry: no room at test_bus_command.py" in newest
    assert len(bus("dead", "--limit", 1)) == 2
    assert bus("dead", "--subscriber", "test.other") == ["There are no dead letters."]


def test_those_that_are_named_are_redriven(dead: list[int]) -> None:
    assert bus("redrive", dead[1]) == ["1 delivered again."]
    assert statuses() == ["dead", "ready"]
    assert "command line" in Delivery.objects.get(pk=dead[1]).note


def test_all_of_a_subscriber_are_redriven(dead: list[int]) -> None:
    assert bus("redrive", "--subscriber", "test.trace", "--all") == ["2 delivered again."]
    drain_all()
    assert statuses() == ["done", "done"]


def test_what_can_not_be_redriven_is_named(dead: list[int]) -> None:
    left_out = "Left out, because they are not dead, were erased, or have no subscriber here: 999999"
    assert refused("redrive", dead[0], 999999) == (3, left_out)
    assert statuses() == ["ready", "dead"]
    assert refused("redrive", 999999)[0] == 3
    assert refused("redrive", "--subscriber", "test.other", "--all")[0] == 3


def test_a_redrive_has_to_say_what(dead: list[int]) -> None:
    assert refused("redrive")[0] == 2
    assert refused("redrive", "--subscriber", "test.trace")[0] == 2
    assert refused("redrive", dead[0], "--all")[0] == 2
    assert statuses() == ["dead", "dead"]


def test_a_dry_run_counts_and_changes_nothing() -> None:
    commit(saved(), saved())
    drain_all()
    assert [line.split() for line in bus("replay", "--type", "AnswerEvent", "--dry-run")] == [
        ["SUBSCRIBER", "DELIVERIES"],
        ["test.trace", "2"],
    ]
    assert Replay.objects.count() == 0


def test_a_replay_has_to_be_confirmed_and_shows_its_progress(capsys: pytest.CaptureFixture[str]) -> None:
    commit(saved(), saved())
    drain_all()
    assert refused("replay", "--subscriber", "test.trace")[0] == 1
    assert Replay.objects.count() == 0
    shown = bus("replay", "--subscriber", "test.trace", "--rate", "5", "--yes")
    order = Replay.objects.get()
    assert shown[-2:] == [
        f"Replay {order.pk} is ordered. Workers go on with it if this ends; `bus cancel {order.pk}` stops it.",
        f"Replay {order.pk}: 2 deliveries, 5 due each second.",
    ]
    assert capsys.readouterr().err == "[##############################] 100%  Replaying  2\n"
    assert (order.rate, order.deliveries) == (5, 2)


def test_a_replay_of_nothing_is_refused_and_leaves_no_order() -> None:
    commit(saved())  # it waits, so that the replay would be of what is delivered anyway
    for confirmed in ((), ("--yes",)):
        assert refused("replay", "--subscriber", "test.trace", *confirmed) == (3, "There is nothing to replay.")
    assert Replay.objects.count() == 0


def ordered(count: int) -> Replay:
    """A replay of so many deliveries, none of which is due yet."""
    commit(*(saved() for _ in range(count)))
    drain_all()
    bus("replay", "--subscriber", "test.trace", "--yes")
    Delivery.objects.exclude(generation=0).update(due_at=Now() + timedelta(hours=1))
    return Replay.objects.latest("pk")


def test_the_replays_are_listed_with_how_far_they_are() -> None:
    assert bus("replays") == ["There are no replays."]
    order = ordered(3)
    heading, row = bus("replays")
    assert heading.split("  ")[0] == "ID"
    assert row.split("(")[0].split()[:9] == [
        str(order.pk),
        *["being", "delivered", "-", "test.trace", "3", "3", "0", "3"],
    ]


def test_the_list_of_replays_says_which_of_them_no_worker_begins() -> None:
    subscribe(AnswerEvent, name="test.idle")(lambda event: None)
    commit(saved())
    drain_all()
    order = place(Selection(subscriber="test.idle"), rate=50, by="Ada")
    assert len(bus("replays")) == 2
    Replay.objects.update(started_at=Now() - timedelta(seconds=31))
    assert bus("replays")[2].startswith(f"No worker has begun with {order.pk}: is one running?")


def test_a_replay_is_cancelled_once_that_was_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    order = ordered(3)
    done = Delivery.objects.filter(generation=order.pk).earliest("pk")
    Delivery.objects.filter(pk=done.pk).finish(Status.DONE)
    told = "Nothing was cancelled. To cancel without being asked, add --yes."
    assert refused("cancel", order.pk) == (1, told)
    assert Delivery.objects.undelivered().count() == 2
    capsys.readouterr()

    shown = bus("cancel", order.pk, "--yes")

    assert shown == [f"Replay {order.pk} is cancelled: 1 deliveries were handed on, 2 are not."]
    assert capsys.readouterr().err == "[##############################] 100%  Cancelling  2\n"
    assert statuses()[-3:] == ["done", "skipped", "skipped"]
    assert "command line" in Replay.objects.get().cancelled_by


def test_cancelling_says_why_there_is_nothing_to_cancel() -> None:
    order = ordered(1)
    bus("cancel", order.pk, "--yes")
    code, told = refused("cancel", order.pk)
    assert (code, told.split(", by")[0]) == (3, f"Replay {order.pk} was cancelled already")
    finished = ordered(1)
    Delivery.objects.undelivered().finish(Status.DONE)
    assert refused("cancel", finished.pk) == (
        3,
        f"Replay {finished.pk} has finished: everything was handed on, nothing was cancelled.",
    )
    assert refused("cancel", 999_999) == (3, "There is no replay 999999; `bus replays` lists them.")


class Impatient(StringIO):
    """A terminal at which somebody presses Ctrl-C when one delivery is made."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "1 of 3" in text:
            raise KeyboardInterrupt
        return super().write(text)


def test_a_replay_that_is_interrupted_is_left_to_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    commit(saved(), saved(), saved())
    drain_all()
    monkeypatch.setattr("eventbus.replays.BATCH", 1)
    monkeypatch.setattr("eventbus.progress.REDRAW", 0.0)
    monkeypatch.setattr(sys, "stderr", Impatient())

    with pytest.raises(KeyboardInterrupt) as stopped:
        bus("replay", "--subscriber", "test.trace", "--yes")

    order = Replay.objects.get()
    assert stopped.value.args == (
        f"It had come to Replaying, 1 of 3. Workers go on with it; `bus cancel {order.pk}` stops it.",
    )
    assert Delivery.objects.filter(generation=order.pk).count() == 1
    carry_on(60)
    assert Delivery.objects.filter(generation=order.pk).count() == 3


def test_ctrl_c_at_the_question_replays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    commit(saved())
    drain_all()

    def pressed() -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.stdin, "isatty", pressed, raising=False)
    with pytest.raises(KeyboardInterrupt) as stopped:
        bus("replay", "--subscriber", "test.trace")

    assert stopped.value.args == ("Nothing was replayed.",)
    assert Replay.objects.count() == 0


def test_the_time_range_of_a_replay_is_given_by_date_or_time() -> None:
    commit(saved())
    drain_all()
    for since, count in (("2020-01-01", "1"), ("2020-01-01T10:00:00+02:00", "1"), ("2999-01-01T00:00", "0")):
        assert bus("replay", "--subscriber", "test.trace", "--since", since, "--dry-run")[1].split()[1] == count
    for since in ("yesterday", "20200101", "2020-W01-1", "2020-13-01"):
        assert "is no time" in refused("replay", "--since", since)[1]
    assert refused("replay", "--subscriber", "test.trace", "--since", "2999-01-01", "--yes")[0] == 3
    assert refused("replay", "--subscriber", "test.trace", "--rate", "0", "--yes")[0] == 1


@pytest.mark.parametrize("rate", ["1.000", "1_000", "1e3", "\u0663", "many"])
def test_a_rate_is_given_in_digits_alone(rate: str) -> None:
    assert "is no whole number: write digits alone" in refused("replay", "--subscriber", "x", "--rate", rate)[1]


def test_a_trace_is_found_by_its_request_and_by_an_event() -> None:
    commit(saved())
    drain_all()
    event = Event.objects.get()
    by_request, by_event = bus("trace", event.correlation_id), bus("trace", event.uuid)
    assert by_request == by_event
    assert by_request[0].startswith(str(event.correlation_id))
    assert [line.split()[2:5] for line in by_request[2:3]] == [["AnswerEvent", "/answers", "published"]]
    assert "test.trace" in by_request[3]
    assert refused("trace", uuid4())[0] == 3


def test_prune_says_what_went(capsys: pytest.CaptureFixture[str]) -> None:
    commit(saved())
    drain_all()
    Delivery.objects.update(created_at="2020-01-01T00:00Z", finished_at="2020-01-01T00:00Z")
    assert bus("prune") == ["Pruned 1 deliveries and 0 events."]
    assert capsys.readouterr().err == "[##############################] 100%  Pruning  1\n"
    Event.objects.update(created_at="2020-01-01T00:00Z", erased_at=Now())
    assert bus("prune") == ["Pruned 0 deliveries and 1 events."]
