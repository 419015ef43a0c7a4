"""The one-time link that makes the first administrator."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client

from accounts import setup
from accounts.models import Organisation, SetupLink, User

FORM = {"email": "Ada@example.org", "password": "several plain words", "organisation": "Acme"}


def fresh_link() -> str:
    """The path of a new link."""
    path = setup.create_setup_link()
    assert path
    return path


@pytest.mark.django_db
def test_the_link_makes_an_administrator_and_signs_them_in(client: Client) -> None:
    path = fresh_link()
    assert client.get(path).status_code == 200

    response = client.post(path, FORM)

    ada = User.objects.get()
    assert response.headers["Location"] == "/questionnaires/"
    assert client.session["_auth_user_id"] == str(ada.pk)
    assert (ada.email, ada.is_staff, ada.is_superuser) == ("ada@example.org", True, True)
    assert ada.organisation.name == "Acme"
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_the_administrator_signs_in_again_with_the_password(client: Client) -> None:
    client.post(fresh_link(), FORM)

    response = Client().post("/accounts/login/", {"login": "ada@example.org", "password": FORM["password"]})

    assert response.headers["Location"] == "/questionnaires/"


@pytest.mark.django_db
def test_the_link_works_once(client: Client) -> None:
    path = fresh_link()
    client.post(path, FORM)

    assert client.get(path).status_code == 404
    assert client.post(path, FORM | {"email": "eve@example.org"}).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_wrong_link_is_no_page(client: Client) -> None:
    fresh_link()

    assert client.get("/accounts/setup/wrong/").status_code == 404


@pytest.mark.django_db
def test_a_newer_link_replaces_the_older(client: Client) -> None:
    older, newer = fresh_link(), fresh_link()

    assert client.get(older).status_code == 404
    assert client.get(newer).status_code == 200


@pytest.mark.django_db
def test_only_a_digest_is_stored() -> None:
    token = fresh_link().split("/")[-2]

    stored = SetupLink.objects.get().digest
    assert len(stored) == 64
    assert token not in stored


@pytest.mark.django_db
def test_with_an_administrator_there_is_no_link(admin_user: User) -> None:
    assert setup.create_setup_link() is None
    assert not SetupLink.objects.exists()


@pytest.mark.django_db
def test_when_the_only_administrator_is_switched_off_there_is_a_link_again(admin_user: User) -> None:
    User.objects.update(is_active=False)

    assert setup.create_setup_link()


@pytest.mark.django_db
def test_an_open_link_dies_when_an_administrator_comes_by_another_way(client: Client) -> None:
    path = fresh_link()
    User.objects.create_superuser("root@example.org", "several plain words")

    assert client.post(path, FORM).status_code == 404
    with pytest.raises(setup.SetupLinkUsedError):
        setup.use(path.split("/")[-2], email="eve@example.org", password="x", organisation="Evil")
    assert not User.objects.filter(email="eve@example.org").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"password": "ada@example.org"}, "too similar"),
        ({"email": "no address"}, "valid email address"),
        ({"email": "ALICE@example.org"}, "already signed up"),
        ({"organisation": ""}, "This field is required"),
    ],
)
def test_a_mistake_is_explained_and_uses_nothing_up(
    client: Client, alice: User, change: dict[str, str], complaint: str
) -> None:
    path = fresh_link()

    response = client.post(path, FORM | change)

    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert not User.objects.filter(is_superuser=True).exists()
    assert not Organisation.objects.filter(name="Acme").exclude(pk=alice.organisation.pk).exists()
    assert client.post(path, FORM).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_uses_one_makes_the_administrator() -> None:
    token = fresh_link().split("/")[-2]
    start = threading.Barrier(4)
    made: list[str] = []
    refused: list[str] = []

    def use(email: str) -> None:
        start.wait()
        try:
            made.append(setup.use(token, email=email, password="several plain words", organisation="Acme").email)
        except setup.SetupLinkUsedError:
            refused.append(email)
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(f"{number}@example.org",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused)) == (1, 3)
    assert list(User.objects.values_list("email", flat=True)) == made
