"""Rights in the administration: nobody hands out more than they have, nobody takes over somebody who has more, and a
reviewer sees what a superuser gave to them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import Organisation, User

pytestmark = pytest.mark.django_db
PASSWORD = "several plain words"


def with_rights(user: User, *codenames: str) -> Client:
    """A browser of this person, who may do these things in the administration."""
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def helper(bob: User) -> Client:
    """Bob edits people and groups of Acme."""
    bob.reviewed.add(bob.organisation)
    return with_rights(
        bob,
        "add_user",
        "change_user",
        "delete_user",
        "add_group",
        "change_group",
        "add_membership",
        "change_membership",
    )


def everything() -> list[str]:
    return [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]


def test_somebody_who_may_change_groups_gives_them_no_rights(helper: Client, bob: User) -> None:
    group = Group.objects.create(name="Reviewers")
    bob.groups.add(group)

    for address in (f"/admin/auth/group/{group.pk}/change/", "/admin/auth/group/add/"):
        response = helper.post(address, {"name": f"Renamed by {address[18:21]}", "permissions": everything()})
        assert response.status_code == 302

    assert Group.objects.filter(name__startswith="Renamed").count() == 2
    assert not Permission.objects.filter(group__isnull=False).exists()


def test_a_superuser_gives_a_group_its_rights(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)

    client.post("/admin/auth/group/add/", {"name": "Reviewers", "permissions": everything()[:2]})

    assert Group.objects.get().permissions.count() == 2


def takeovers(person: User) -> list[tuple[str, dict[str, str]]]:
    """Every way to become somebody: another password, another address, no second factor, being gone."""
    base = f"/admin/accounts/user/{person.pk}"
    return [
        (f"{base}/password/", {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}),
        (f"{base}/change/", {"email": "bob@evil.example", "name": "", "is_active": "on"}),
        (f"{base}/second-factor/", {}),
        (f"{base}/delete/", {"post": "yes"}),
    ]


def refused(client: Client, person: User) -> list[int]:
    before = (person.email, person.password, person.is_active)
    statuses = [client.post(address, form).status_code for address, form in takeovers(person)]
    person.refresh_from_db()
    assert (person.email, person.password, person.is_active) == before
    return statuses


def by_permission(person: User) -> None:
    person.user_permissions.add(Permission.objects.get(codename="view_event"))


def by_group(person: User) -> None:
    group = Group.objects.create(name="Reviewers")
    group.permissions.add(Permission.objects.get(codename="view_report"))
    person.groups.add(group)


def as_superuser(person: User) -> None:
    person.is_superuser = True
    person.save()


def deactivated(person: User) -> None:
    by_permission(person)
    person.is_active = False
    person.save()


def by_organisation(person: User) -> None:
    person.join(Organisation.objects.create(name="Contoso"))


def by_review(person: User) -> None:
    person.reviewed.add(Organisation.objects.create(name="Contoso"))


@pytest.mark.parametrize("more", [by_permission, by_group, as_superuser, deactivated, by_organisation, by_review])
def test_nobody_takes_over_somebody_who_has_more(helper: Client, alice: User, more: object) -> None:
    assert callable(more)
    more(alice)

    assert refused(helper, alice) == [403, 403, 403, 403]


def test_somebody_with_the_same_rights_may_be_changed(helper: Client, alice: User) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="add_user"))
    (address, form), *_others = takeovers(alice)

    assert helper.post(address, form).status_code == 302

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_people_of_other_organisations_are_not_there(helper: Client, charlie: User) -> None:
    assert refused(helper, charlie) == [404, 302, 404, 403]
    assert "charlie" not in helper.get("/admin/accounts/user/").content.decode()


def test_a_reviewer_adds_people_to_the_organisations_given_to_them_alone(
    helper: Client, bob: User, charlie: User
) -> None:
    form = {"email": "dora@example.org", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    page = helper.get("/admin/accounts/user/add/").content.decode()
    refusal = helper.post("/admin/accounts/user/add/", form | {"organisation": str(charlie.organisation.pk)})
    done = helper.post("/admin/accounts/user/add/", form | {"organisation": str(bob.organisation.pk)})

    assert str(charlie.organisation.pk) not in page
    assert b"not one of the available choices" in refusal.content
    assert done.status_code == 302
    assert list(User.objects.get(email="dora@example.org").organisations.all()) == [bob.organisation]


def test_a_reviewer_moves_nobody_into_another_organisation(helper: Client, alice: User, charlie: User) -> None:
    membership = alice.memberships.get()
    form = {"email": alice.email, "name": alice.name, "is_active": "on", "memberships-TOTAL_FORMS": "1"}
    form |= {"memberships-INITIAL_FORMS": "1", "memberships-0-id": str(membership.pk)}
    form |= {"memberships-0-user": str(alice.pk), "memberships-0-organisation": str(charlie.organisation.pk)}

    response = helper.post(f"/admin/accounts/user/{alice.pk}/change/", form)

    assert b"not one of the available choices" in response.content
    assert alice.organisation.name == "Acme"


def test_a_superuser_gives_organisations_on_the_page_of_a_person(client: Client, admin_user: User, bob: User) -> None:
    client.force_login(admin_user)
    membership = bob.memberships.get()
    form = {"email": bob.email, "name": bob.name, "is_active": "on", "is_staff": "on"}
    form |= {"reviewed": str(bob.organisation.pk), "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1"}
    form |= {"memberships-0-id": str(membership.pk), "memberships-0-user": str(bob.pk)}
    form |= {"memberships-0-organisation": str(bob.organisation.pk)}

    assert client.post(f"/admin/accounts/user/{bob.pk}/change/", form).status_code == 302

    assert list(bob.reviewed.all()) == [bob.organisation]


def test_nobody_gives_organisations_to_themselves(helper: Client, bob: User, charlie: User) -> None:
    membership = bob.memberships.get()
    form = {"email": bob.email, "name": "Robert", "is_active": "on", "reviewed": str(charlie.organisation.pk)}
    form |= {"is_superuser": "on", "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1"}
    form |= {"memberships-0-id": str(membership.pk), "memberships-0-user": str(bob.pk)}
    form |= {"memberships-0-organisation": str(bob.organisation.pk)}

    assert helper.post(f"/admin/accounts/user/{bob.pk}/change/", form).status_code == 302

    bob.refresh_from_db()
    assert (bob.name, bob.is_superuser, list(bob.reviewed.all())) == ("Robert", False, [bob.organisation])


def test_a_reviewer_sees_the_organisation_that_they_make(bob: User) -> None:
    client = with_rights(bob, "add_organisation", "view_organisation")

    client.post("/admin/accounts/organisation/add/", {"name": "New"})

    assert bob.reviewed.get().name == "New"
    assert "New" in client.get("/admin/accounts/organisation/").content.decode()


@pytest.mark.parametrize("asked", ["organisations__name__startswith=C", "organisations__id__exact={pk}", "q=Contoso"])
def test_a_list_does_not_tell_to_which_other_organisations_somebody_belongs(
    bob: User, alice: User, charlie: User, asked: str
) -> None:
    alice.join(charlie.organisation)
    bob.reviewed.add(bob.organisation)
    client = with_rights(bob, "view_user")

    response = client.get(f"/admin/accounts/user/?{asked.format(pk=charlie.organisation.pk)}")

    assert response.status_code == 400 or "alice@example.org" not in response.content.decode()


@pytest.mark.parametrize("asked", ["created_by__password__startswith=m", "created_by__email__startswith=a"])
def test_what_a_row_leads_to_is_not_guessed_letter_by_letter(bob: User, asked: str) -> None:
    assert with_rights(bob, "view_submission").get(f"/admin/answers/submission/?{asked}").status_code == 400
