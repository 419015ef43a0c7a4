"""What people write is read in the same way, by whichever door it comes: page, autosave, API or answers file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import User
from answers.models import Answer, Submission
from answers.tests.asking import answer, saved
from answers.tests.conftest import Save
from answers.tests.test_autosave import change, post, post_raw
from questionnaires.answers import clean_answer
from questionnaires.definition import Questionnaire
from security.answers_file import RefusedAnswers, read_answers

Outcome = tuple[Any, str]
"""What was stored, and the sentence that refused it."""
Door = Callable[[str, str], Outcome]
"""By which a text is given as the answer to a question."""

SECTIONS = {"people": "about", "since": "about", "site": "about", "mfa": "controls"}


@pytest.fixture
def page(alice_client: Client, draft: Submission) -> Door:
    """The form of the page, as it is sent without JavaScript."""

    def give(question: str, written: str) -> Outcome:
        posted = posted_page(alice_client, draft, SECTIONS[question])
        if question == "mfa":
            posted |= {"mfa:value": "not_applicable", "mfa:reason": written}
        else:
            posted[f"{question}:value"] = written
        response = send(alice_client, draft, SECTIONS[question], posted)
        if response.status_code == 302:
            return draft.values.get(question), ""
        (field,) = [field for field in response.context["fields"] if field.error]
        assert field.question.id == question
        assert escape(field.error) in response.content.decode()
        assert field.written == written if question != "mfa" else field.reason == written
        return draft.values.get(question), field.error

    return give


@pytest.fixture
def autosave(alice_client: Client, draft: Submission) -> Door:
    def give(question: str, written: str) -> Outcome:
        value = {"not_applicable": written} if question == "mfa" else written
        document = post(alice_client, draft, change(question, value)).json()
        return draft.values.get(question), document.get("errors", {}).get(question, "")

    return give


@pytest.fixture
def file(small: Questionnaire, tmp_path: Path) -> Door:
    def give(question: str, written: str) -> Outcome:
        value = {"not_applicable": written} if question == "mfa" else written
        path = tmp_path / "answers.json"
        path.write_text(json.dumps({question: value}), encoding="utf-8")
        try:
            return read_answers(path, small)[question], ""
        except RefusedAnswers as refused:
            (mistake,) = refused.mistakes
            return None, mistake.removeprefix(f"{path}: {question}: ")

    return give


@pytest.fixture
def api(alice: User, draft: Submission) -> Door:
    """The API, for what is a text there: it has types of its own for numbers and days."""

    def give(question: str, written: str) -> Outcome:
        value = {"notApplicable": written} if question == "mfa" else {"text": written}
        errors = saved(alice, draft, answer(question, value))["errors"]
        return draft.values.get(question), errors[0]["message"] if errors else ""

    return give


def posted_page(client: Client, draft: Submission, section: str) -> dict[str, str]:
    """What a browser sends back from the page as it stands."""
    posted: dict[str, str] = {}
    for field in client.get(f"/submissions/{draft.pk}/sections/{section}/").context["fields"]:
        name = field.question.id
        for hidden in ("value_version", "note_version", "seen_value", "seen_note"):
            posted[f"{name}:{hidden}"] = str(getattr(field, hidden))
        posted[f"{name}:note"] = field.note.replace("\n", "\r\n")
        if field.offers_not_applicable:
            posted[f"{name}:reason"] = field.reason.replace("\n", "\r\n")
        chosen = [option.value for option in (*field.options, *field.special_options) if option.checked]
        if field.is_radio:
            posted |= {f"{name}:value": each for each in chosen}
        elif field.question.kind != "multiple_choice":
            posted[f"{name}:value"] = field.written
            posted |= {f"{name}:special": each for each in chosen}
    return posted


def send(client: Client, draft: Submission, section: str, posted: dict[str, str]) -> Any:
    return client.post(f"/submissions/{draft.pk}/sections/{section}/", posted)


@pytest.mark.parametrize("door", ["page", "autosave", "file"])
@pytest.mark.parametrize(
    ("question", "written", "outcome"),
    [
        ("people", "12", (12, "")),
        ("people", "2,5", (2.5, "")),
        ("people", "-0", (0, "")),
        ("people", " 1200 ", (1200, "")),
        ("people", "1.000", (None, "“1.000” can be read in two ways. Write 1000 or 1.")),
        ("people", "1,000", (None, "“1,000” can be read in two ways. Write 1000 or 1.")),
        ("people", "1 000", (None, "Write the number without anything between the thousands: 1000.")),
        ("people", "1_000", (None, "Write the number without anything between the thousands: 1000.")),
        ("people", "1e3", (None, "Enter a number, for example 12 or 2.5.")),
        ("people", "nan", (None, "Enter a number, for example 12 or 2.5.")),
        ("people", "\u0663", (None, "Write the number with the digits 0 to 9, for example 12 or 2.5.")),
        ("since", "2026-05-31", ("2026-05-31", "")),
        ("since", "20260531", (None, "Enter a date as year-month-day, for example 2026-05-31.")),
        ("since", "2026-W22-7", (None, "Enter a date as year-month-day, for example 2026-05-31.")),
    ],
    ids=ascii,
)
def test_numbers_and_days_are_read_the_same(
    request: pytest.FixtureRequest, door: str, question: str, written: str, outcome: Outcome
) -> None:
    assert request.getfixturevalue(door)(question, written) == outcome


@pytest.mark.parametrize("door", ["page", "autosave", "file", "api"])
@pytest.mark.parametrize(
    ("question", "written", "outcome"),
    [
        ("site", "one\x0btwo\u2028three", ("one\ntwo\nthree", "")),
        ("site", "a\x07b\u202ec", ("abc", "")),
        ("site", "x" * 2001, (None, "This text is 2001 characters long, and 2000 can be kept. Shorten it by 1.")),
        ("site", "\u200b", (None, "")),
        ("mfa", "no\x0baccounts", ({"not_applicable": "no\naccounts"}, "")),
        *[
            ("mfa", nothing, (None, "Say in words why this does not apply to you, for example “We have no servers.”."))
            for nothing in ("-", "...", "\u200b-\u2060", "\U0001f44d")
        ],
        *[("mfa", nothing, (None, "Say why this does not apply to you.")) for nothing in ("", " ", "\u200b", "\u3164")],
    ],
    ids=ascii,
)
def test_texts_and_reasons_are_cleaned_the_same(
    request: pytest.FixtureRequest, door: str, question: str, written: str, outcome: Outcome
) -> None:
    value, refusal = outcome
    if door == "file" and outcome == (None, ""):
        assert request.getfixturevalue(door)(question, written)[0] is None
    else:
        assert request.getfixturevalue(door)(question, written) == (value, refusal)


@pytest.mark.parametrize(("sent", "stored"), [("1e3", 1000), ("-0.0", 0), ("0.30000000000000004", 0.3), ("2.50", 2.5)])
def test_a_json_number_is_a_number(
    alice: User, alice_client: Client, draft: Submission, file: Door, small: Questionnaire, sent: str, stored: float
) -> None:
    body = f'{{"changes": [{{"question": "people", "value": {sent}, "version": 0}}]}}'
    assert post_raw(alice_client, draft, body).status_code == 200
    assert draft.values == {"people": stored}
    assert clean_answer(small.by_id["people"], json.loads(sent)) == stored


@pytest.mark.parametrize("sent", ["1e999", "1e16", "9" * 400])
def test_a_json_number_beyond_all_measure_is_refused_in_words(
    alice_client: Client, draft: Submission, sent: str
) -> None:
    body = f'{{"changes": [{{"question": "people", "value": {sent}, "version": 0}}]}}'
    response = post_raw(alice_client, draft, body)
    assert response.status_code == 400
    assert response.json()["errors"] == {"people": "Use a number between -1000000000000000 and 1000000000000000."}


def test_a_note_is_cleaned_like_a_text(alice_client: Client, draft: Submission) -> None:
    post(alice_client, draft, change("mfa", "F", note="one\x0btwo\x00\u2028three\u200b"))
    assert draft.answers.get().note == "one\ntwo\nthree"


def test_a_limit_says_how_long_it_is_what_is_kept_and_what_to_do(alice_client: Client, draft: Submission) -> None:
    response = post(alice_client, draft, change("mfa", "F", note="é\r\n" * 3000))
    assert response.json()["errors"] == {
        "mfa": "The note is 5999 characters long, and 4000 can be kept. Shorten it by 1999."
    }
    assert not Answer.objects.exists()


def test_half_an_emoji_is_taken_out_and_the_rest_saved(alice_client: Client, draft: Submission) -> None:
    body = '{"changes": [{"question": "site", "value": "cut \\ud83d", "note": "\\uDE00 \\ud83d\\ude00", "version": 0}]}'
    assert post_raw(alice_client, draft, body).status_code == 200
    stored = draft.answers.get()
    assert (stored.value, stored.note) == ("cut", "😀")


@pytest.mark.parametrize("value", [1.125, 1e-07, -2.5, 1234.567, 10**15])
def test_a_number_that_stands_on_a_page_is_no_change(
    alice_client: Client, draft: Submission, save: Save, value: float
) -> None:
    save(people=value)
    response = send(alice_client, draft, "about", posted_page(alice_client, draft, "about"))
    assert response.status_code == 302
    assert Submission.objects.get().revision == 1


OLD = [
    ("mfa", {"not_applicable": "-"}),
    ("mfa", {"not_applicable": "a\u2028b"}),
    ("site", "dont\u202eknow"),
    ("people", 1 / 3),
]


@pytest.mark.parametrize(("question", "value"), OLD, ids=ascii)
def test_what_was_stored_before_a_rule_stays_until_somebody_changes_it(
    alice: User, alice_client: Client, draft: Submission, save: Save, question: str, value: Any
) -> None:
    save(**{question: {"not_applicable": "old"} if question == "mfa" else 1 if question == "people" else "old"})
    Answer.objects.update(value=value, note="old\u2029note")
    other = "backup" if question == "mfa" else "exposed"
    posted = posted_page(alice_client, draft, SECTIONS[question]) | {
        f"{other}:value": "P" if other == "backup" else "no"
    }

    assert send(alice_client, draft, SECTIONS[question], posted).status_code == 302

    assert draft.values[other]
    if question != "people":
        assert draft.values[question] == value
        assert draft.answers.get(question=question).version == 1


def test_an_old_reason_can_be_sent_again_with_another_note(alice: User, draft: Submission, save: Save) -> None:
    save(mfa={"not_applicable": "old"})
    Answer.objects.update(value={"not_applicable": "-"})

    payload = saved(alice, draft, answer("mfa", {"notApplicable": "-"}, note="more", expected=1))

    assert payload["errors"] == []
    stored = draft.answers.get()
    assert (stored.value, stored.note) == ({"not_applicable": "-"}, "more")


@pytest.mark.parametrize("question", ["people", "since"])
def test_the_letters_of_dont_know_are_no_number_and_no_day(page: Door, question: str) -> None:
    value, refusal = page(question, "dont_know")
    assert value is None
    assert refusal.startswith("Enter a ")


def test_the_letters_of_dont_know_in_a_field_are_no_dont_know(alice_client: Client, draft: Submission) -> None:
    posted = posted_page(alice_client, draft, "about") | {"site:value": "dont_know", "site:special": ""}
    send(alice_client, draft, "about", posted)
    assert draft.values == {"site": {"text": "dont_know"}}

    page = alice_client.get(f"/submissions/{draft.pk}/sections/about/").content.decode()
    assert "dont_know</textarea>" in page
    send(alice_client, draft, "about", posted_page(alice_client, draft, "about"))
    assert Submission.objects.get().revision == 1

    posted = posted_page(alice_client, draft, "about") | {"site:value": "", "site:special": "dont_know"}
    send(alice_client, draft, "about", posted)
    assert draft.values == {"site": "dont_know"}

    posted = posted_page(alice_client, draft, "about") | {"site:value": "dont_know", "site:special": ""}
    send(alice_client, draft, "about", posted)
    assert draft.values == {"site": {"text": "dont_know"}}
