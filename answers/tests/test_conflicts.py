"""Colleagues who answer at the same time, on pages without JavaScript."""

from __future__ import annotations

import json
import re
from hashlib import sha256

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Submission
from answers.tests.addresses import page_of, section_url
from answers.tests.conftest import Save


def test_colleagues_on_different_questions_of_one_page_merge(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="N", backup="N")
    alices, bobs = page_of(alice_client, draft), page_of(bob_client, draft)

    bob_client.post(section_url(draft), bobs | {"backup:value": "F"})
    response = alice_client.post(section_url(draft), alices | {"mfa:value": "P"})

    assert response.status_code == 302
    assert draft.values == {"mfa": "P", "backup": "F"}


@pytest.fixture
def conflict(alice_client: Client, bob_client: Client, draft: Submission, save: Save) -> dict[str, str]:
    """Bob changed MFA to F after Alice opened the page, where she then chose P; and she answered backups too."""
    save(mfa="N")
    alices = page_of(alice_client, draft)
    bob_client.post(section_url(draft), page_of(bob_client, draft) | {"mfa:value": "F"})
    return alices | {"mfa:value": "P", "backup:value": "L"}


def test_a_stale_page_shows_both_answers_and_saves_the_others(
    alice_client: Client, draft: Submission, conflict: dict[str, str]
) -> None:
    response = alice_client.post(section_url(draft), conflict)

    page = response.content.decode()
    assert response.status_code == 409
    stamp = r"<time [^>]+>\d\d? \w{3} \d{4}, \d\d:\d\d UTC</time>"
    assert re.search(rf"<bdi>Bob</bdi> changed the answer on {stamp}\.", page)
    assert '<dt>Theirs</dt><dd><bdi class="by-hand">Fully</bdi></dd>' in page
    assert '<dt>Yours</dt><dd><bdi class="by-hand">Partly</bdi></dd>' in page
    assert draft.values == {"mfa": "F", "backup": "L"}


@pytest.mark.parametrize(("choice", "outcome"), [("mine", "P"), ("theirs", "F")])
def test_a_conflict_is_settled_by_a_choice(
    alice_client: Client, draft: Submission, conflict: dict[str, str], choice: str, outcome: str
) -> None:
    alice_client.post(section_url(draft), conflict)

    settled = conflict | {"mfa:theirs": "2", "mfa:resolve": choice}
    response = alice_client.post(section_url(draft), settled)

    assert response.status_code == 302
    assert draft.values["mfa"] == outcome


def test_a_conflict_without_a_choice_stays_one(
    alice_client: Client, draft: Submission, conflict: dict[str, str]
) -> None:
    alice_client.post(section_url(draft), conflict)

    assert alice_client.post(section_url(draft), conflict | {"mfa:theirs": "2"}).status_code == 409
    assert draft.values["mfa"] == "F"


def test_a_refused_answer_hides_no_conflict(alice_client: Client, draft: Submission, conflict: dict[str, str]) -> None:
    wrong = conflict | {"backup:value": "not_applicable", "backup:reason": ""}
    response = alice_client.post(section_url(draft), wrong)

    page = response.content.decode()
    assert response.status_code == 400
    assert "Nothing is saved yet: please look at these answers again" in page
    assert "Somebody changed this, too: choose below which answer counts." in page
    assert '<dt>Theirs</dt><dd><bdi class="by-hand">Fully</bdi></dd>' in page
    assert draft.values == {"mfa": "F"}
    right = conflict | {"mfa:theirs": "2", "mfa:resolve": "mine"}
    assert alice_client.post(section_url(draft), right).status_code == 302
    assert draft.values == {"mfa": "P", "backup": "L"}


def by_part(client: Client, submission: Submission, section: str = "controls") -> dict[str, str]:
    """The same as `page_of`, with the hidden facts about each part of an answer."""
    posted = {name: value for name, value in page_of(client, submission, section).items() if ":version" not in name}
    for field in client.get(section_url(submission, section)).context["fields"]:
        if field.visible:
            for name in ("value_version", "note_version", "seen_value", "seen_note"):
                posted[f"{field.question.id}:{name}"] = str(getattr(field, name))
    return posted


@pytest.mark.parametrize(
    ("theirs", "mine", "outcome"),
    [
        ({"mfa:note": "theirs"}, {"mfa:value": "P"}, ("P", "theirs")),
        ({"mfa:value": "F"}, {"mfa:note": "mine"}, ("F", "mine")),
    ],
)
def test_colleagues_on_value_and_note_of_one_question_merge(
    alice_client: Client,
    bob_client: Client,
    draft: Submission,
    save: Save,
    theirs: dict[str, str],
    mine: dict[str, str],
    outcome: tuple[str, str],
) -> None:
    save(mfa="N")
    alices, bobs = by_part(alice_client, draft), by_part(bob_client, draft)

    bob_client.post(section_url(draft), bobs | theirs)
    response = alice_client.post(section_url(draft), alices | mine)

    assert response.status_code == 302
    answer = draft.answers.get()
    assert (answer.value, answer.note) == outcome


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        ({"value": "mine", "note": "mine"}, ("P", "mine")),
        ({"value": "mine", "note": "theirs"}, ("P", "theirs")),
        ({"value": "theirs", "note": "mine"}, ("F", "mine")),
        ({"value": "theirs", "note": "theirs"}, ("F", "theirs")),
    ],
)
def test_a_conflict_of_both_parts_shows_both_sides_of_each_and_is_settled_for_each(
    alice_client: Client,
    bob_client: Client,
    draft: Submission,
    save: Save,
    choices: dict[str, str],
    outcome: tuple[str, str],
) -> None:
    save(mfa="N")
    alices = by_part(alice_client, draft) | {"mfa:value": "P", "mfa:note": "mine"}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F", "mfa:note": "theirs"})

    response = alice_client.post(section_url(draft), alices)
    field = next(field for field in response.context["fields"] if field.conflict)
    settled = alices | {f"mfa:theirs_{part}": "2" for part in choices}
    settled |= {f"mfa:resolve_{part}": choice for part, choice in choices.items()}
    after = alice_client.post(section_url(draft), settled)

    assert (response.status_code, after.status_code) == (409, 302)
    assert (field.theirs_in_words, field.in_words) == ("Fully", "Partly")
    assert (field.conflict.current.note, field.note) == ("theirs", "mine")
    answer = draft.answers.get()
    assert (answer.value, answer.note) == outcome


@pytest.mark.parametrize("names", [("resolve",), ("resolve_value", "resolve_note")])
def test_what_is_left_for_a_colleagues_answer_is_shown_whole_on_the_next_page(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save, names: tuple[str, ...]
) -> None:
    save(mfa="N")
    note = "<b>mine</b> " + "x" * 3_900
    typed = page_of(alice_client, draft) if names == ("resolve",) else by_part(alice_client, draft)
    alices = typed | {"mfa:value": "P", "mfa:note": note}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F", "mfa:note": "theirs"})
    alice_client.post(section_url(draft), alices)

    after = alice_client.post(section_url(draft), alices | {f"mfa:{name}": "theirs" for name in names}, follow=True)

    page = after.content.decode()
    assert 'Is there MFA?<br>Your answer was: <bdi class="by-hand">Partly</bdi>' in page
    assert f'Your note was: <bdi class="by-hand">&lt;b&gt;mine&lt;/b&gt; {"x" * 3_900}</bdi>' in page
    assert (draft.answers.get().value, draft.answers.get().note) == ("F", "theirs")


def test_of_a_conflict_in_one_part_the_other_is_stored_and_shown_as_it_is(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="N")
    alices = by_part(alice_client, draft) | {"mfa:value": "P", "mfa:note": "mine"}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F"})

    response = alice_client.post(section_url(draft), alices)

    field = next(field for field in response.context["fields"] if field.conflict)
    assert (field.conflict.value, field.conflict.note) == (True, False)
    assert (field.value_version, field.note_version) == (1, 3)
    page = response.content.decode()
    assert 'name="mfa:resolve_value"' in page
    assert 'name="mfa:resolve_note"' not in page
    assert draft.answers.get().note == "mine"


@pytest.mark.parametrize("said", ["99", "1", "-1", "", "x", "9" * 30])
@pytest.mark.parametrize("name", ["version", "value_version"])
def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(
    alice_client: Client, draft: Submission, name: str, said: str
) -> None:
    page = page_of(alice_client, draft) if name == "version" else by_part(alice_client, draft)

    response = alice_client.post(section_url(draft), page | {"mfa:value": "P", f"mfa:{name}": said})

    assert response.status_code == 409
    assert draft.values == {}


def test_a_page_of_the_version_before_is_taken_with_its_own_fingerprints(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(mfa="N", backup="N")
    page = page_of(alice_client, draft)
    for name, value in (("mfa", "N"), ("backup", "N")):
        page[f"{name}:seen"] = sha256(json.dumps([value, ""]).encode()).hexdigest()[:16]
    save(bob, mfa="F")

    response = alice_client.post(section_url(draft), page | {"backup:value": "L"})

    assert response.status_code == 302
    assert draft.values == {"mfa": "F", "backup": "L"}
