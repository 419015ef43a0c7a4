"""What is there without signing in, and what is shown when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.client import AsyncClient
from django.urls import path
from pytest_django import Settings
from whitenoise.responders import StaticFile

from config.embedded.worker import EmbeddedWorker
from config.static_files import StaticFilesMiddleware
from config.urls import urlpatterns as product
from contracts import AnswerEvent

JSON = {"Accept": "application/json"}


def _forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def _broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret")


urlpatterns = [*product, path("forbidden/", _forbidden), path("broken/", _broken)]
handler403 = "config.views.permission_denied"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
BROKEN_ADDRESSES = pytest.mark.urls(__name__)


class _StoppedWorker:
    is_alive = False


@pytest.mark.django_db
def test_the_start_page_is_there_for_everybody(client: Client) -> None:
    response = client.get("/")

    assert response.status_code == 200
    assert "Plumbline" in response.content.decode()


def test_a_page_that_names_no_icon_gets_one(client: Client) -> None:
    response = client.get("/favicon.ico")

    assert (response.status_code, response["Location"]) == (302, "/static/img/favicon.svg")


def test_health_is_green_while_the_process_serves_and_asks_nobody_else(client: Client) -> None:
    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "worker": {"ok": True, "embedded": False}}
    assert "no-store" in response["Cache-Control"]


def test_health_is_red_when_the_worker_of_this_process_has_stopped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedWorker, "running", _StoppedWorker())

    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["worker"] == {
        "ok": False,
        "embedded": True,
        "problem": "the worker has stopped; start Plumbline again",
    }


def test_an_events_schema_is_served_under_the_address_that_the_event_names(client: Client) -> None:
    response = client.get(AnswerEvent.dataschema())

    assert response.status_code == 200
    assert response["Content-Type"] == "application/schema+json"
    assert response.json() == AnswerEvent.json_schema()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["AnswerEvent.v0", "Nobody.v1"])
def test_an_unknown_schema_is_not_there(client: Client, name: str) -> None:
    assert client.get(f"/schemas/{name}.json").status_code == 404


@pytest.mark.django_db
def test_what_is_not_there_is_said_to_people_as_a_page_and_to_programs_as_json(client: Client) -> None:
    page, answer = client.get("/nowhere/"), client.get("/nowhere/", headers=JSON)

    assert page.status_code == answer.status_code == 404
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "There is nothing here" in page.content.decode()
    assert answer.json() == {"error": "There is nothing here."}


@BROKEN_ADDRESSES
@pytest.mark.django_db
def test_what_is_forbidden_is_said_so(client: Client) -> None:
    page, answer = client.get("/forbidden/"), client.get("/forbidden/", headers=JSON)

    assert page.status_code == answer.status_code == 403
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert answer.json() == {"error": "You may not do this."}


@BROKEN_ADDRESSES
def test_an_error_is_shown_without_its_reason_and_without_the_database(client: Client) -> None:
    client.raise_request_exception = False

    page, answer = client.get("/broken/"), client.get("/broken/", headers=JSON)

    assert page.status_code == answer.status_code == 500
    assert "Something went wrong on our side" in page.content.decode()
    assert "secret" not in page.content.decode()
    assert answer.json() == {"error": "Something went wrong on our side. Please try again."}


@pytest.mark.django_db
def test_a_form_that_was_not_sent_from_our_page_is_refused(settings: Settings) -> None:
    client = Client(enforce_csrf_checks=True)

    page, answer = client.post("/accounts/login/"), client.post("/accounts/login/", headers=JSON)

    assert page.status_code == answer.status_code == 403
    assert "open too long" in page.content.decode()
    assert "open for too long" in answer.json()["error"]


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    response = client.get("/", headers={"Host": "evil.example.com"})

    assert response.status_code == 400
    assert "Plumbline does not answer at evil.example.com." in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "headers", "status"),
    [
        ("secret=" + "x" * 3_000_000, {}, 413),
        ("&".join(["secret=x"] * 4001), {}, 413),
    ],
    ids=["too large", "too many fields"],
)
def test_what_is_refused_by_its_shape_is_no_news_for_the_operator(
    caplog: pytest.LogCaptureFixture, form: str, headers: dict[str, str], status: int
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")

    response = client.post("/accounts/login/", form, content_type="application/x-www-form-urlencoded", headers=headers)

    assert response.status_code == status
    assert caplog.records == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/nowhere/", "/accounts/login/", "/health", "/static/img/logo.svg"])
def test_every_answer_forbids_inline_scripts_and_styles(client: Client, address: str) -> None:
    policy = client.get(address)["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy + ";"
    assert "style-src 'self';" in policy + ";"
    assert "unsafe" not in policy


@pytest.mark.django_db
async def test_static_files_are_served_by_the_asynchronous_server_without_a_warning(
    async_client: AsyncClient,
) -> None:
    response = await async_client.get("/static/css/plumbline.css")

    assert response.status_code == 200
    assert response["Content-Type"] == 'text/css; charset="utf-8"'
    assert int(response["Content-Length"]) == len(response.content)
    unchanged = await async_client.get("/static/css/plumbline.css", headers={"If-None-Match": response["ETag"]})
    assert unchanged.status_code == 304


@pytest.mark.django_db  # closing what is streamed ends the request for Django, which looks after its connections
def test_a_static_file_that_was_replaced_since_the_start_comes_whole(tmp_path: Path) -> None:
    path = tmp_path / "style.css"
    path.write_text("short")
    file = StaticFile(str(path), [])
    path.write_text("longer than before")

    response = StaticFilesMiddleware.serve(file, RequestFactory().get("/static/style.css"))

    assert (response.content, response["Content-Length"]) == (b"longer than before", "18")
