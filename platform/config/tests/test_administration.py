"""Every page, action and inline of the administration by role; administration.yaml says who may. What is not named
there fails here, so that nothing new opens by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from accounts.models import Organisation, User
from config.environment import ROOT
from config.tests.world import World, world_of
from contracts import MailEvent, OrganisationEvent
from eventbus import publish
from eventbus.models import Delivery, Event, Replay, Status, SubscriptionState
from mailing.models import Mail
from questionnaires.models import Definition
from reports.models import Report
from reports.readings import Reading, note
from reviewing.guarded import Guarded, GuardedAdmin

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]

TABLE: dict[str, Any] = yaml.safe_load((ROOT / "platform/config/tests/administration.yaml").read_text())
WORDS = ("staff", "superuser", "nobody")


def patterns() -> dict[str, URLPattern]:
    """Every page of the administration that has a name."""

    def walk(found: list[Any]) -> Iterator[URLPattern]:
        for each in found:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns)
            elif each.name:
                yield each

    return {str(each.name): each for each in walk(admin.site.get_urls())}


@dataclass(frozen=True)
class Role:
    """Staff with some rights, to whom Acme was given."""

    name: str
    user: User
    is_let_in: bool
    """Whether the table says that this role opens the page."""

    @property
    def client(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client


class Staff:
    """Makes people by their rights; each set of rights once."""

    def __init__(self, given: Organisation) -> None:
        self.given = given
        self.known: dict[frozenset[int], User] = {}
        self.rights = {each.codename: each.pk for each in Permission.objects.all()}

    def with_rights(self, rights: frozenset[int]) -> User:
        if rights not in self.known:
            user = User.objects.create_user(f"{uuid4().hex}@staff.example", is_staff=True)
            user.user_permissions.set(rights)
            user.reviewed.add(self.given)
            self.known[rights] = user
        return self.known[rights]

    def all_but(self, *codenames: str) -> User:
        return self.with_rights(frozenset(self.rights.values()) - {self.rights[each] for each in codenames})

    def roles(self, admitted: str | list[str], superuser: User) -> Iterator[Role]:
        """Those that the table admits, each with no right more than it says; and those with every right but that."""
        yield Role("superuser", superuser, admitted != "nobody")
        yield Role("staff without rights", self.with_rights(frozenset()), admitted == "staff")
        if isinstance(admitted, str):
            yield Role("staff with every right", self.all_but(), admitted == "staff")
            return
        sets = [each.split("+") for each in admitted]
        for each in sets:
            yield Role("+".join(each), self.with_rights(frozenset(self.rights[right] for right in each)), True)
            if len(each) > 1:
                yield from (Role(f"all but {right}", self.all_but(right), False) for right in each)
        if all(len(each) == 1 for each in sets):
            names = [right for (right,) in sets]
            yield Role(f"all but {' and '.join(names)}", self.all_but(*names), False)


@dataclass(frozen=True)
class Things:
    """What one organisation has, and what is nobody's."""

    world: World
    reading: Reading
    dead: Delivery
    group: Group
    replay: Replay
    mail: Mail

    def of(self, page: str, parameter: str) -> str:
        """The id that a page's address takes."""
        model = page.rsplit("_", 1)[0]
        events = Event.objects.filter(organisation=self.world.report.organisation_id, type="AnswerEvent")
        event = events.latest("pk")
        found: dict[str, object] = {
            "auth_group": self.group.pk,
            "accounts_user": self.world.person.pk,
            "accounts_organisation": self.world.report.organisation_id,
            "answers_submission": self.world.submitted.pk,
            "reports_report": self.world.report.pk,
            "reports_reading": self.reading.pk,
            "questionnaires_definition": Definition.objects.latest("pk").pk,
            "eventbus_event": event.pk,
            "eventbus_delivery": Delivery.objects.filter(event=event).earliest("pk").pk,
            "eventbus_deadletter": self.dead.pk,
            "eventbus_subscriptionstate": "reports.store",
            "eventbus_replay": self.replay.pk,
            "mailing_mail": self.mail.pk,
        }
        by_parameter = {"correlation_id": event.correlation_id, "name": "reports.store", "app_label": "accounts"}
        by_page = {
            "accounts_user_second_factor": self.world.person.pk,
            "accounts_organisation_erase": self.world.report.organisation_id,
            "auth_user_password_change": self.world.person.pk,
            "reports_report_as_customer": self.world.report.pk,
            "eventbus_redrive": self.dead.pk,
            "eventbus_replay_cancel": self.replay.pk,
        }
        return str(by_parameter.get(parameter) or by_page.get(page) or found[model])


def things_of(person: User) -> Things:
    world = world_of(person)
    note(person, world.report)
    SubscriptionState.objects.get_or_create(subscriber="reports.store", defaults={"changed_by": "nobody"})
    return Things(
        world,
        Reading.objects.latest("pk"),
        Delivery.objects.filter(key=str(world.failing.pk), status=Status.DEAD).earliest("pk"),
        Group.objects.create(name=f"Group of {person.name}"),
        Replay.objects.create(rate=1, started_by="nobody"),
        Mail.objects.create(kind="test", expires_at=timezone.now()),
    )


@pytest.fixture
def acme(alice: User) -> Things:
    return things_of(alice)


@pytest.fixture
def staff(alice: User) -> Staff:
    return Staff(alice.organisation)


def address(page: str, things: Things) -> str:
    parameters = patterns()[page].pattern.converters
    names = list(parameters) or (["app_label"] if page == "app_list" else [])
    found = reverse(f"admin:{page}", kwargs={name: things.of(page, name) for name in names})
    if page == "autocomplete":
        found += "?app_label=accounts&model_name=membership&field_name=organisation&term="
    return found


def test_every_page_is_named() -> None:
    assert set(TABLE["pages"]) == set(patterns())


def test_every_action_is_named() -> None:
    registered: dict[Any, Any] = admin.site._registry
    offered = {
        model._meta.label_lower: {name for _function, name, _words in model_admin._get_base_actions()}
        for model, model_admin in registered.items()
    }
    assert {model: set(actions) for model, actions in TABLE["actions"].items()} == offered


def inlines() -> dict[str, tuple[type[Any], Any]]:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    return {
        f"{model._meta.label_lower}/{inline.model._meta.label_lower}": (inline, model)
        for model, model_admin in admin.site._registry.items()
        for inline in model_admin.get_inlines(request, model())
    }


def test_every_inline_is_named_and_guarded() -> None:
    assert set(TABLE["inlines"]) == set(inlines())
    assert [inline for inline, _model in inlines().values() if not issubclass(inline, Guarded)] == []


def test_every_list_is_guarded() -> None:
    assert [each for each in admin.site._registry.values() if not isinstance(each, GuardedAdmin)] == []


def _opens(client: Client, where: str) -> bool:
    """Whether the page is shown or, where it only acts, does what it is there for; a refusal refuses both."""
    shown = client.get(where).status_code
    if shown == 403:
        assert client.post(where, {"confirm": "x"}).status_code in (403, 405), where
        return False
    if shown == 405:
        return client.post(where).status_code != 403
    assert shown in (200, 302), (where, shown)
    return True


def test_each_page_opens_for_those_whom_the_table_names(acme: Things, staff: Staff, admin_user: User) -> None:
    wrong = [
        f"{page}: {role.name} {'is refused' if role.is_let_in else 'gets in'}"
        for page, admitted in TABLE["pages"].items()
        if page not in ("logout", "app_list", "login")
        for role in staff.roles(admitted, admin_user)
        if _opens(role.client, address(page, acme)) is not role.is_let_in
    ]
    assert wrong == []


def test_nobody_else_enters(acme: Things, alice_client: Client, client: Client) -> None:
    for page in patterns():
        for visitor in (alice_client, client):
            response = visitor.get(address(page, acme))
            assert response.status_code == (403 if page == "login" and visitor is alice_client else 302), page
            assert page in ("login", "logout") or "/login/" in response.headers["Location"], page


def _request(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_each_action_is_offered_to_those_whom_the_table_names(staff: Staff, admin_user: User) -> None:
    wrong = [
        f"{model._meta.label_lower} {action}: {role.name}"
        for model, model_admin in admin.site._registry.items()
        for action, admitted in TABLE["actions"][model._meta.label_lower].items()
        for role in staff.roles(admitted, admin_user)
        if (action in model_admin.get_actions(_request(role.user))) is not role.is_let_in
    ]
    assert wrong == []


def test_each_inline_takes_what_the_table_says(staff: Staff, admin_user: User, alice: User) -> None:
    parents = {User: alice, Organisation: alice.organisation, Event: None}
    wrong = []
    for name, (inline, model) in inlines().items():
        for verb, admitted in TABLE["inlines"][name].items():
            for role in staff.roles(admitted, admin_user):
                may = getattr(inline(model, admin.site), f"has_{verb}_permission")(_request(role.user), parents[model])
                if may is not role.is_let_in:
                    wrong.append(f"{name} {verb}: {role.name}")
    assert wrong == []


OF_NOBODY = (
    "auth_group",
    "questionnaires_definition",
    "eventbus_subscriptionstate",
    "eventbus_replay",
    "mailing_mail",
    "eventbus_pause",
)


def _of_customers() -> list[str]:
    """Pages about one row that belongs to a customer."""
    with_ids = [page for page, pattern in patterns().items() if pattern.pattern.converters]
    return [page for page in with_ids if not page.startswith((*OF_NOBODY, "eventbus_resume"))]


def test_another_organisations_rows_are_not_there(acme: Things, charlie: User, staff: Staff) -> None:
    """With every right there is: the answer is that for an id that never was."""
    contoso, reviewer = things_of(charlie), Role("reviewer", staff.all_but(), True).client
    for page in _of_customers():
        theirs = address(page, contoso)
        (parameter,) = patterns()[page].pattern.converters
        theirs_id = contoso.of(page, parameter)
        missing = theirs.replace(theirs_id, str(uuid4()) if "-" in theirs_id else "987654321")
        for ask in (reviewer.get, reviewer.post):
            answers = [(ask(each), each) for each in (theirs, missing)]
            told = [
                (each.status_code, _without_ids(each.headers.get("Location", ""), where)) for each, where in answers
            ]
            assert told[0] == told[1], page
            assert told[0][0] in (302, 403, 404, 405), page


def _without_ids(text: str, where: str) -> str:
    """The text without the part of the address between slashes."""
    for part in where.split("/"):
        text = text.replace(part, "") if "-" in part or part.isdigit() else text
    return text


def test_no_page_shows_a_reviewer_anything_of_another_organisation(acme: Things, charlie: User, staff: Staff) -> None:
    contoso, reviewer = things_of(charlie), Role("reviewer", staff.all_but(), True).client
    charlie.refresh_from_db()
    marks = [contoso.world.mark, charlie.email, str(charlie.pk), str(contoso.world.report.organisation_id)]
    marks += [str(contoso.world.submitted.pk), str(contoso.world.report.pk)]
    pages = [page for page, admitted in TABLE["pages"].items() if admitted not in ("nobody", "superuser")]
    pages.remove("logout")
    asked = [address(page, acme) for page in pages]
    lists = [address(page, acme) for page in pages if page.endswith("_changelist")]
    words = (contoso.world.mark, charlie.email, str(contoso.world.submitted.pk))
    found: list[tuple[str, ...]] = [
        (each, mark) for each in asked for mark in marks if mark in reviewer.get(each).content.decode()
    ]
    for each in lists:
        for word in words:
            text = reviewer.get(each, {"q": word}).content.decode()
            found += [(each, word, mark) for mark in marks if mark != word and mark in text]
    assert found == []
    assert acme.world.mark in reviewer.get(address("answers_submission_changelist", acme)).content.decode()
    assert acme.world.mark in reviewer.get(address("reports_report_changelist", acme)).content.decode()


def test_the_trace_of_a_request_holds_a_reviewers_own_events(acme: Things, charlie: User, staff: Staff) -> None:
    """Also where one request was about two organisations."""
    contoso, reviewer = things_of(charlie), Role("reviewer", staff.all_but(), True).client
    mine = Event.objects.filter(organisation=acme.world.report.organisation_id).earliest("pk")
    theirs = Event.objects.filter(organisation=contoso.world.report.organisation_id).latest("pk")
    Event.objects.filter(pk=theirs.pk).update(correlation_id=mine.correlation_id)

    page = reviewer.get(f"/admin/eventbus/event/trace/{mine.correlation_id}/").content.decode()

    assert f"/admin/eventbus/event/{mine.pk}/" in page
    assert f"/admin/eventbus/event/{theirs.pk}/" not in page
    assert reviewer.get(f"/admin/eventbus/event/trace/?id={theirs.uuid}").status_code == 404


def test_staff_to_whom_nothing_was_given_see_nothing(acme: Things, staff: Staff) -> None:
    reviewer = staff.all_but()
    reviewer.reviewed.clear()
    client = Role("reviewer", reviewer, True).client

    for page in ("answers_submission", "reports_report", "accounts_user", "accounts_organisation", "eventbus_event"):
        assert acme.world.mark not in client.get(address(f"{page}_changelist", acme)).content.decode()
    assert client.get(address("reports_report_as_customer", acme)).status_code == 404


@pytest.mark.parametrize("where", ["reports_report_change", "reports_report_as_customer"])
def test_who_read_a_report_is_recorded_and_shown_to_superusers(
    where: str, acme: Things, staff: Staff, admin_user: User
) -> None:
    Reading.objects.all().delete()
    reviewer, stranger = staff.all_but(), staff.all_but("view_report", "change_report")
    for user in (reviewer, admin_user, stranger):
        Role("", user, True).client.get(address(where, acme))

    seen = list(Reading.objects.order_by("pk").values_list("person", "report"))
    assert seen == [(reviewer.pk, acme.world.report.pk), (admin_user.pk, acme.world.report.pk)]
    rows = Role("", admin_user, True).client.get("/admin/reports/reading/").content.decode()
    assert reviewer.email in rows
    assert admin_user.email in rows


SHOWING_ANSWERS = {
    "reports_report_change": "report",
    "reports_report_as_customer": "report",
    "eventbus_event_change": "event",
    "eventbus_deadletter_change": "event",
}
"""The pages on which a customer's answers are read, and what is recorded as read there."""


def test_no_page_shows_answers_but_those_that_record_it(acme: Things, admin_user: User) -> None:
    superuser, note_of_an_answer = Role("superuser", admin_user, True).client, f"mfa of {acme.world.mark}"
    found = dict[str, str]()
    for page, admitted in TABLE["pages"].items():
        if admitted == "nobody" or page in ("login", "logout"):
            continue
        Reading.objects.all().delete()
        shown = superuser.get(address(page, acme), follow=True).content.decode()
        recorded = list(Reading.objects.all())
        assert (note_of_an_answer in shown) is bool(recorded), page
        for each in recorded:
            assert (each.person, each.organisation) == (admin_user.pk, acme.world.report.organisation_id)
            found[page] = "report" if each.report else "event"

    assert found == SHOWING_ANSWERS


def test_readings_of_events_are_listed_with_those_of_reports(acme: Things, admin_user: User) -> None:
    superuser = Role("superuser", admin_user, True).client
    superuser.get(address("eventbus_deadletter_change", acme))

    rows = superuser.get("/admin/reports/reading/", {"q": str(acme.dead.event.uuid)}).content.decode()

    assert admin_user.email in rows
    assert f'<a href="/admin/eventbus/event/?q={acme.dead.event.uuid}" title="{acme.dead.event.uuid}">Event ' in rows
    assert f"<bdi>{acme.world.mark}</bdi> · {str(acme.world.report.organisation_id)[:8]}" in rows
    assert f"/admin/reports/report/{acme.world.report.pk}/" not in rows


def test_events_that_hold_nothing_but_an_id_are_not_recorded_as_read(acme: Things, admin_user: User) -> None:
    Reading.objects.all().delete()
    with transaction.atomic():
        publish(MailEvent(mail=acme.mail.pk))
        publish(OrganisationEvent(organisation=acme.world.report.organisation_id))
    mail, erased = Event.objects.order_by("-pk")[:2]

    for event in (mail, erased):
        shown = Role("superuser", admin_user, True).client.get(f"/admin/eventbus/event/{event.pk}/change/")
        assert str(event.uuid) in shown.content.decode()

    assert not Reading.objects.exists()


def test_an_event_without_contents_is_not_recorded_as_read(acme: Things, admin_user: User) -> None:
    Reading.objects.all().delete()
    Event.objects.update(payload={}, emptied_at=timezone.now())

    for page in ("eventbus_event_change", "eventbus_deadletter_change"):
        shown = Role("superuser", admin_user, True).client.get(address(page, acme))
        assert "Superseded, contents removed." in shown.content.decode()

    assert not Reading.objects.exists()


@pytest.mark.parametrize("page", SHOWING_ANSWERS)
def test_what_cannot_be_recorded_is_not_shown(
    page: str, acme: Things, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    superuser = Role("superuser", admin_user, True).client

    def fail(*arguments: object, **more: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Reading.objects, "create", fail)

    with pytest.raises(OSError, match="the disk is full"):
        superuser.get(address(page, acme))


def test_a_member_who_reads_their_own_report_is_not_recorded(acme: Things, alice_client: Client) -> None:
    before = Reading.objects.count()

    assert alice_client.get(f"/reports/{acme.world.report.pk}/").status_code == 200

    assert Reading.objects.count() == before


def test_the_record_stays_when_the_reader_is_deleted(acme: Things, staff: Staff, admin_user: User) -> None:
    reader = staff.all_but()
    note(reader, Report.objects.get(pk=acme.world.report.pk))
    pk = reader.pk
    reader.delete()

    rows = Role("", admin_user, True).client.get("/admin/reports/reading/").content.decode()

    assert str(pk) in rows
