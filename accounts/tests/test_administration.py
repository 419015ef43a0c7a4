"""People and organisations in the administration: whatever is done there, nobody is left without an organisation."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

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


def test_an_organisation_with_people_cannot_be_deleted(desk: Client, alice: User) -> None:
    empty = Organisation.objects.create(name="Empty")

    assert (
        desk.post(f"/admin/accounts/organisation/{alice.organisation.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert desk.post(f"/admin/accounts/organisation/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Organisation.objects.filter(name__in=["Acme", "Empty"])) == [alice.organisation]


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

    assert root.organisation.name == "root"
    response = client.post("/accounts/login/", {"login": "root@example.org", "password": PASSWORD})
    assert response.headers["Location"] == "/questionnaires/"


@pytest.fixture
def helper_client(bob: User) -> Client:
    """Bob may edit people, and is no superuser."""
    bob.is_staff = True
    bob.save()
    wanted = ("add_user", "change_user", "delete_user", "view_user", "change_membership", "view_membership")
    bob.user_permissions.set(Permission.objects.filter(codename__in=wanted))
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
    form = {"email": "bob@example.org", "password1": PASSWORD, "password2": PASSWORD, "post": "yes"}

    response = helper_client.post(f"/admin/accounts/user/{admin_user.pk}/{path}", form)

    assert response.status_code == 403
    admin_user.refresh_from_db()
    assert admin_user.email == "admin@example.org"
    assert not admin_user.check_password(PASSWORD)
