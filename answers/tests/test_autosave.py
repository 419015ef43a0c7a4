"""The address that `autosave.js` posts to."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from answers.models import Answer, Submission
from answers.saving import Change, save_answers
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
        "visible": 5,
        "minutes_left": 8,
        "text": "1 of 5 answered, about 8 minutes left",
    }
    assert draft.values == {"exposed": "yes"}


def test_what_was_saved_by_itself_is_no_change_when_the_form_comes(alice_client: Client, draft: Submission) -> None:
    post(alice_client, draft, change("mfa", "F"))

    posted = {"mfa:value": "F", "mfa:note": "", "mfa:version": "0"}
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
        '{"changes": [{"question": "mfa", "version": 0}]}',
        '{"changes": [{"question": "mfa", "value_version": 0}]}',
        '{"changes": [{"question": "mfa", "value": "F", "note_version": 0}]}',
        '{"changes": [{"question": "mfa", "value": "F", "note": "", "value_version": 0}]}',
        '{"changes": [{"question": "mfa", "value": "F", "value_version": "0"}]}',
        '{"changes": [{"question": "mfa", "value": "F", "value_version": null, "version": 0}]}',
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


def by_part(question: str, **parts: object) -> dict[str, Any]:
    return {"question": question, **parts}


def test_a_note_alone_is_saved_beside_a_colleagues_newer_value(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(mfa="N")
    save(bob, mfa="F")

    response = post(alice_client, draft, by_part("mfa", note="ours", note_version=0))

    told = response.json()["answers"]["mfa"]
    assert response.status_code == 200
    assert [told[name] for name in ("version", "value_version", "note_version")] == [3, 2, 3]
    assert draft.values == {"mfa": "F"}
    assert draft.answers.get().note == "ours"


def test_a_conflict_names_its_parts_and_the_other_part_is_stored(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(mfa="N")
    save(bob, mfa="F")

    response = post(alice_client, draft, by_part("mfa", value="P", value_version=1, note="ours", note_version=0))

    (conflict,) = response.json()["conflicts"]
    answer = draft.answers.get()
    assert response.status_code == 409
    assert (answer.value, answer.note) == ("F", "ours")
    assert answer.value_at is not None
    assert answer.note_at is not None
    wanted = {
        "parts": ["value"],
        "value": "F",
        "note": "ours",
        "version": 3,
        "value_version": 2,
        "note_version": 3,
        "text": "Fully",
        "yours": "Partly",
        "mine": False,
        "by": "Bob",
        "at": answer.value_at.isoformat(),
        "value_by": "Bob",
        "value_at": answer.value_at.isoformat(),
        "note_by": "Alice",
        "note_at": answer.note_at.isoformat(),
    }
    assert {name: conflict[name] for name in wanted} == wanted


def test_a_conflict_with_ones_own_other_tab_is_said_to_be_so(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(bob, mfa="N")
    post(alice_client, draft, by_part("mfa", note="one tab", note_version=0))

    response = post(alice_client, draft, by_part("mfa", note="the other tab", note_version=0))

    (conflict,) = response.json()["conflicts"]
    assert (conflict["parts"], conflict["mine"], conflict["by"], conflict["value_by"]) == (
        ["note"],
        True,
        "Alice",
        "Bob",
    )


def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(alice_client: Client, draft: Submission) -> None:
    response = post(alice_client, draft, change("mfa", "F", 99), by_part("backup", value="F", value_version=1))

    conflicts = response.json()["conflicts"]
    assert response.status_code == 409
    assert [(each["question"], each["value"], each["note"], each["version"]) for each in conflicts] == [
        ("mfa", None, "", 0),
        ("backup", None, "", 0),
    ]
    assert [each["value_by"] for each in conflicts] == [None, None]
    assert not Answer.objects.exists()


def state_of(client: Client, submission: Submission, **headers: str) -> Any:
    return client.get(f"/submissions/{submission.pk}/answers/", headers=headers)


def test_a_page_that_is_open_can_look_at_how_the_answers_stand(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(exposed="no", mfa="F")
    save_answers(draft.pk, bob, [Change(question="mfa", note="theirs", base_note_version=0, base_value_version=1)])

    response = state_of(alice_client, draft)

    document, answer = response.json(), draft.answers.get(question="mfa")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert {name: document[name] for name in ("revision", "state", "submitted_by", "submitted_at")} == {
        "revision": 2,
        "state": "draft",
        "submitted_by": None,
        "submitted_at": None,
    }
    assert answer.value_at is not None
    assert answer.note_at is not None
    wanted = {
        "value": "F",
        "note": "theirs",
        "text": "Fully",
        "version": 2,
        "value_version": 1,
        "note_version": 2,
        "value_by": "Alice",
        "value_at": answer.value_at.isoformat(),
        "value_mine": True,
        "note_by": "Bob",
        "note_at": answer.note_at.isoformat(),
        "note_mine": False,
    }
    assert {name: document["answers"]["mfa"][name] for name in wanted} == wanted
    assert document["answers"]["exposed"]["note_by"] is None
    assert document["visible"] == ["exposed", "site", "people", "since", "mfa", "backup", "plan"]
    assert document["open"] == ["backup", "plan"]
    assert document["progress"]["text"] == "2 of 4 answered, about 5 minutes left"
    assert document["sections"] == {
        "about": {"answered": 1, "visible": 1, "status": "completed"},
        "controls": {"answered": 1, "visible": 3, "status": "in_progress"},
    }


def test_the_look_tells_who_submitted_and_when(bob_client: Client, complete: Submission, alice: User) -> None:
    submit(complete.pk, alice)

    document = state_of(bob_client, complete).json()

    complete.refresh_from_db()
    assert complete.submitted_at is not None
    assert (document["state"], document["submitted_by"], document["submitted_at"]) == (
        "submitted",
        "Alice",
        complete.submitted_at.isoformat(),
    )


def test_the_look_costs_the_same_number_of_queries_with_1_and_5_answers(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    counts = []
    for values in ({"mfa": "F"}, {"backup": "P", "wall": "P", "plan": "full", "site": "x"}):
        save(bob, **values)
        with CaptureQueriesContext(connection) as queries:
            state_of(alice_client, draft)
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("method", ["get", "head"])
def test_the_look_is_for_members_alone(
    client: Client, charlie_client: Client, bob_client: Client, alice: User, complete: Submission, method: str
) -> None:
    address, nobodys = f"/submissions/{complete.pk}/answers/", f"/submissions/{uuid4()}/answers/"

    assert getattr(client, method)(address).status_code == 401
    assert [getattr(charlie_client, method)(each).status_code for each in (address, nobodys)] == [404, 404]
    assert getattr(bob_client, method)(address, headers={"X-Person": str(alice.pk)}).status_code == 401
    assert getattr(bob_client, method)(address).status_code == 200
