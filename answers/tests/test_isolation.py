"""Somebody else's submission is the very same as none; who is not signed in is asked to."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from answers import sections, views
from answers.models import Submission
from answers.requests import PersonRequest, find
from answers.submissions import delete_draft
from answers.tests.conftest import Save

NOBODYS = UUID(int=7)
PATHS = ["", "sections/controls/", "review/", "submit/", "reopen/", "delete/"]


def shown(response: HttpResponse) -> tuple[int, str]:
    """Status and page, without the token and nonces that differ each time."""
    return response.status_code, re.sub(r'value="[A-Za-z0-9]{64}"', "", response.content.decode())


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, "get") for path in PATHS] + [(path, "post") for path in PATHS if path not in ("", "review/")],
)
def test_a_strangers_submission_looks_like_none(
    charlie_client: Client, complete: Submission, path: str, method: str
) -> None:
    theirs = getattr(charlie_client, method)(f"/submissions/{complete.pk}/{path}")
    nobodys = getattr(charlie_client, method)(f"/submissions/{NOBODYS}/{path}")

    assert theirs.status_code == 404
    assert shown(theirs)[1].replace(str(complete.pk), str(NOBODYS)) == shown(nobodys)[1]
    complete.refresh_from_db()
    assert (complete.state, complete.revision) == ("draft", 1)


def test_the_autosave_of_a_strangers_submission_looks_like_none(charlie_client: Client, complete: Submission) -> None:
    body = '{"changes": [{"question": "mfa", "value": "N", "version": 1}]}'
    replies = [
        charlie_client.post(f"/submissions/{each}/answers/", body, content_type="application/json")
        for each in (complete.pk, NOBODYS)
    ]

    assert [reply.status_code for reply in replies] == [404, 404]
    assert complete.values["mfa"] == "F"


@pytest.mark.parametrize("path", PATHS)
def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client, complete: Submission, path: str) -> None:
    response = client.get(f"/submissions/{complete.pk}/{path}")

    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next=/submissions/{complete.pk}/{path}"


@pytest.mark.parametrize("path", ["/questionnaires/", "/questionnaires/small/start/"])
def test_the_list_and_starting_need_a_person(client: Client, small: object, path: str) -> None:
    assert client.post(path)["Location"] == f"/accounts/login/?next={path}"


def test_the_list_shows_the_organisations_submissions_and_no_others(
    alice_client: Client, bob_client: Client, charlie_client: Client, draft: Submission, save: Save
) -> None:
    listed = [len(each.get("/questionnaires/").context["mine"]) for each in (alice_client, bob_client, charlie_client)]

    assert listed == [1, 1, 0]


def test_a_person_of_two_organisations_sees_each_submission_once(
    alice: User, charlie: User, alice_client: Client, draft: Submission
) -> None:
    alice.join(charlie.organisation)

    assert len(alice_client.get("/questionnaires/").context["mine"]) == 1


def test_a_person_without_an_organisation_is_told(alice: User, alice_client: Client, small: object) -> None:
    alice.memberships.all().delete()

    page = alice_client.post("/questionnaires/small/start/", follow=True).content.decode()

    assert "You belong to no organisation" in page
    assert "Ask an administrator to add you to one" in page
    assert ">Start<" not in page
    assert not Submission.objects.exists()


@pytest.mark.parametrize("path", ["submit/", "reopen/", "delete/", "sections/controls/"])
def test_a_draft_that_a_colleague_deletes_at_the_same_moment_is_not_found(
    alice_client: Client, bob: User, complete: Submission, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def find_just_before_it_goes(request: PersonRequest, submission_id: UUID) -> Submission:
        found = find(request, submission_id)
        delete_draft(submission_id, bob)
        return found

    for module in (views, sections):
        monkeypatch.setattr(module, "find", find_just_before_it_goes)

    assert alice_client.post(f"/submissions/{complete.pk}/{path}").status_code == 404
