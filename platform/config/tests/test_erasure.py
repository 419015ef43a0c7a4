"""Erasing an organisation: nothing of it is left anywhere, and nothing else is touched. tests/test_postgresql.py runs
this file there, too."""

from __future__ import annotations

import io
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts import erasure
from accounts.models import Erased, Organisation, User
from accounts.sessions import SessionStore
from answers.models import Submission
from answers.saving import Change, save_answers
from config.environment import ROOT
from config.tests.world import World, deliver, world_of
from eventbus import handling
from eventbus.deliveries import drain_all
from eventbus.leases import claim
from eventbus.models import Delivery, Event
from eventbus.subscriptions import registry
from mailing.models import Mail
from mailing.posting import post
from operations.archive.tables import Row, rows, tables
from reports import erasing as reports_erasing
from reports.models import ImmutableReport, Report
from reports.readings import note, note_event

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(alice: User, bob: User, admin_user: User) -> World:
    """Alice's and Bob's organisation, with something of it in every table that can hold it."""
    world = world_of(alice)
    TOTP.activate(alice, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    EmailAddress.objects.create(user=bob, email="secret-of-bob@example.org", verified=False, primary=False)
    Client().force_login(alice)
    signing_up = SessionStore()
    signing_up["account_email_verification_code"] = {"email": "secret-of-bob@example.org"}
    signing_up.save()
    note(admin_user, world.report)
    note_event(Event, event=Event.objects.latest("pk"), person=admin_user)
    for recipient in ("alice@example.org", "secret-of-bob@example.org"):
        Mail.objects.create(
            kind="test", recipient=recipient, text="Dear Alice", expires_at=timezone.now() + timedelta(hours=1)
        )
    desk = Client()
    desk.force_login(admin_user)
    address, organisation = f"/admin/accounts/user/{admin_user.pk}/change/", Organisation.objects.get(people=alice)
    form = {"email": admin_user.email, "name": "Ada", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    own = admin_user.memberships.get()
    form |= {"memberships-TOTAL_FORMS": "2", "memberships-INITIAL_FORMS": "1", "memberships-0-id": str(own.pk)}
    form |= {"memberships-0-user": str(admin_user.pk), "memberships-0-organisation": str(own.organisation_id)}
    form |= {"memberships-1-user": str(admin_user.pk), "memberships-1-organisation": str(organisation.pk)}
    assert desk.post(address, form).status_code == 302
    desk.post(f"/admin/accounts/organisation/{organisation.pk}/change/", _renamed(organisation.name))
    _as_version_0_1_told(admin_user, f"{organisation.name} Ltd")
    assert LogEntry.objects.filter(change_message__contains=str(organisation.pk)[:8]).exists()
    return world


def _renamed(name: str) -> dict[str, str]:
    return {"name": f"{name} Ltd", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def _as_version_0_1_told(user: User, organisation: str) -> None:
    """It named memberships by what people choose alone."""
    told = [{"added": {"name": "membership", "object": f"{user.name} - {organisation}"}}]
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr=user.name,
        action_flag=CHANGE,
        change_message=json.dumps(told),
    )


def holding(*marks: str) -> list[tuple[str, str]]:
    """Which tables hold one of these, in whatever column; sessions are read."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        for row in model._base_manager.values_list(*[field.attname for field in model._meta.concrete_fields]):
            text = repr(row).lower()
            if model is Session:
                text += repr(SessionStore().decode(str(row[1]))).lower()
            found += [(model._meta.db_table, mark) for mark in marks if mark.lower() in text]
    return found


def marks_of(world: World) -> tuple[str, ...]:
    return (world.mark, "alice@example.org", "bob@example.org", "secret-of-bob", str(world.submitted.pk), "Alice")


def contents() -> dict[str, list[Row]]:
    return {model._meta.db_table: list(rows(model)) for model in tables()}


def organisation_of(world: World) -> Organisation:
    return Organisation.objects.get(pk=world.report.organisation_id)


def test_nothing_of_it_is_left_in_any_table(world: World, charlie: User) -> None:
    theirs = world_of(charlie)
    post("bob@example.org", "Your code", "secret-of-bob is the code", kind="code")
    ids = (organisation_of(world).pk, world.person.pk)
    before = holding(theirs.mark)
    assert {mark for _table, mark in holding(*marks_of(world))} == set(marks_of(world))

    erasure.erase(ids[0])
    drain_all()

    assert holding(*marks_of(world)) == []
    assert {table for table, _mark in holding(*map(repr, ids))} == {"accounts_erased", "eventbus_event"}
    assert [(each.type, each.payload["data"]) for each in Event.objects.filter(organisation=ids[0])] == [
        ("OrganisationEvent", {"organisation": str(ids[0]), "state": "erased"})
    ]
    assert holding(theirs.mark) == before


def test_what_is_counted_is_what_goes(world: World) -> None:
    post("bob@example.org", "Your code", "secret-of-bob is the code", kind="code")
    organisation, before = organisation_of(world), contents()

    counted = erasure.preview(organisation)
    assert contents() == before
    erased = erasure.erase(organisation.pk)

    assert counted.items() <= erased.items()
    assert [counted[each] for each in ("submissions", "people", "memberships", "records of readings")] == [3, 2, 3, 2]
    assert counted["reports"] == Report.objects.count() + 4
    assert (counted["mails"], Mail.objects.count()) == (3, 0)
    assert Erased.objects.get(pk=organisation.pk).counts == erased


def test_those_who_belong_elsewhere_keep_their_account_and_nobody_is_left_without_an_organisation(
    world: World, charlie: User, admin_user: User
) -> None:
    organisation = organisation_of(world)
    charlie.join(organisation)
    rita = User.objects.create_user("rita@example.org", name="Rita", organisation=organisation, is_staff=True)
    rita.reviewed.add(organisation)

    erasure.erase(organisation.pk)

    assert set(User.objects.values_list("email", flat=True)) == {
        "admin@example.org",
        "charlie@example.org",
        "rita@example.org",
    }
    assert [each.name for each in charlie.organisations.all()] == ["Contoso"]
    assert [each.name for each in rita.organisations.all()] == ["Rita's organisation"]
    assert not rita.reviewed.exists()
    assert set(Erased.objects.values_list("kind", flat=True)) == {"organisation", "person"}
    assert Erased.objects.filter(kind="person").count() == 2


def test_a_crash_in_the_middle_leaves_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents()

    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reports_erasing, "erase", crash)
    with pytest.raises(KeyboardInterrupt):
        erasure.erase(organisation_of(world).pk)

    before["reports_feed"] = contents()["reports_feed"]
    assert contents() == before
    assert not Erased.objects.exists()


def _save(world: World, value: int) -> None:
    answer = world.draft.answers.get(question="drills")
    save_answers(
        world.draft.pk, world.person, [Change(question="drills", value=value, note="", base_version=answer.version)]
    )


def of_others() -> QuerySet[Event]:
    """Every event but the one that says that it was erased."""
    return Event.objects.exclude(type="OrganisationEvent")


@pytest.mark.parametrize("subscriber", ["security.evaluate", "reports.store"])
def test_work_in_flight_brings_nothing_back(world: World, subscriber: str) -> None:
    """A worker has claimed an event, and the answers in it, when the organisation is erased."""
    _save(world, 3)
    if subscriber == "reports.store":
        (evaluating,) = claim(registry["security.evaluate"])
        handling.deliver(evaluating)
    (lease,) = claim(registry[subscriber])

    erasure.erase(organisation_of(world).pk)
    handling.deliver(lease)
    drain_all()

    assert holding(*marks_of(world)) == []
    assert not of_others().exists()


def test_saves_and_workers_at_that_very_moment_bring_nothing_back(world: World) -> None:
    busy, over = threading.Event(), threading.Event()

    def save() -> int:
        try:
            for number in range(1000):
                _save(world, number)
                busy.set()
        except Submission.DoesNotExist:
            return number
        except Exception as error:
            if "does not exist" in str(error) or "DoesNotExist" in type(error).__name__:
                return number
            raise
        finally:
            connection.close()
        return -1

    def work() -> None:
        try:
            while not over.is_set():
                drain_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        saving, working = pool.submit(save), pool.submit(work)
        assert busy.wait(30)
        erasure.erase(world.report.organisation_id)
        assert saving.result(30) > 0
        over.set()
        working.result(30)
    drain_all()

    assert holding(*marks_of(world)) == []
    assert not Delivery.objects.filter(event__in=of_others()).exists()


def test_a_final_report_is_deleted_in_one_place_alone(world: World) -> None:
    finals = Report.objects.finals()
    with pytest.raises(ImmutableReport):
        finals.delete()

    found = {
        str(path.relative_to(ROOT)): sorted(set(re.findall(r"_raw_delete|DELETE FROM", path.read_text())))
        for folder in ("accounts", "answers", "reports", "security", "platform")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts and "migrations" not in path.parts
    }
    assert {path: words for path, words in found.items() if words} == {
        "reports/erasing.py": ["_raw_delete"],
        "platform/operations/archive/restore.py": ["DELETE FROM"],
    }


def test_whoever_stays_finds_that_it_is_gone(world: World, charlie: User, charlie_client: Client) -> None:
    charlie.join(organisation_of(world))
    pages = (f"/reports/{world.report.pk}/", f"/submissions/{world.draft.pk}/", f"/reports/panel/{world.draft.pk}/")
    assert [charlie_client.get(page).status_code for page in pages] == [200, 200, 200]

    erasure.erase(world.report.organisation_id)

    assert [charlie_client.get(page).status_code for page in pages] == [404, 404, 404]
    assert charlie_client.get("/reports/").status_code == 200


# --- the command ---------------------------------------------------------------------------------------------------
def run(*arguments: object, **options: Any) -> str:
    shown = io.StringIO()
    call_command("erase_organisation", *map(str, arguments), stdout=shown, **options)
    return shown.getvalue()


def test_a_dry_run_counts_and_erases_nothing(world: World) -> None:
    before = contents()

    shown = run(world.report.organisation_id, "--dry-run")

    assert "3 submissions" in shown
    assert "2 people" in shown
    assert shown.endswith("Nothing was erased.\n")
    assert contents() == before


def test_the_command_asks_for_the_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation, before = organisation_of(world), contents()
    for typed in ("yes", "", "Contoso"):
        monkeypatch.setattr("builtins.input", lambda prompt, typed=typed: typed)
        with pytest.raises(CommandError, match=r"This is not its name\. Nothing was erased\."):
            run(organisation.pk)
    assert contents() == before
    monkeypatch.setattr("builtins.input", lambda prompt: organisation.name)

    assert "Erased: " in run(organisation.pk)

    assert not Organisation.objects.filter(pk=organisation.pk).exists()
    with pytest.raises(CommandError, match=f"There is no organisation {organisation.pk}"):
        run(organisation.pk)


# --- the page ------------------------------------------------------------------------------------------------------
@pytest.fixture
def desk(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


def test_the_page_says_what_goes_and_erases_what_is_confirmed(
    world: World, desk: Client, admin_user: User, caplog: pytest.LogCaptureFixture
) -> None:
    organisation = organisation_of(world)
    address = f"/admin/accounts/organisation/{organisation.pk}/erase/"

    page = desk.get(address).content.decode()
    refusal = desk.post(address, {"name": "Acme"}).content.decode()
    assert "<li>Submissions: 3</li>" in page
    assert re.search(r"Accounts that are deleted</h2>\s*<ul><li>alice@example\.org", page)
    assert re.search(r"Accounts that stay</h2>[^<]*<p>[^<]*</p>\s*<ul><li>admin@example\.org", page)
    assert "This is not its name. Nothing was erased." in refusal
    assert Organisation.objects.filter(pk=organisation.pk).exists()
    done = desk.post(address, {"name": organisation.name}, follow=True).content.decode()

    assert f"Organisation {str(organisation.pk)[:8]} is erased. What went: " in done
    assert "memberships: 3" in done
    entry = LogEntry.objects.latest("pk")
    assert (entry.user, entry.object_id, entry.object_repr) == (admin_user, str(organisation.pk), str(organisation.pk))
    assert re.fullmatch(r"[\d,]+ [a-z ]+(, [\d,]+ [a-z ]+)+", entry.change_message)
    assert f"organisation {organisation.pk} erased by {admin_user.pk}: " in caplog.text
    assert world.mark not in caplog.text
    assert desk.get(address).status_code == 404


def test_sessions_that_end_are_those_of_its_people(world: World, desk: Client, charlie_client: Client) -> None:
    before = Session.objects.filter(expire_date__gt=timezone.now() + timedelta(days=1)).count()

    erasure.erase(world.report.organisation_id)

    assert Session.objects.count() == before - 2
    assert charlie_client.get("/reports/").status_code == 200


def test_deliveries_that_wait_are_gone_too(world: World) -> None:
    _save(world, 3)
    assert Delivery.objects.undelivered().exists()

    erasure.erase(world.report.organisation_id)
    deliver()

    assert not Delivery.objects.filter(event__in=of_others()).exists()
