"""People and organisations in the administration: whatever is done there, nobody is left without an organisation."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, User

pytestmark = pytest.mark.django_db
PASSWORD = "several plain words"


@pytest.fixture
def desk(admin_user: User) -> Client:
    """An administrator at work."""
    client = Client()
    client.force_login(admin_user)
    return client


def new_person(organisation: Organisation | None, **change: str) -> dict[str, str]:
    """The form with which a person is added."""
    form = {"email": "Dora@example.org", "name": "Dora", "usable_password": "true"}
    form |= {"password1": PASSWORD, "password2": PASSWORD, "organisation": str(organisation.pk) if organisation else ""}
    return form | change


def person_form(user: User, organisation: Organisation, **change: str) -> dict[str, str]:
    """The form with which a person with one membership is changed."""
    membership = user.memberships.get()
    form = {"email": user.email, "name": user.name, "is_active": "on"}
    form |= {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1"}
    form |= {"memberships-0-id": str(membership.pk), "memberships-0-user": str(user.pk)}
    return form | {"memberships-0-organisation": str(organisation.pk)} | change


def test_a_person_added_here_belongs_to_the_organisation_and_can_sign_in(desk: Client, alice: User) -> None:
    response = desk.post("/admin/accounts/user/add/", new_person(alice.organisation))
    assert response.status_code == 302

    dora = User.objects.get(email="dora@example.org")
    assert list(dora.organisations.all()) == [alice.organisation]
    response = Client().post("/accounts/login/", {"login": "dora@example.org", "password": PASSWORD})
    assert response.headers["Location"] == "/questionnaires/"


def test_a_person_needs_an_organisation(desk: Client) -> None:
    response = desk.post("/admin/accounts/user/add/", new_person(None))

    assert response.status_code == 200
    assert not User.objects.filter(email="dora@example.org").exists()


def test_one_address_is_one_person_whatever_its_case(desk: Client, alice: User) -> None:
    response = desk.post("/admin/accounts/user/add/", new_person(alice.organisation, email="ALICE@example.org"))

    assert b"Another person has this address" in response.content
    assert User.objects.filter(email__iexact=alice.email).count() == 1


def test_a_changed_address_replaces_the_old_one_for_signing_in(desk: Client, alice: User) -> None:
    form = person_form(alice, alice.organisation, email="alice@new.example")

    assert desk.post(f"/admin/accounts/user/{alice.pk}/change/", form).status_code == 302

    alice.refresh_from_db()
    credentials = {"password": "correct horse battery staple"}
    old = Client().post("/accounts/login/", credentials | {"login": "alice@example.org"})
    new = Client().post("/accounts/login/", credentials | {"login": "alice@new.example"})
    assert (old.status_code, new.status_code) == (200, 302)
    assert new.headers["Location"] == "/questionnaires/"


def test_the_last_membership_cannot_be_taken_away(desk: Client, alice: User) -> None:
    form = person_form(alice, alice.organisation, **{"memberships-0-DELETE": "on"})

    response = desk.post(f"/admin/accounts/user/{alice.pk}/change/", form)

    assert response.status_code == 200
    assert alice.memberships.count() == 1


def test_deleting_an_organisation_leads_to_the_page_that_says_what_goes(desk: Client, alice: User) -> None:
    address = f"/admin/accounts/organisation/{alice.organisation.pk}"

    for ask in (desk.get, desk.post):
        response = ask(f"{address}/delete/", {"post": "yes"})
        assert (response.status_code, response.headers["Location"]) == (302, f"{address}/erase/")
    assert alice.organisation.name == "Acme"


def test_a_colleague_is_added_at_the_organisation(desk: Client, alice: User, charlie: User) -> None:
    acme = alice.organisation
    form = {"name": "Acme", "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    form |= {"memberships-0-user": str(charlie.pk), "memberships-0-organisation": str(acme.pk)}

    assert desk.post(f"/admin/accounts/organisation/{acme.pk}/change/", form).status_code == 302

    assert set(acme.people.all()) == {alice, charlie}
    assert charlie.organisation.name == "Contoso"


def test_the_pages_of_people_and_organisations_open(desk: Client, alice: User) -> None:
    organisation = alice.organisation
    for path in ("user/", "user/add/", f"user/{alice.pk}/change/", f"organisation/{organisation.pk}/change/"):
        assert desk.get(f"/admin/accounts/{path}").status_code == 200
    assert b"Acme" in desk.get("/admin/accounts/organisation/?q=acm").content


def test_setup_links_are_not_shown(desk: Client) -> None:
    assert b"setuplink" not in desk.get("/admin/").content.lower()


def test_the_administration_has_no_login_of_its_own(client: Client) -> None:
    response = client.get("/admin/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


def test_who_is_no_staff_is_refused_instead_of_sent_round_in_circles(alice_client: Client) -> None:
    assert alice_client.get("/admin/", follow=True).status_code == 403


def test_people_made_by_a_command_have_an_organisation_and_can_sign_in(client: Client) -> None:
    root = User.objects.create_superuser("Root@Example.org", PASSWORD)

    assert root.organisation.name == "Organisation of root@example.org"
    response = client.post("/accounts/login/", {"login": "root@example.org", "password": PASSWORD})
    assert response.headers["Location"] == "/questionnaires/"


@pytest.fixture
def helper_client(bob: User) -> Client:
    """Bob may edit people, and is no superuser."""
    bob.is_staff = True
    bob.save()
    wanted = ("add_user", "change_user", "delete_user", "view_user", "change_membership", "view_membership")
    bob.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    bob.reviewed.add(bob.organisation)
    client = Client()
    client.force_login(bob)
    return client


def test_who_may_edit_people_cannot_give_rights(helper_client: Client, alice: User) -> None:
    everything = Group.objects.create(name="Everything")
    rights = {"is_staff": "on", "is_superuser": "on", "groups": str(everything.pk), "user_permissions": "1"}
    form = person_form(alice, alice.organisation, name="Alice B.", **rights)

    response = helper_client.post(f"/admin/accounts/user/{alice.pk}/change/", form)

    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.is_active) == ("Alice B.", True)
    assert (alice.is_staff, alice.is_superuser) == (False, False)
    assert not alice.groups.exists()
    assert not alice.user_permissions.exists()


@pytest.mark.parametrize("path", ["change/", "password/", "delete/"])
def test_who_may_edit_people_cannot_become_the_administrator(
    helper_client: Client, admin_user: User, path: str
) -> None:
    admin_user.join(Organisation.objects.get(name="Acme"))
    form = {"email": "bob@example.org", "password1": PASSWORD, "password2": PASSWORD, "post": "yes"}

    response = helper_client.post(f"/admin/accounts/user/{admin_user.pk}/{path}", form)

    assert response.status_code == 403
    admin_user.refresh_from_db()
    assert admin_user.email == "admin@example.org"
    assert not admin_user.check_password(PASSWORD)


@dataclass
class Bakeries:
    """Two organisations of one name, and one whose name pretends to be the label of the first."""

    theirs: Organisation
    strangers: Organisation
    forged: Organisation

    def __iter__(self) -> Iterator[Organisation]:
        return iter((self.theirs, self.strangers, self.forged))


@pytest.fixture
def bakeries(db: None) -> Bakeries:
    theirs = Organisation.objects.create(name="Bakery Ltd")
    for name in ("Sam", "Mia"):
        User.objects.create_user(f"{name.lower()}@bakery.example", PASSWORD, name=name, organisation=theirs)
    theirs = Organisation.objects.described().get(pk=theirs.pk)
    eve = User.objects.create(email="eve@example.net", name="Sam")
    return Bakeries(theirs, eve.found_organisation("Bakery Ltd"), eve.found_organisation(f"{theirs}"[:120]))


def test_the_label_of_an_organisation_says_what_its_owner_cannot_choose(bakeries: Bakeries) -> None:
    theirs, strangers = (Organisation.objects.described().get(pk=each.pk) for each in list(bakeries)[:2])
    since = date_format(localtime(theirs.created_at))

    assert str(theirs) == (
        f"“\u2068Bakery Ltd\u2069” · {str(theirs.pk)[:8]} · since {since} · 2 people · "
        "first: \u2068sam@bakery.example\u2069"
    )
    assert str(strangers).endswith("· 1 person · first: \u2068eve@example.net\u2069 (not confirmed)")


def test_a_name_cannot_pretend_to_be_the_label_of_another(bakeries: Bakeries) -> None:
    genuine = str(Organisation.objects.get(pk=bakeries.theirs.pk))
    forged = str(Organisation.objects.get(pk=bakeries.forged.pk))

    assert forged.count("”") == 1
    assert forged.startswith("“\u2068'Bakery Ltd' - ")
    assert f"{genuine.split('”')[0]}”" not in forged
    assert f"” · {str(bakeries.forged.pk)[:8]} · since" in forged


def test_a_long_name_leaves_room_for_what_tells_it_apart() -> None:
    label = str(Organisation(name="a b " * 30))

    assert label.startswith("“\u2068a b a b a b a b…\u2069” · ")
    assert str(Organisation(name="x" * 120)).startswith(f"“\u2068{'x' * 40}…\u2069” · ")


def _options(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r"<option[^>]*>([^<]+)</option>", page)]


def _labels(bakeries: Bakeries) -> list[str]:
    return [str(Organisation.objects.described().get(pk=each.pk)) for each in bakeries]


def test_organisations_of_one_name_differ_where_a_person_is_added(desk: Client, bakeries: Bakeries) -> None:
    page = desk.get("/admin/accounts/user/add/").content.decode()

    assert set(_labels(bakeries)) <= set(_options(page))


def test_organisations_of_one_name_differ_in_search_and_autocomplete(desk: Client, bakeries: Bakeries) -> None:
    query = {"app_label": "accounts", "model_name": "membership", "field_name": "organisation", "term": "bakery"}
    found = desk.get("/admin/autocomplete/", query).json()["results"]
    assert {each["text"] for each in found} == set(_labels(bakeries))

    for term in (str(bakeries.theirs.pk)[:8], "mia@bakery.example"):
        rows = desk.get("/admin/accounts/organisation/", {"q": term}).content.decode()
        assert f"/admin/accounts/organisation/{bakeries.theirs.pk}/change/" in rows
        assert str(bakeries.strangers.pk) not in rows


def test_organisations_of_one_name_differ_in_list_and_filter(desk: Client, bakeries: Bakeries) -> None:
    rows = desk.get("/admin/accounts/organisation/").content.decode()
    for each in bakeries:
        assert f'<td class="field-short_id">{str(each.pk)[:8]}</td>' in rows
    assert '<td class="field-first_person">eve@example.net (not confirmed)</td>' in rows

    people = html.unescape(desk.get("/admin/accounts/user/").content.decode())
    for label in _labels(bakeries):
        assert label in people


def test_where_there_are_many_organisations_the_search_finds_people_instead_of_the_filter(
    desk: Client, alice: User
) -> None:
    Organisation.objects.bulk_create(Organisation(name=f"Customer {number}") for number in range(60))

    page = desk.get("/admin/accounts/user/").content.decode()
    found = desk.get("/admin/accounts/user/", {"q": str(alice.organisation.pk)[:8]}).content.decode()
    chosen = desk.get("/admin/accounts/user/", {"organisations__id__exact": str(alice.organisation.pk)})

    assert "Customer 7" not in page
    for text in (found, chosen.content.decode()):
        assert "alice@example.org" in text
        assert "admin@example.org</a>" not in text


def test_organisations_of_one_name_differ_on_their_pages_in_their_history_and_before_deletion(
    desk: Client, bakeries: Bakeries
) -> None:
    for each, label in zip(bakeries, _labels(bakeries), strict=True):
        address = f"/admin/accounts/organisation/{each.pk}/"
        assert label in html.unescape(desk.get(f"{address}change/").content.decode())
        assert label in html.unescape(desk.get(f"{address}history/").content.decode())
    empty = [Organisation.objects.create(name="Bakery Ltd") for _ in range(2)]
    for each in empty:
        page = desk.get(f"/admin/accounts/organisation/{each.pk}/delete/", follow=True).content.decode()
        assert f"· {str(each.pk)[:8]} ·" in page


def test_the_organisation_of_a_person_is_named_with_what_tells_it_apart(desk: Client, bakeries: Bakeries) -> None:
    sam = User.objects.get(email="sam@bakery.example")

    options = _options(desk.get(f"/admin/accounts/user/{sam.pk}/change/").content.decode())

    assert _labels(bakeries)[0] in options


def test_people_of_one_name_differ_wherever_the_administration_names_them(desk: Client, bakeries: Bakeries) -> None:
    sam, eve = User.objects.get(email="sam@bakery.example"), User.objects.get(email="eve@example.net")
    query = {"app_label": "accounts", "model_name": "membership", "field_name": "user", "term": "sam"}
    found = {each["text"] for each in desk.get("/admin/autocomplete/", query).json()["results"]}
    assert {"sam@bakery.example · “\u2068Sam\u2069”", "eve@example.net · “\u2068Sam\u2069”"} <= found

    for person in (sam, eve):
        label = f"{person.email} · “\u2068Sam\u2069”"
        for path in ("change", "history", "delete"):
            assert label in html.unescape(desk.get(f"/admin/accounts/user/{person.pk}/{path}/").content.decode())
    form = person_form(sam, bakeries.theirs, name="Samuel")
    page = desk.post(f"/admin/accounts/user/{sam.pk}/change/", form, follow=True).content.decode()
    assert "sam@bakery.example · “\u2068Samuel\u2069”" in html.unescape(page)
    assert LogEntry.objects.latest("pk").object_repr == "sam@bakery.example · “\u2068Samuel\u2069”"


def test_the_list_of_organisations_costs_the_same_however_many_there_are(
    desk: Client, bakeries: Bakeries, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as few:
        desk.get("/admin/accounts/organisation/")
    statements = len(few)
    for number in range(20):
        Organisation.objects.create(name=f"Bakery {number}")
    with django_assert_num_queries(statements):
        desk.get("/admin/accounts/organisation/")


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u0007"])
def test_a_name_that_nobody_sees_is_refused_here_too(desk: Client, alice: User, name: str) -> None:
    person = desk.post("/admin/accounts/user/add/", new_person(alice.organisation, name=name))
    organisation = desk.post("/admin/accounts/organisation/add/", _organisation_form(name))

    for response in (person, organisation):
        assert b"Nobody can see this name." in response.content
    assert Organisation.objects.exclude(people__is_superuser=True).get() == alice.organisation


def test_a_name_is_cleaned_here_too(desk: Client, alice: User) -> None:
    desk.post("/admin/accounts/user/add/", new_person(alice.organisation, name="Do\u202era"))
    desk.post("/admin/accounts/organisation/add/", _organisation_form("Bakery\x0b  Ltd"))

    assert User.objects.get(email="dora@example.org").name == "Dora"
    assert Organisation.objects.filter(name="Bakery Ltd").exists()


def test_nothing_that_is_pasted_is_cut_off(desk: Client, alice: User) -> None:
    for path in ("user/add/", f"user/{alice.pk}/change/", "organisation/add/"):
        assert "maxlength" not in desk.get(f"/admin/accounts/{path}").content.decode()


def _organisation_form(name: str) -> dict[str, str]:
    return {"name": name, "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
