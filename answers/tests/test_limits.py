"""How much a person and an organisation may do in a while: told with how long to wait, and nothing is lost."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from answers import lines
from answers.models import Line, Submission
from answers.saving import Change, save_answers
from answers.submissions import TooManyDrafts, start
from answers.tests.conftest import Save
from api import ids
from questionnaires.definition import Questionnaire
from throttling import buckets
from throttling.buckets import Throttled
from throttling.memory import InMemory
from throttling.rates import read

GRAPHQL_RESPONSE = "application/graphql-response+json"
SAVE = """
saveAnswers(input: {submission: %s, answers: [{question: %s, note: %s, expectedNoteVersion: 0}]}) { errors { code } }
"""


@pytest.fixture(autouse=True)
def _one_of_each(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each at once, and the next after half a minute, by a clock that stands still."""
    monkeypatch.setattr(buckets, "InMemory", lambda: InMemory(lambda: 100.0))
    buckets.forget()
    small = {"save-person", "submit-person", "start-person"}
    settings.THROTTLING = {**settings.THROTTLING, **{name: read("2/m,1") for name in small}}


@pytest.fixture
def draft(draft: Submission) -> Submission:
    """A draft whose start was long ago."""
    buckets.forget()
    return draft


def save_as(user: User, draft: Submission, note: str = "") -> None:
    save_answers(draft.pk, user, [Change(question="plan", note=note)])


def autosave(client: Client, draft: Submission) -> Any:
    change = {"question": "mfa", "value": "F", "version": 0}
    return client.post(
        f"/submissions/{draft.pk}/answers/", json.dumps({"changes": [change]}), content_type="application/json"
    )


def test_a_form_that_comes_too_soon_shows_what_was_typed_and_how_long_to_wait(
    alice_client: Client, alice: User, draft: Submission
) -> None:
    save_as(alice, draft)
    typed = {"mfa:value": "F", "mfa:note": "Since May", "mfa:version": "0"}

    refused = alice_client.post(f"/submissions/{draft.pk}/sections/controls/", typed)

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    page = refused.content.decode()
    assert "Wait 30 seconds, then save again. What you typed is still below." in page
    assert re.search(r'<input type="radio" name="mfa:value" value="F"[^>]* checked', page)
    assert "Since May</textarea>" in page
    assert draft.values == {}

    buckets.forget()
    assert alice_client.post(f"/submissions/{draft.pk}/sections/controls/", typed).status_code == 302
    assert draft.values == {"mfa": "F"}


def test_a_form_of_which_everything_is_saved_already_is_no_save(
    alice_client: Client, alice: User, draft: Submission
) -> None:
    save_as(alice, draft)
    assert alice_client.post(f"/submissions/{draft.pk}/sections/controls/", {"then": "overview"}).status_code == 302


def test_an_autosave_that_comes_too_soon_is_told_when_to_come_again(alice_client: Client, draft: Submission) -> None:
    assert autosave(alice_client, draft).status_code == 200

    refused = autosave(alice_client, draft)

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert refused.json() == {
        "error": "throttled",
        "message": "Too much was saved at once. This is saved by itself in 30 seconds; nothing is lost.",
    }


def ask(client: Client, query: str, accept: str) -> Any:
    return client.post(
        "/graphql", json.dumps({"query": query}), content_type="application/json", headers={"Accept": accept}
    )


def saving(draft: Submission, question: str) -> str:
    return SAVE % (json.dumps(ids.encode("Submission", draft.pk)), json.dumps(question), json.dumps("Since May"))


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
def test_a_mutation_that_comes_too_soon_is_told_when_to_come_again(
    alice_client: Client, alice: User, draft: Submission, accept: str
) -> None:
    save_as(alice, draft)

    refused = ask(alice_client, f"mutation {{ {saving(draft, 'mfa')} }}", accept)

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    (error,) = refused.json()["errors"]
    assert error["extensions"] == {"code": "THROTTLED", "retryAfter": 30}
    assert error["path"] == ["saveAnswers"]
    assert error["message"].endswith("Send it again in 30 seconds.")
    assert refused.json()["data"] == {"saveAnswers": None}


def test_what_was_done_of_a_request_is_told_beside_what_came_too_soon(alice_client: Client, draft: Submission) -> None:
    answer = ask(alice_client, f"mutation {{ a: {saving(draft, 'mfa')} b: {saving(draft, 'plan')} }}", GRAPHQL_RESPONSE)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": {"errors": []}, "b": None}
    assert answer.json()["errors"][0]["extensions"] == {"code": "THROTTLED", "retryAfter": 30}


def test_a_save_that_is_too_much_for_one_person_asks_the_database_nothing(
    alice: User, draft: Submission, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    save_as(alice, draft)
    with django_assert_num_queries(0), pytest.raises(Throttled):
        save_as(alice, draft)


def test_colleagues_share_the_limit_of_their_organisation_and_no_stranger_takes_of_it(
    alice: User, bob: User, charlie: User, draft: Submission, settings: Settings
) -> None:
    settings.THROTTLING = {**settings.THROTTLING, **{"save-person": None, "save-organisation": read("2/m,2")}}
    for _ in range(3):
        with pytest.raises(Submission.DoesNotExist):
            save_as(charlie, draft, "not mine")
    save_as(alice, draft)
    save_as(bob, draft)

    with pytest.raises(Throttled) as refused:
        save_as(bob, draft, "too soon")

    assert refused.value.retry_after == 30
    assert not draft.answers.exists()


def test_submitting_too_soon_keeps_what_was_sent_on_a_page_that_sends_it_again(
    alice_client: Client, complete: Submission, alice: User
) -> None:
    address = f"/submissions/{complete.pk}/submit/"
    buckets.take("submit-person", alice.pk)

    refused = alice_client.post(address, {"person": str(alice.pk)})

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert "no-store" in refused["Cache-Control"]
    page = refused.content.decode()
    assert "You can go on in 30 seconds; nothing is lost." in page
    assert f'<form method="post" action="{address}">' in page
    assert f'<input type="hidden" name="person" value="{alice.pk}">' in page
    complete.refresh_from_db()
    assert not complete.is_submitted


def test_starting_too_soon_keeps_the_name_that_was_typed(alice_client: Client, draft: Submission, alice: User) -> None:
    buckets.take("start-person", alice.pk)

    refused = alice_client.post("/questionnaires/small/start/", {"name": "Shop “Linz”"})

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert '<input type="hidden" name="name" value="Shop “Linz”">' in unescape(refused.content.decode())
    assert Line.objects.count() == 1


def test_a_program_that_submits_too_soon_gets_json(alice_client: Client, complete: Submission, alice: User) -> None:
    buckets.take("submit-person", alice.pk)

    refused = alice_client.post(f"/submissions/{complete.pk}/submit/", headers={"Accept": "application/json"})

    assert (refused.status_code, refused["Retry-After"]) == (429, "30")
    assert "You can go on in 30 seconds" in refused.json()["error"]


def test_evaluating_again_counts_as_submitting(alice_client: Client, draft: Submission, alice: User) -> None:
    buckets.take("submit-person", alice.pk)
    assert alice_client.post(f"/submissions/{draft.pk}/again/").status_code == 429


def test_a_line_with_many_drafts_is_renamed_and_then_the_organisation_waits(
    alice: User, draft: Submission, save: Save, settings: Settings
) -> None:
    save(mfa="F")
    settings.THROTTLING = {**settings.THROTTLING, **{"save-person": read("2/m,2"), "save-organisation": read("2/m,1")}}
    buckets.forget()
    lines.rename(draft.line_id, alice, "Linz")
    with pytest.raises(Throttled):
        save(backup="F")


def test_an_organisation_has_so_many_drafts_and_is_told_what_to_do(
    alice_client: Client, alice: User, charlie: User, draft: Submission, save: Save, settings: Settings
) -> None:
    settings.MAX_DRAFTS = 1
    assert start(alice, "small") == draft  # untouched: given again
    save(mfa="F")
    buckets.forget()

    refused = alice_client.post("/questionnaires/small/start/", {"name": "Linz"})

    assert refused.status_code == 409
    page = unescape(refused.content.decode())
    assert (
        "Your organisation has 1 drafts, and that is the most that it may have. Submit or delete one, then start again."
        in page
    )
    assert 'value="Linz"' in page
    assert list(Submission.objects.values_list("pk", flat=True)) == [draft.pk]
    assert Line.objects.count() == 1
    start(charlie, "small")


def test_a_client_is_told_that_there_are_too_many_drafts(
    alice_client: Client, draft: Submission, save: Save, settings: Settings
) -> None:
    save(mfa="F")
    settings.MAX_DRAFTS = 1
    query = 'mutation { startSubmission(input: {questionnaire: "small"}) { submission { id } errors { code path } } }'
    told = ask(alice_client, query, GRAPHQL_RESPONSE).json()["data"]["startSubmission"]
    assert told == {"submission": None, "errors": [{"code": "TOO_MANY", "path": ["input"]}]}


def test_what_is_submitted_makes_room_for_a_draft(
    alice: User, complete: Submission, small: Questionnaire, settings: Settings
) -> None:
    settings.MAX_DRAFTS = 1
    Submission.objects.filter(pk=complete.pk).update(state=Submission.State.SUBMITTED)
    buckets.forget()
    start(alice, "small", name="Linz")
    buckets.forget()
    with pytest.raises(TooManyDrafts):
        start(alice, "small", name="Graz")
