"""A request for a host that is not ours: refused, and told to the operator with the setting that lets it in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from config import hosts
from config.environment import ROOT


@pytest.fixture(autouse=True)
def _nothing_seen() -> Iterator[None]:
    hosts.forget()
    yield
    hosts.forget()


@pytest.mark.parametrize(
    ("host", "setting"),
    [
        ("192.168.1.5:8000", "BASE_URL=http://192.168.1.5:8000"),
        ("server.example.org", "BASE_URL=http://server.example.org"),
        ("[fe80::1]:8000", "BASE_URL=http://[fe80::1]:8000"),
        ("server example", ""),
        ("<script>", ""),
        ("x\n2026 ERROR", ""),
        ("", ""),
    ],
)
def test_a_host_is_let_in_by_one_setting_and_what_is_none_by_none(host: str, setting: str) -> None:
    assert hosts.remedy(host) == setting


def test_where_people_use_another_address_already_a_host_is_added(settings: Settings) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://plumbline.example.org", ["plumbline.example.org"]

    assert hosts.remedy("10.0.0.7") == "ALLOWED_HOSTS=plumbline.example.org,10.0.0.7"


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("http://localhost:8000", ["localhost"]),
        ("https://plumbline.example.org", ["localhost", "plumbline.example.org"]),
        ("http://[fe80::1]:8000", ["localhost", "[fe80::1]"]),
        ("plumbline", ["localhost"]),
        ("http://[", ["localhost"]),
    ],
)
def test_the_host_of_base_url_is_answered_without_a_word(address: str, names: list[str]) -> None:
    assert hosts.with_host_of(address, ["localhost"]) == names


@pytest.mark.django_db
def test_the_page_and_the_log_say_what_to_set(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    page = client.get("/", headers={"host": "192.168.1.5:8000"})
    again = client.get("/", headers={"host": "192.168.1.5:8000", "accept": "application/json"})

    said = "Plumbline does not answer at 192.168.1.5:8000. Open http://localhost:8000."
    assert (page.status_code, again.status_code) == (400, 400)
    assert said in page.content.decode()
    assert "BASE_URL=http://192.168.1.5:8000" in page.content.decode()
    assert again.json()["error"].startswith(said)
    assert [record.getMessage() for record in caplog.records if record.name == "config.hosts"] == [
        "refused a request for the host 192.168.1.5:8000; to answer it, set BASE_URL=http://192.168.1.5:8000 and "
        "start again"
    ]


@pytest.mark.django_db
def test_strangers_do_not_learn_which_hosts_are_answered(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://plumbline.example.org", ["plumbline.example.org", "inside"]

    page = client.get("/", headers={"host": "10.0.0.7"}).content.decode()

    assert "Its log says which setting lets it in." in page
    assert "10.0.0.7" not in page
    assert "example.org" not in page
    assert "set ALLOWED_HOSTS=plumbline.example.org,inside,10.0.0.7 and" in caplog.text


@pytest.mark.django_db
def test_what_is_no_host_gets_into_neither_page_nor_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    page = client.get("/", headers={"host": "evil</p>\nERROR all is lost"})

    assert page.status_code == 400
    assert "evil" not in page.content.decode()
    assert [record.getMessage() for record in caplog.records if record.name == "config.hosts"] == [
        "refused a request for what is no name of a host"
    ]


@pytest.mark.django_db
def test_however_many_hosts_are_tried_the_log_stays_short(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(hosts.MOST + 20):
        client.get("/", headers={"host": f"host-{number}.example.org"})

    lines = [record.getMessage() for record in caplog.records if record.name == "config.hosts"]
    assert len(lines) == hosts.MOST + 2
    assert lines[-1] == "refused requests for 100 hosts; further ones are not logged"


SHOW = "from config import settings as s; print(s.HOST, s.BASE_URL, *s.ALLOWED_HOSTS)"
OWN = "localhost 127.0.0.1 [::1]"


@pytest.mark.process
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, f"127.0.0.1 http://localhost:8000 {OWN}"),
        ({"HOST": ""}, f"127.0.0.1 http://localhost:8000 {OWN}"),
        ({"HOST": "0.0.0.0"}, f"0.0.0.0 http://localhost:8000 {OWN}"),  # noqa: S104
        ({"HOST": "192.168.1.5"}, f"192.168.1.5 http://192.168.1.5:8000 {OWN} 192.168.1.5"),
        ({"HOST": "fd00::5", "PORT": "81"}, f"fd00::5 http://[fd00::5]:81 {OWN} [fd00::5]"),
        ({"BASE_URL": "https://a.example.org/"}, f"127.0.0.1 https://a.example.org {OWN} a.example.org"),
        ({"BASE_URL": "https://a.example.org", "ALLOWED_HOSTS": "b"}, "127.0.0.1 https://a.example.org b"),
    ],
)
def test_one_setting_is_enough(given: dict[str, str], shown: str) -> None:
    unset = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), "")  # whatever a developer's .env says
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", **unset, **given}

    done = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == (f"{shown}\n", "")
