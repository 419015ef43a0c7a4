"""The address that `autosave.js` posts to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Answer, Submission
from answers.submissions import submit
from answers.tests.conftest import Save
from eventbus.models import Event


def post(client: Client, submission: Submission, *changes: dict[str, Any]) -> Any:
    return post_raw(client, submission, json.dumps({"changes": changes}))


def post_raw(client: Client, submission: Submission, body: str | bytes) -> Any:
    return client.post(f"/submissions/{submission.pk}/answers/", body, content_type="application/json")


def change(question: str, value: object, version: int = 0, note: str = "") -> dict[str, Any]:
    return {"question": question, "value": value, "note": note, "version": version}


def test_an_answer_is_saved_and_the_page_told_how_far_it_is(alice_client: Client, draft: Submission) -> None:
    response = post(alice_client, draft, change("exposed", "yes"))

    document = response.json()
    assert response.status_code == 200
    assert document["revision"] == 1
    assert document["answers"]["exposed"]["version"] == 1
    assert document["visible"] == ["exposed", "vpn", "site", "people", "since", "mfa", "backup", "wall", "plan"]
    assert document["open"] == ["mfa", "backup", "wall", "plan"]
    assert document["progress"] == {
        "answered": 1,
        "visible": 9,
        "minutes_left": 8,
        "text": "1 of 9 answered, about 8 minutes left",
    }
    assert draft.values == {"exposed": "yes"}


def test_what_the_page_is_told_it_saw_is_no_change_when_the_form_comes(alice_client: Client, draft: Submission) -> None:
    seen = post(alice_client, draft, change("mfa", "F")).json()["answers"]["mfa"]["seen"]

    posted = {"mfa:value": "F", "mfa:note": "", "mfa:version": "0", "mfa:seen": seen}
    response = alice_client.post(f"/submissions/{draft.pk}/sections/controls/", posted)

    assert response.status_code == 302
    assert Submission.objects.get().revision == 1


def test_a_conflict_tells_what_the_answer_is_now_and_from_whom(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(bob, mfa="F")

    response = post(alice_client, draft, change("mfa", "P"), change("backup", "L"))

    (conflict,) = response.json()["conflicts"]
    assert response.status_code == 409
    assert {name: conflict[name] for name in ("question", "value", "note", "version", "text", "yours", "by")} == {
        "question": "mfa",
        "value": "F",
        "note": "",
        "version": 1,
        "text": "Fully",
        "yours": "Partly",
        "by": "Bob",
    }
    assert conflict["url"] == f"/submissions/{draft.pk}/sections/controls/#q-mfa"
    assert draft.values == {"mfa": "F", "backup": "L"}


def test_a_wrong_answer_is_refused_in_words(alice_client: Client, draft: Submission) -> None:
    response = post(alice_client, draft, change("backup", "F"), change("people", "many"))

    assert response.status_code == 400
    assert response.json()["errors"] == {"people": "Enter a number, for example 12 or 2.5."}
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        " ",
        "{",
        "[]",
        "null",
        '"changes"',
        '{"changes": []}',
        '{"changes": [{}]}',
        '{"changes": [{"question": "mfa", "value": "F"}]}',
        '{"changes": [{"question": "mfa", "value": "F", "version": "0"}]}',
        '{"changes": [{"question": "mfa", "value": "F", "version": -1}]}',
        '{"changes": [{"question": "mfa", "value": "F", "version": 1e99}]}',
        '{"changes": [{"question": "mfa", "value": "F", "version": 0, "more": 1}]}',
        '{"changes": [{"question": 7, "value": "F", "version": 0}]}',
        '{"changes": [{"question": "mfa", "value": "F", "version": 0, "note": null}]}',
        '{"changes": [{"question": "mfa", "value": "\\ud800", "version": 0}]}',
        '{"changes": [{"question": "mfa", "value": NaN, "version": 0}]}',
        '{"changes": [{"question": "people", "value": NaN, "version": 0}]}',
        '{"changes": [{"question": "people", "value": 1e999, "version": 0}]}',
        '{"changes": [{"question": "mfa", "value": {"not_applicable": 7}, "version": 0}]}',
        '{"changes": [{"question": "vpn", "value": [["vpn"]], "version": 0}]}',
        '{"changes": [{"question": "\\u0000", "value": "F", "version": 0}]}',
        '{"changes": [{"question": "site", "value": "a\\u0000b", "version": 0}]}',
        '{"changes": [{"question": "site", "value": ' + "[" * 5_000 + "]" * 5_000 + ', "version": 0}]}',
        b'{"changes": [{"question": "site", "value": "\xff", "version": 0}]}',
    ],
)
def test_what_is_malformed_is_refused_and_nothing_is_stored(
    alice_client: Client, draft: Submission, body: str | bytes
) -> None:
    response = post_raw(alice_client, draft, body)

    assert response.status_code == 400
    assert response.json()["message"]
    assert not Answer.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("size", [300_000, 3_000_000])
def test_huge_json_is_refused(alice_client: Client, draft: Submission, size: int) -> None:
    response = post(alice_client, draft, change("site", "x" * size))

    assert response.status_code == 413
    assert not Answer.objects.exists()


def test_signed_out_is_said_in_json(client: Client, draft: Submission) -> None:
    response = post(client, draft, change("mfa", "F"))

    assert response.status_code == 401
    assert response.json() == {
        "error": "signed_out",
        "message": "You are signed out. Sign in in another tab: nothing is lost.",
    }


def test_a_submitted_one_is_closed(alice_client: Client, complete: Submission, alice: User) -> None:
    submit(complete.pk, alice)

    response = post(alice_client, complete, change("mfa", "N", 1))

    assert (response.status_code, response.json()["error"]) == (409, "submitted")
    assert complete.values["mfa"] == "F"


def test_without_the_csrf_token_nothing_is_saved(alice: User, draft: Submission) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert post(strict, draft, change("mfa", "F")).status_code == 403
    assert not Answer.objects.exists()


def test_a_form_instead_of_json_is_refused(alice: User, draft: Submission) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    strict.get(f"/submissions/{draft.pk}/")
    token = strict.cookies["csrftoken"].value

    response = strict.post(f"/submissions/{draft.pk}/answers/", {"csrfmiddlewaretoken": token, "changes": "[]"})

    assert response.status_code == 415
