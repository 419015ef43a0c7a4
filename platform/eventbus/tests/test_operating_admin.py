"""The administration's pages of the bus: superusers act, staff with the permission read, nobody else gets in."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Organisation, User
from contracts import AnswerEvent
from eventbus import NeverRetry, erase, subscribe
from eventbus.deliveries import drain_all
from eventbus.leases import claim
from eventbus.models import Delivery, Event, Replay, Status, SubscriptionState
from eventbus.replays import Selection, carry_on, place
from eventbus.subscriptions import registry
from eventbus.tests.making import ACME, SECRET, commit, saved, statuses

pytestmark = pytest.mark.django_db(transaction=True)
SUBSCRIPTIONS = "/admin/eventbus/subscriptionstate/"
DEAD = "/admin/eventbus/deadletter/"
REPLAYS = "/admin/eventbus/replay/"
TRACE = "/admin/eventbus/event/trace/"
STYLESHEET = settings.ROOT / "static" / "css" / "eventbus-admin.css"


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
def dead(switch: Switch) -> Delivery:
    """One of two dead letters."""
    switch.broken = True
    commit(saved(), saved())
    drain_all()
    switch.broken = False
    return Delivery.objects.earliest("pk")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser(admin_user: User) -> Client:
    return signed_in(admin_user)


@pytest.fixture
def reviewer() -> Client:
    """May see everything of the bus that is Acme's, is no superuser."""
    user = User.objects.create_user("rita@example.org", "x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="eventbus", codename__startswith="view_")
    )
    user.reviewed.add(Organisation.objects.create(pk=ACME, name="Acme"))
    return signed_in(user)


@pytest.fixture
def stranger() -> Client:
    """Staff without any permission."""
    return signed_in(User.objects.create_user("sam@example.org", "x", is_staff=True))


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_no_page_has_inline_style_or_script(superuser: Client, dead: Delivery) -> None:
    trace = f"{TRACE}{dead.event.correlation_id}/"
    commit(saved())
    drain_all()
    superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())})
    replays = (REPLAYS, f"{REPLAYS}add/", f"{REPLAYS}{Replay.objects.get().pk}/cancel/")
    for address in (SUBSCRIPTIONS, f"{DEAD}{dead.pk}/change/", TRACE, trace, *replays):
        page = text(superuser, address)
        assert " style=" not in page
        assert "<style" not in page
        assert "<script>" not in page


def test_staff_without_permission_see_nothing(stranger: Client, dead: Delivery) -> None:
    trace = f"{TRACE}{dead.event.correlation_id}/"
    for address in (SUBSCRIPTIONS, DEAD, f"{DEAD}{dead.pk}/change/", REPLAYS, f"{REPLAYS}add/", TRACE, trace):
        assert stranger.get(address).status_code == 403


# --- subscriptions -------------------------------------------------------------------------------------------------
def test_a_superuser_pauses_and_resumes(superuser: Client, admin_user: User) -> None:
    commit(saved())
    page = superuser.post(f"{SUBSCRIPTIONS}test.trace/pause/", follow=True).content.decode()
    assert "Paused test.trace: what comes for it waits." in page
    assert f"by {admin_user.email}" in page
    assert drain_all() == 0
    page = superuser.post(f"{SUBSCRIPTIONS}test.trace/resume/", follow=True).content.decode()
    assert "Resumed test.trace: it goes on with what waited." in page
    assert drain_all() == 1


def test_a_reviewer_reads_the_subscriptions_and_changes_nothing(reviewer: Client) -> None:
    page = text(reviewer, SUBSCRIPTIONS)
    assert "test.trace" in page
    assert f"{SUBSCRIPTIONS}test.trace/pause/" not in page
    assert reviewer.post(f"{SUBSCRIPTIONS}test.trace/pause/").status_code == 403
    assert SubscriptionState.objects.count() == 0


def test_an_unknown_subscriber_is_told_and_changes_nothing(superuser: Client) -> None:
    page = superuser.post(f"{SUBSCRIPTIONS}nobody/pause/", follow=True).content.decode()
    assert "There is no subscriber of this name." in page
    assert SubscriptionState.objects.count() == 0


def test_everything_that_acts_needs_a_post_with_a_token(admin_user: User, superuser: Client, dead: Delivery) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(admin_user)
    for address in (
        f"{SUBSCRIPTIONS}test.trace/pause/",
        f"{SUBSCRIPTIONS}test.trace/resume/",
        f"{DEAD}{dead.pk}/redrive/",
    ):
        assert superuser.get(address).status_code == 405
        assert careful.post(address).status_code == 403
    assert careful.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())}).status_code == 403
    assert careful.post(f"{REPLAYS}1/cancel/").status_code == 403
    assert (statuses(), SubscriptionState.objects.count(), Replay.objects.count()) == (["dead", "dead"], 0, 0)


def test_whoever_acted_is_named_by_the_address_that_nobody_shares(superuser: Client, admin_user: User) -> None:
    User.objects.filter(pk=admin_user.pk).update(name="Alex")
    page = superuser.post(f"{SUBSCRIPTIONS}test.trace/pause/", follow=True).content.decode()
    assert f"by {admin_user.email}" in page


def test_what_waits_for_a_worker_is_told_apart_from_what_runs(superuser: Client) -> None:
    commit(saved())
    assert "behind" not in text(superuser, SUBSCRIPTIONS).lower()
    Delivery.objects.update(due_at=Now() - timedelta(seconds=11))
    page = text(superuser, SUBSCRIPTIONS)
    assert ">behind<" in page
    assert "Behind: what is due waits for a worker." in page
    superuser.post(f"{SUBSCRIPTIONS}test.trace/pause/")
    assert "behind" not in text(superuser, SUBSCRIPTIONS).lower()


def test_a_name_that_no_subscriber_has_is_explained(superuser: Client) -> None:
    commit(saved())
    assert "Not part of this code:" not in text(superuser, SUBSCRIPTIONS)
    Delivery.objects.update(subscriber="test.removed")
    assert "Not part of this code: deliveries to a name that no subscriber has." in text(superuser, SUBSCRIPTIONS)


# --- dead letters --------------------------------------------------------------------------------------------------
def test_a_superuser_sees_why_with_the_payload_and_redrives_one(
    superuser: Client, dead: Delivery, admin_user: User
) -> None:
    page = text(superuser, f"{DEAD}{dead.pk}/change/")
    assert "NeverRetry: no room" in page
    assert SECRET in page
    page = superuser.post(f"{DEAD}{dead.pk}/redrive/", follow=True).content.decode()
    assert "1 is delivered again." in page
    assert statuses() == ["ready", "dead"]
    assert Delivery.objects.get(pk=dead.pk).note.startswith(f"redriven by {admin_user.email} at ")


def test_a_superuser_redrives_many(superuser: Client, dead: Delivery) -> None:
    ids = list(Delivery.objects.values_list("pk", flat=True))
    page = superuser.post(DEAD, {"action": "redrive_selected", "_selected_action": ids}, follow=True).content.decode()
    assert "2 are delivered again." in page
    assert statuses() == ["ready", "ready"]


def test_an_erased_one_is_left_and_the_page_says_so(superuser: Client, dead: Delivery) -> None:
    erase(dead.key)
    assert f"{DEAD}{dead.pk}/redrive/" not in text(superuser, f"{DEAD}{dead.pk}/change/")
    page = superuser.post(f"{DEAD}{dead.pk}/redrive/", follow=True).content.decode()
    assert "1 was left: its event was erased" in page
    assert statuses() == ["dead", "dead"]


def test_a_reviewer_reads_the_reason_but_not_the_payload_and_redrives_nothing(reviewer: Client, dead: Delivery) -> None:
    page = text(reviewer, f"{DEAD}{dead.pk}/change/")
    assert "NeverRetry: no room" in page
    assert SECRET not in page
    assert f"{DEAD}{dead.pk}/redrive/" not in page
    assert "redrive_selected" not in text(reviewer, DEAD)
    assert reviewer.post(f"{DEAD}{dead.pk}/redrive/").status_code == 403
    reviewer.post(DEAD, {"action": "redrive_selected", "_selected_action": [dead.pk]})
    assert statuses() == ["dead", "dead"]


def test_a_dead_letter_shows_the_number_that_the_command_line_takes(superuser: Client, dead: Delivery) -> None:
    Delivery.objects.filter(pk=dead.pk).update(id=dead.pk + 1_000_000)
    page = text(superuser, f"{DEAD}{dead.pk + 1_000_000}/change/")
    assert f"test.trace {dead.pk + 1_000_000}" in page
    assert f"test.trace: {dead.event_id}" not in page


def test_why_one_can_not_be_redriven_is_said(superuser: Client, reviewer: Client, dead: Delivery) -> None:
    address = f"{DEAD}{dead.pk}/change/"
    Delivery.objects.filter(pk=dead.pk).update(subscriber="test.removed")
    page = text(superuser, address)
    assert "This code has no subscriber of this name" in page
    assert f"{DEAD}{dead.pk}/redrive/" not in page
    erase(dead.key)
    assert "Its event was erased: there is nothing left to deliver." in text(superuser, address)
    assert "nothing left to deliver" not in text(reviewer, address)


def test_only_dead_ones_are_dead_letters(superuser: Client, dead: Delivery) -> None:
    commit(saved())
    drain_all()
    done = Delivery.objects.latest("pk")
    for wrong in (done.pk, "nonsense", "²"):
        assert superuser.get(f"{DEAD}{wrong}/change/").status_code == 302


def test_what_somebody_else_redrove_meanwhile_is_said_so(superuser: Client, dead: Delivery) -> None:
    first, second = (f"{DEAD}{pk}/redrive/" for pk in Delivery.objects.order_by("pk").values_list("pk", flat=True))
    assert "1 is delivered again." in superuser.post(first, follow=True).content.decode()
    page = superuser.post(first, follow=True)
    assert page.redirect_chain == [(DEAD, 302)]
    assert "1 was no longer a dead letter: redriven or deleted already." in page.content.decode()
    Event.objects.exclude(pk=dead.event_id).delete()
    assert "1 was no longer a dead letter" in superuser.post(second, follow=True).content.decode()


def test_a_selection_tells_what_was_done_and_what_was_left_and_why(superuser: Client, dead: Delivery) -> None:
    commit(*(saved() for _ in range(3)))
    again, erased, unknown, gone, kept = Delivery.objects.order_by("pk")
    Delivery.objects.filter(status=Status.READY).finish(Status.DEAD)
    ids = [each.pk for each in (again, erased, unknown, gone)]
    erase(erased.key)
    Delivery.objects.filter(pk=unknown.pk).update(subscriber="test.removed")
    Delivery.objects.filter(pk=gone.pk).update(status=Status.DONE)
    chosen = {"action": "redrive_selected", "_selected_action": ids}
    told = [str(message) for message in superuser.post(DEAD, chosen, follow=True).context["messages"]]
    assert told == [
        "1 is delivered again.",
        "2 were left: their events were erased, or this code does not have their subscribers.",
        "1 was no longer a dead letter: redriven or deleted already.",
    ]
    assert Delivery.objects.get(pk=kept.pk).status == Status.DEAD
    told = [str(message) for message in superuser.post(DEAD, chosen, follow=True).context["messages"]]
    assert told[-1] == "2 were no longer dead letters: redriven or deleted already."


# --- replay --------------------------------------------------------------------------------------------------------
ORDER = {"subscriber": "test.trace", "event_type": "", "since": "", "until": "", "rate": "5"}


def test_a_replay_is_counted_then_confirmed(superuser: Client, admin_user: User) -> None:
    commit(saved(), saved())
    drain_all()
    page = superuser.post(f"{REPLAYS}add/", ORDER).content.decode()
    assert "Replay 2 deliveries" in page
    assert Replay.objects.count() == 0
    page = superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())}, follow=True).content.decode()
    order = Replay.objects.get()
    assert f"Replay {order.pk} is ordered: 2 deliveries. Workers carry it out; here you see how far it is." in page
    assert (order.subscriber, order.rate, order.expected, order.started_by) == ("test.trace", 5, 2, admin_user.email)


def test_the_request_that_confirms_a_replay_makes_none_of_its_deliveries(superuser: Client) -> None:
    commit(saved(), saved())
    drain_all()
    page = superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())}, follow=True).content.decode()
    assert Delivery.objects.exclude(generation=0).count() == 0
    assert (shown_in(page, "state"), shown_in(page, "made")) == ("being made", "0 of 2")
    carry_on(seconds=60)
    page = text(superuser, REPLAYS)
    assert tuple(shown_in(page, each) for each in ("state", "made", "waiting")) == ("being delivered", "2", "2")
    drain_all()
    Delivery.objects.undelivered().finish(Status.DONE)
    page = text(superuser, REPLAYS)
    assert tuple(shown_in(page, each) for each in ("state", "made", "waiting")) == ("finished", "2", "0")


def shown_in(page: str, column: str) -> str:
    """What the newest replay's row says in this column."""
    cell = re.findall(rf'class="field-{column}[^"]*">(.*?)</td>', page)[0]
    return re.sub("<[^>]+>", "", cell)


def test_a_replay_that_no_worker_begins_says_what_it_waits_for(superuser: Client) -> None:
    commit(saved())
    drain_all()
    order = place(Selection(subscriber="test.trace"), rate=50, by="Ada")
    assert "No worker has begun" not in text(superuser, REPLAYS)
    Replay.objects.update(started_at=Now() - timedelta(seconds=31))

    assert "No worker has begun: is one running?" in text(superuser, REPLAYS)
    assert "No worker has begun" in text(superuser, f"{REPLAYS}{order.pk}/change/")
    carry_on(5)
    assert "No worker has begun" not in text(superuser, REPLAYS)


# --- cancelling a replay -------------------------------------------------------------------------------------------
@pytest.fixture
def order(superuser: Client) -> Replay:
    """One of five deliveries, of which one was handled and one is at work."""
    commit(*(saved() for _ in range(5)))
    drain_all()
    superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())})
    carry_on(seconds=60)
    mine = Delivery.objects.exclude(generation=0).order_by("due_at")
    done, at_work, *others = mine.values_list("pk", flat=True)
    Delivery.objects.filter(pk__in=others).update(due_at=Now() + timedelta(hours=1))
    Delivery.objects.filter(pk=done).finish(Status.DONE)
    Delivery.objects.filter(pk=at_work).update(due_at=Now())
    claim(registry["test.trace"])
    return Replay.objects.get()


def test_a_superuser_sees_what_a_cancelling_comes_to_and_confirms_it(
    superuser: Client, admin_user: User, order: Replay
) -> None:
    address = f"{REPLAYS}{order.pk}/cancel/"
    assert address in text(superuser, REPLAYS)
    assert address in text(superuser, f"{REPLAYS}{order.pk}/change/")
    page = " ".join(text(superuser, address).split())
    assert "2 deliveries were handed on already and stay as they are; 1 of them at work just now." in page
    assert "3 deliveries will not be handed on." in page
    assert Delivery.objects.undelivered().count() == 4

    page = superuser.post(address, follow=True).content.decode()

    assert f"Replay {order.pk} is cancelled: what was not handed on yet is not delivered." in page
    assert shown_in(page, "state") == "being cancelled"
    carry_on(seconds=60)
    Delivery.objects.filter(status=Status.LEASED).finish(Status.DONE)
    carry_on(seconds=60)
    page = text(superuser, REPLAYS)
    assert tuple(shown_in(page, each) for each in ("state", "made", "waiting", "called_off")) == (
        "cancelled",
        "5",
        "0",
        "3",
    )
    assert address not in page
    assert address not in text(superuser, f"{REPLAYS}{order.pk}/change/")
    assert Replay.objects.get().cancelled_by == admin_user.email


def test_what_is_not_even_made_counts_among_what_will_not_be(superuser: Client, order: Replay) -> None:
    Replay.objects.update(expected=105, finished_at=None)
    address = f"{REPLAYS}{order.pk}/cancel/"
    assert "103 deliveries will not be handed on." in text(superuser, address)
    superuser.post(address)
    carry_on(seconds=60)
    assert shown_in(text(superuser, REPLAYS), "called_off") == "103"


def test_cancelling_twice_or_too_late_is_told(superuser: Client, order: Replay, admin_user: User) -> None:
    address = f"{REPLAYS}{order.pk}/cancel/"
    Delivery.objects.undelivered().finish(Status.DONE)
    assert "This replay has finished: everything was handed on" in text(superuser, address)
    page = superuser.post(address, follow=True).content.decode()
    assert f"Replay {order.pk} has finished: everything was handed on, nothing was cancelled." in page
    assert shown_in(page, "state") == "finished"

    Replay.objects.update(finished_at=None)
    superuser.post(address)
    assert f"This replay was cancelled already, by {admin_user.email} on " in text(superuser, address)
    page = superuser.post(address, follow=True).content.decode()
    assert f"Replay {order.pk} was cancelled already, by {admin_user.email}." in page
    assert superuser.post(f"{REPLAYS}999999/cancel/").status_code == 404


def test_a_reviewer_sees_how_far_a_replay_is_and_cancels_none(reviewer: Client, order: Replay) -> None:
    address = f"{REPLAYS}{order.pk}/cancel/"
    for page in (text(reviewer, REPLAYS), text(reviewer, f"{REPLAYS}{order.pk}/change/")):
        assert "being delivered" in page
        assert address not in page
    assert (reviewer.get(address).status_code, reviewer.post(address).status_code) == (403, 403)
    assert Replay.objects.get().cancelled_at is None


def test_the_trace_says_that_a_delivery_was_cancelled_with_its_replay(superuser: Client, order: Replay) -> None:
    superuser.post(f"{REPLAYS}{order.pk}/cancel/")
    carry_on(seconds=60)
    skipped = Delivery.objects.filter(status=Status.SKIPPED).latest("pk")
    page = text(superuser, f"{TRACE}{skipped.event.correlation_id}/")
    assert f"replay {order.pk} was cancelled" in page
    assert '<span class="bus-state bus-skipped">skipped</span>' in page


# --- ordering ------------------------------------------------------------------------------------------------------


def test_a_page_that_is_sent_twice_orders_once(superuser: Client) -> None:
    commit(saved(), saved())
    drain_all()
    counted = superuser.post(f"{REPLAYS}add/", ORDER).content.decode()
    confirmed = {**ORDER, "confirm": re.findall(r'name="confirm" value="([0-9a-f-]+)"', counted)[0]}
    superuser.post(f"{REPLAYS}add/", confirmed)
    for _ in ("nothing is made yet", "everything still waits", "everything is done"):
        page = superuser.post(f"{REPLAYS}add/", confirmed, follow=True).content.decode()
        assert "This replay was ordered already. To order another one, count again." in page
        if Replay.objects.filter(finished_at=None).exists():
            carry_on(seconds=60)
        else:
            Delivery.objects.undelivered().finish(Status.DONE)
    assert Replay.objects.count() == 1


def test_nothing_is_ordered_where_nothing_is_left_or_nothing_was_counted(superuser: Client) -> None:
    assert (
        "There is nothing to replay."
        in superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())}).content.decode()
    )
    commit(saved())
    drain_all()
    assert "Replay 1 delivery" in superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": "yes"}).content.decode()
    assert Replay.objects.count() == 0


def test_the_replays_say_how_much_of_each_still_waits(superuser: Client) -> None:
    commit(saved(), saved())
    drain_all()
    for handled in (1, 2):
        superuser.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())})
        carry_on(seconds=60)
        newest = Delivery.objects.filter(generation=Replay.objects.latest("pk").pk).order_by("pk")
        Delivery.objects.filter(pk__in=[each.pk for each in newest[:handled]]).finish(Status.DONE)
    page = superuser.get(REPLAYS).content.decode()
    assert re.findall(r'class="field-waiting">(\d+)<', page) == ["0", "1"]  # the newest first


def test_the_order_says_in_which_zone_its_times_are(superuser: Client) -> None:
    assert "Times are in the time zone of this site, UTC." in text(superuser, f"{REPLAYS}add/")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subscriber": ""}, "name a type of events, a subscriber, or both"),
        ({"since": "2026-11-02T00:00", "until": "2026-11-01T00:00"}, "the time range is empty"),
        ({"event_type": "ReportEvent"}, "nobody of that name subscribes"),
        ({"rate": "0"}, "greater than or equal to 1"),
        ({"rate": "1.000"}, "Enter a whole number in digits alone, for example 1000."),
        ({"rate": "1_000"}, "Enter a whole number in digits alone, for example 1000."),
        ({"rate": ""}, "This field is required."),
        ({"since": "soon"}, "Enter a valid date/time."),
        ({"since": "2026-W22-7"}, "Enter a valid date/time."),
        ({"until": "05/06/2026"}, "Enter a valid date/time."),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(superuser: Client, change: dict[str, str], told: str) -> None:
    assert told in superuser.post(f"{REPLAYS}add/", {**ORDER, **change, "confirm": str(uuid4())}).content.decode()
    assert Replay.objects.count() == 0


def test_a_reviewer_reads_the_replays_and_orders_none(reviewer: Client) -> None:
    assert "0 replays" in text(reviewer, REPLAYS)
    assert reviewer.post(f"{REPLAYS}add/", {**ORDER, "confirm": str(uuid4())}).status_code == 403


# --- trace ---------------------------------------------------------------------------------------------------------
def test_a_reviewer_traces_a_request_by_its_id_or_an_events(reviewer: Client, dead: Delivery) -> None:
    event = dead.event
    for given in (event.correlation_id, event.uuid):
        response = reviewer.get(TRACE, {"id": str(given)})
        assert response.headers["Location"] == f"{TRACE}{event.correlation_id}/"
    page = text(reviewer, f"{TRACE}{event.correlation_id}/")
    assert "AnswerEvent /answers" in page
    assert "NeverRetry: no room" in page
    assert page.count(' height="12"/>') == 3
    assert SECRET not in page


def test_the_legend_of_a_trace_names_each_colour_that_tells_an_outcome(reviewer: Client, dead: Delivery) -> None:
    page = text(reviewer, f"{TRACE}{dead.event.correlation_id}/")
    (legend,) = re.findall(r'<ul class="bus-legend">(.*?)</ul>', page, re.DOTALL)
    assert re.findall(r'<rect class="bus-bar-(\w+)".*?</svg> (.*?)</li>', legend) == [
        ("waited", "waited"),
        ("done", "worked, done"),
        ("leased", "at work or to be tried again"),
        ("dead", "dead"),
        ("skipped", "skipped"),
    ]
    in_colour = dict(re.findall(r"(\.bus-bar-\w+(?:, \.bus-bar-\w+)*) \{ fill: (#\w+); \}", STYLESHEET.read_text()))
    explained = {name for names in in_colour for name in names.replace(".bus-bar-", "").split(", ")}
    # Ready and leased share a colour, hence their line.
    assert explained == {"waited", "done", "leased", "ready", "dead", "skipped"}
    assert {str(status) for status in Status} <= explained


def test_an_id_that_leads_nowhere_is_told(reviewer: Client) -> None:
    for given, told in ((str(uuid4()), "Nothing carries this id"), ("x", "This is no id"), ("", "required")):
        response = reviewer.get(TRACE, {"id": given})
        assert response.status_code == 404
        assert told in response.content.decode()
    assert reviewer.get(f"{TRACE}{uuid4()}/", follow=True).status_code == 404
    assert Event.objects.count() == 0
