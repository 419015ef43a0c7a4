"""The one-time link that makes the first administrator."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

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
    assert response.headers["Location"] == "/accounts/first-steps/"
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

    stranger = Client()
    for response in (stranger.get(path), stranger.post(path, FORM | {"email": "eve@example.org"})):
        page = response.content.decode()
        assert response.status_code == 410
        assert "This link was used already" in page
        assert 'href="/accounts/login/?next=/accounts/first-steps/"' in page
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_who_made_the_administrator_is_led_on_by_the_used_link(client: Client) -> None:
    path = fresh_link()
    client.post(path, FORM)

    for response in (client.get(path), client.post(path, FORM)):
        assert response.headers["Location"] == "/accounts/first-steps/"


@pytest.mark.django_db
@pytest.mark.parametrize("used", [False, True])
def test_a_wrong_link_is_no_page_and_tells_nothing(client: Client, used: bool) -> None:
    path = fresh_link()
    if used:
        Client().post(path, FORM)

    response = client.get("/accounts/setup/wrong/")

    assert response.status_code == 404
    assert b"administrator" not in response.content


@pytest.mark.django_db
def test_a_newer_link_replaces_the_older(client: Client) -> None:
    older, newer = fresh_link(), fresh_link()

    response = client.get(older)
    assert response.status_code == 410
    assert "Only the newest link makes the first administrator." in response.content.decode()
    assert client.post(older, FORM).status_code == 410
    assert client.get(newer).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (61, 410)])
def test_a_link_works_for_its_hours(client: Client, settings: Settings, minutes: int, status: int) -> None:
    settings.SETUP_LINK_HOURS = 1
    path = fresh_link()
    SetupLink.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))

    assert client.get(path).status_code == status


@pytest.mark.django_db
def test_a_link_that_is_too_old_says_how_to_get_a_new_one_and_makes_nobody(client: Client) -> None:
    path = fresh_link()
    SetupLink.objects.update(created_at=timezone.now() - timedelta(hours=25))

    response = client.post(path, FORM)

    assert response.status_code == 410
    assert "It worked for 24 hours, and nobody used it." in response.content.decode()
    assert "manage.py first_administrator" in response.content.decode()
    assert not User.objects.exists()
    with pytest.raises(setup.SetupLinkUsedError):
        setup.use(path.split("/")[-2], email="eve@example.org", password="x", organisation="Evil")
    assert client.get(fresh_link()).status_code == 200


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

    assert client.post(path, FORM).status_code == 410
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


@pytest.mark.django_db
def test_the_first_steps_say_what_to_do_about_mail_people_and_the_administration(
    client: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "config.embedded.mail.TerminalAndFolderBackend"

    page = client.post(fresh_link(), FORM, follow=True).content.decode()

    assert "No mail goes out yet." in page
    assert "EMAIL_URL=smtp+tls://" in page
    assert 'href="/admin/accounts/user/add/"' in page
    assert "SIGNUP=closed" in page
    assert 'href="/admin/"' in page
    assert 'href="/accounts/2fa/"' in page


@pytest.mark.django_db
def test_the_first_steps_follow_the_settings(client: Client, admin_user: User, settings: Settings) -> None:
    client.force_login(admin_user)
    settings.SIGNUP, settings.SECOND_FACTOR = "closed", "administrators"

    page = client.get("/accounts/first-steps/").content.decode()

    assert "Mail is set up" in page
    assert "Sign-up is closed: you add people" in page
    assert "switch yours on first" in page


@pytest.mark.django_db
def test_the_first_steps_are_for_administrators(client: Client, alice_client: Client) -> None:
    assert alice_client.get("/accounts/first-steps/").status_code == 404
    assert client.get("/accounts/first-steps/").headers["Location"].startswith("/accounts/login/?next=")
