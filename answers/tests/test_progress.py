"""How far a submission is: what is optional never keeps it from being whole, and all pages say the same."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Submission
from answers.progress import progress_of, sections_of
from answers.submissions import submit
from answers.tests.conftest import Save
from questionnaires.definition import Questionnaire

NEEDED = {"exposed": "no", "mfa": "F", "backup": "P", "plan": "full"}


def test_what_is_optional_is_counted_apart(small: Questionnaire) -> None:
    progress = progress_of(small, {"exposed": "no", "site": "https://example.org", "mfa": "F"})

    assert (progress.answered, progress.visible) == (2, 4)
    assert (progress.optional_answered, progress.optional) == (1, 3)
    assert progress.text == "2 of 4 answered, about 5 minutes left"


@pytest.mark.parametrize("optional", [{}, {"site": "https://example.org"}])
def test_what_can_be_submitted_is_whole(small: Questionnaire, optional: dict[str, str]) -> None:
    progress = progress_of(small, {**NEEDED, **optional})

    assert progress.text == "4 of 4 answered, ready to submit"
    assert progress.minutes_left == 0


def test_a_section_says_what_of_it_is_optional(small: Questionnaire) -> None:
    about, controls = sections_of(small, {"exposed": "no", "people": 12, "mfa": "F"})

    assert (about.status, about.text) == ("completed", "1 of 1 answered, 1 of 3 optional")
    assert (controls.status, controls.text) == ("in_progress", "1 of 3 answered")


def test_a_section_that_needs_nothing_is_optional_as_a_whole(small: Questionnaire) -> None:
    free = small.sections[0].model_copy(update={"questions": small.sections[0].questions[2:]})
    only_facts = small.model_copy(update={"sections": (free, small.sections[1])})

    untouched = sections_of(only_facts, {})[0]
    answered = sections_of(only_facts, {"people": 12})[0]

    assert (untouched.is_only_optional, untouched.text) == (True, "0 of 3 optional answered")
    assert (answered.is_only_optional, answered.text) == (False, "1 of 3 optional answered")


def test_an_optional_answer_is_a_beginning(small: Questionnaire) -> None:
    assert not progress_of(small, {}).is_begun
    assert progress_of(small, {"site": "https://example.org"}).is_begun


@pytest.mark.parametrize("answers", [{}, {"mfa": "F"}, {"site": "x"}, NEEDED, {**NEEDED, "exposed": "yes"}])
def test_every_page_of_a_draft_says_the_same(
    alice_client: Client, draft: Submission, save: Save, answers: dict[str, str]
) -> None:
    save(**answers)
    draft.refresh_from_db()
    progress = progress_of(draft.questionnaire, draft.values)

    pages = {
        path: alice_client.get(path).content.decode()
        for path in (
            "/questionnaires/",
            f"/submissions/{draft.pk}/",
            f"/submissions/{draft.pk}/sections/controls/",
            f"/submissions/{draft.pk}/review/",
        )
    }
    state = alice_client.get(f"/submissions/{draft.pk}/answers/").json()

    assert [path for path, page in pages.items() if progress.text not in page] == []
    assert state["progress"]["text"] == progress.text
    assert (state["progress"]["answered"], state["progress"]["visible"]) == (progress.answered, progress.visible)
    bars = {bar for page in pages.values() for bar in re.findall(r'data-progress-bar value="(\d+)" max="(\d+)"', page)}
    assert bars == {(str(progress.answered), str(progress.visible))}
    assert sum(each["answered"] for each in state["sections"].values()) == progress.answered
    assert sum(each["visible"] for each in state["sections"].values()) == progress.visible


def test_what_was_submitted_is_whole_on_every_page(alice: User, alice_client: Client, complete: Submission) -> None:
    submit(complete.pk, alice)

    assert "4 of 4 answered" in alice_client.get("/questionnaires/").content.decode()
    overview = alice_client.get(f"/submissions/{complete.pk}/").content.decode()
    assert "1 of 1 answered, 0 of 3 optional" in overview
    assert "3 of 3 answered" in overview
    assert overview.count("Completed") == 2
    document = {"query": "{ submissions(first: 1) { edges { node { progress { answered visible text } } } } }"}
    answer = alice_client.post("/graphql", json.dumps(document), content_type="application/json").json()
    assert answer["data"]["submissions"]["edges"][0]["node"]["progress"] == {
        "answered": 4,
        "visible": 4,
        "text": "4 of 4 answered, ready to submit",
    }
