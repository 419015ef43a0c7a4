"""The log as it is configured: ids in every line, and never what a customer wrote."""

from __future__ import annotations

import copy
import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as product
from django.db import IntegrityError
from django.test import Client

from accounts.models import User
from answers.models import Answer, Submission
from answers.submissions import start
from contracts import AnswerEvent
from eventbus.subscriptions import registry
from questionnaires.definition import Questionnaire

SECRET = "the vault opens with a pick"
TOKEN = "S3tUpL1nkT0kenThatMakesAnAdministrator"

Lines = Callable[[], str]


@pytest.fixture(params=["json", "text"])
def format_of_log(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def log(format_of_log: str) -> Iterator[Lines]:
    """The product's own configuration at its most talkative, written to where a test can read it."""
    stream = io.StringIO()
    wanted: dict[str, Any] = copy.deepcopy(product.LOGGING)
    wanted["handlers"]["terminal"] |= {"formatter": format_of_log, "stream": stream}
    wanted["root"]["level"] = wanted["loggers"]["django"]["level"] = "DEBUG"
    before = logging.root.handlers[:], logging.root.level
    logging.config.dictConfig(wanted)
    yield stream.getvalue
    logging.config.dictConfig(product.LOGGING)
    logging.root.handlers[:], logging.root.level = before[0], before[1]


def _save(client: Client, submission: Submission, request_id: UUID) -> int:
    change = {"question": "QC-06", "value": "N", "note": SECRET, "version": 0}
    response = client.post(
        f"/submissions/{submission.pk}/answers/",
        json.dumps({"changes": [change]}),
        content_type="application/json",
        headers={"X-Request-ID": str(request_id)},
    )
    return response.status_code


@pytest.mark.django_db(transaction=True)
def test_a_save_with_a_secret_note_leaves_ids_in_the_log_and_nothing_else(
    log: Lines,
    format_of_log: str,
    alice: User,
    alice_client: Client,
    quick_check: Questionnaire,
    deliver_all: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(event: AnswerEvent) -> None:
        logging.getLogger("answers").info("handling %s", event.key)
        note = Answer.objects.get(question="QC-06").note
        raise IntegrityError(f"DETAIL: Failing row contains ({note})")

    monkeypatch.setitem(registry, "security.evaluate", replace(registry["security.evaluate"], handler=refuse))
    request_id = uuid4()
    submission = start(alice, "quick-check")

    assert _save(alice_client, submission, request_id) == 200
    deliver_all()

    assert Answer.objects.get(question="QC-06").note == SECRET
    assert "security.evaluate failed at attempt 1" in log()
    assert str(request_id) in log()
    assert SECRET not in log()
    assert "vault" not in log()
    if format_of_log == "json":
        lines = [json.loads(line) for line in log().splitlines()]
        handling, *_retries = [line for line in lines if line["message"] == f"handling {submission.pk}"]
        assert handling["correlation_id"] == str(request_id)
        assert UUID(handling["event_id"])
        assert "request_id" not in handling
        assert (handling["level"], handling["logger"]) == ("INFO", "answers")


@pytest.mark.django_db
def test_an_error_in_a_request_is_logged_by_kind_and_place(
    log: Lines,
    format_of_log: str,
    alice: User,
    alice_client: Client,
    quick_check: Questionnaire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object) -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ZeroDivisionError(SECRET) from error

    alice_client.raise_request_exception = False
    monkeypatch.setattr("answers.autosave.save_answers", fail)
    request_id = uuid4()

    assert _save(alice_client, start(alice, "quick-check"), request_id) == 500

    assert SECRET not in log()
    if format_of_log == "json":
        (line,) = [found for found in map(json.loads, log().splitlines()) if found["level"] == "ERROR"]
        assert (line["request_id"], line["correlation_id"]) == (str(request_id), str(request_id))
        assert line["error"] == "ZeroDivisionError"
        assert "caused by KeyError" in line["traceback"]
        assert any("test_logs.py" in place and "in fail" in place for place in line["traceback"])
        assert line["time"].endswith("+00:00")
    else:
        assert "ZeroDivisionError\n" in log()
        assert "caused by KeyError\n" in log()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"/accounts/setup/{TOKEN}/", "/accounts/setup/.../"),
        (f"/accounts/password/reset/key/3-{TOKEN}/", "/accounts/password/reset/key/.../"),
        (f"/accounts/confirm-email/{TOKEN}", "/accounts/confirm-email/..."),
        ("/accounts/password/reset/key/done/", "/accounts/password/reset/key/done/"),
        ("/reports/00000000-0000-4000-8000-000000000001/", "/reports/00000000-0000-4000-8000-000000000001/"),
    ],
)
def test_the_token_of_a_one_time_link_is_blotted(log: Lines, address: str, shown: str) -> None:
    logging.getLogger("django.request").error("Internal Server Error: %s", address)

    assert f"Internal Server Error: {shown}" in log()
    assert TOKEN not in log()


def test_what_sockets_carry_is_not_logged_however_talkative_the_server_is(log: Lines) -> None:
    server = logging.getLogger("uvicorn.error")
    before = server.level
    server.setLevel("DEBUG")  # as `uvicorn --log-level debug` does
    try:
        server.debug("< cookie: sessionid=%s", TOKEN)
        server.debug('< TEXT \'{"note": "%s"}\'', SECRET)
        server.info("Application shutdown complete.")
    finally:
        server.setLevel(before)

    assert "Application shutdown complete." in log()
    assert TOKEN not in log()
    assert SECRET not in log()


def test_a_message_of_several_lines_is_one_line_of_json() -> None:
    from config.logs import JsonFormatter

    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "first\nsecond %s", ("ü",), None)

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "first\nsecond ü"
    assert "correlation_id" not in json.loads(line)
