"""The admin shows events and deliveries; answers only to superusers; nothing can be changed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from contracts import AnswerEvent
from eventbus import subscribe
from eventbus.admin.deliveries import DeliveryAdmin
from eventbus.models import Delivery, Event
from eventbus.tests.making import ACME, SECRET, commit, saved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery() -> Delivery:
    @subscribe(AnswerEvent, name="test.trace")
    def trace(event: AnswerEvent) -> None: ...

    commit(saved(), saved())
    return Delivery.objects.select_related("event").earliest("pk")


@pytest.fixture
def superuser(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def reviewer() -> Client:
    """May see events of Acme, is no superuser."""
    user = User.objects.create_user("rita@example.org", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_event", "view_delivery"]))
    user.reviewed.add(Organisation.objects.create(pk=ACME, name="Acme"))
    client = Client()
    client.force_login(user)
    return client


def test_a_superuser_reads_the_payload(superuser: Client, delivery: Delivery) -> None:
    assert SECRET in superuser.get(f"/admin/eventbus/event/{delivery.event_id}/change/").content.decode()


def test_a_reviewer_reads_everything_but_the_payload(reviewer: Client, delivery: Delivery) -> None:
    page = reviewer.get(f"/admin/eventbus/event/{delivery.event_id}/change/").content.decode()
    assert delivery.key in page
    assert "test.trace" in page
    assert SECRET not in page


@pytest.mark.parametrize(
    "address",
    [
        "event/?payload__icontains=F",
        "event/?payload__data__answer__values__mfa__value=F",
        "delivery/?event__payload__icontains=F",
        "delivery/?event__payload__data__answer__values__mfa__value=F",
    ],
)
def test_answers_cannot_be_guessed_by_filtering(reviewer: Client, delivery: Delivery, address: str) -> None:
    assert reviewer.get(f"/admin/eventbus/{address}").status_code == 400


@pytest.mark.parametrize("model", ["event", "delivery"])
def test_a_key_an_event_id_and_a_correlation_id_find_their_rows(
    superuser: Client, delivery: Delivery, model: str
) -> None:
    event = delivery.event
    for term in (event.key, str(event.uuid), str(event.correlation_id)):
        response = superuser.get(f"/admin/eventbus/{model}/", {"q": term})
        assert len(response.context["cl"].result_list) == 1
    for term in (str(uuid4()), "nonsense"):
        response = superuser.get(f"/admin/eventbus/{model}/", {"q": term})
        assert len(response.context["cl"].result_list) == 0


def test_nothing_can_be_added_changed_or_deleted(superuser: Client, delivery: Delivery) -> None:
    for model, pk in (("event", delivery.event_id), ("delivery", delivery.pk)):
        assert superuser.get(f"/admin/eventbus/{model}/add/").status_code == 403
        assert superuser.post(f"/admin/eventbus/{model}/{pk}/change/", {"status": "done"}).status_code == 403
        assert superuser.post(f"/admin/eventbus/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Event.objects.count() == 2


def test_a_document_is_laid_out_to_be_read(superuser: Client, delivery: Delivery) -> None:
    page = superuser.get(f"/admin/eventbus/event/{delivery.event_id}/change/").content.decode()
    assert '<pre class="bus-payload" tabindex="0">{\n  &quot;' in page


def test_no_list_reads_everything_that_was_ever_published(superuser: Client, delivery: Delivery) -> None:
    for model in ("event", "delivery", "deadletter"):
        with CaptureQueriesContext(connection) as captured:
            page = superuser.get(f"/admin/eventbus/{model}/").content.decode()
        asked = [query["sql"] for query in captured.captured_queries]
        assert [sql for sql in asked if "DISTINCT" in sql and "WHERE" not in sql] == []
        assert [sql for sql in asked if '"payload"' in sql] == []
        assert ("_facets" in page) == (model == "deadletter")


def test_the_lists_are_filtered_by_subscriber_type_and_source(superuser: Client, delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(subscriber="test.removed")
    for address, count in (
        ("delivery/?subscriber=test.removed", 1),
        ("delivery/?subscriber=test.trace", 1),
        ("deadletter/?subscriber=test.trace&event__type=AnswerEvent", 0),
        ("event/?type=AnswerEvent&source=answers", 2),
        ("event/?type=ReportEvent", 0),
    ):
        response = superuser.get(f"/admin/eventbus/{address}")
        assert len(response.context["cl"].result_list) == count
    page = superuser.get("/admin/eventbus/delivery/").content.decode()
    assert "?subscriber=test.removed" in page
    assert "?source=answers" in superuser.get("/admin/eventbus/event/").content.decode()


@pytest.mark.parametrize("address", ["event/", "delivery/"])
def test_lists_say_date_and_time_to_the_second(superuser: Client, delivery: Delivery, address: str) -> None:
    moment = datetime(2026, 11, 29, 14, 7, 9, tzinfo=UTC)
    Event.objects.update(created_at=moment)
    Delivery.objects.update(due_at=moment)

    assert "29 Nov 2026, 14:07:09" in superuser.get(f"/admin/eventbus/{address}").content.decode()


def test_the_times_of_a_delivery_come_before_what_is_wide() -> None:
    columns = list(DeliveryAdmin.list_display)

    assert (
        max(columns.index("due_at"), columns.index("finished_at")) < columns.index("key") < columns.index("last_error")
    )
