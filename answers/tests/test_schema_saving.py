"""Saving through GraphQL: what is stored, what is refused with a code and the way to its input."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from answers.models import MAX_NOTE, Submission
from answers.mutations.saving import MAX_CHANGES
from answers.tests.asking import SAVE, answer, codes, do, id_of, saved
from answers.tests.conftest import Save
from answers.tests.test_saving import published
from config.tests.whole_schema import data
from questionnaires.answers import MAX_NUMBER, MAX_TEXT


@pytest.mark.parametrize(
    ("question", "value", "stored"),
    [
        ("exposed", {"choice": "yes"}, "yes"),
        ("mfa", {"choice": "F"}, "F"),
        ("plan", {"choice": "full"}, "full"),
        ("vpn", {"choices": ["rdp", "vpn"]}, ["vpn", "rdp"]),
        ("site", {"text": " example.org "}, "example.org"),
        ("people", {"number": 12}, 12),
        ("people", {"number": 2.5}, 2.5),
        ("since", {"date": "2026-05-31"}, "2026-05-31"),
        ("mfa", {"dontKnow": True}, "dont_know"),
        ("mfa", {"notApplicable": "No accounts."}, {"not_applicable": "No accounts."}),
    ],
)
def test_each_kind_of_answer_is_stored_and_comes_back_as_it_can_be_sent_again(
    alice: User, draft: Submission, question: str, value: dict[str, Any], stored: Any
) -> None:
    payload = saved(alice, draft, answer(question, value, note="as agreed"))

    assert payload["errors"] == []
    assert draft.values == {question: stored}
    (back,) = payload["submission"]["answers"]
    assert (back["note"], back["version"]) == ("as agreed", 1)
    again = {name: part for name, part in back["value"].items() if part is not None}
    assert saved(alice, draft, answer(question, again, note="as agreed"))["submission"]["revision"] == 1
    assert draft.values == {question: stored}


@pytest.mark.parametrize(
    ("question", "value", "stored"),
    [
        ("site", {"text": "x" * MAX_TEXT}, "x" * MAX_TEXT),
        ("people", {"number": MAX_NUMBER}, MAX_NUMBER),
        ("people", {"number": -MAX_NUMBER}, -MAX_NUMBER),
        ("people", {"number": 0}, 0),
        ("since", {"date": "0001-01-01"}, "0001-01-01"),
        ("since", {"date": "9999-12-31"}, "9999-12-31"),
        ("vpn", {"choices": ["vpn", "vpn"]}, ["vpn"]),
        ("mfa", {"notApplicable": "x" * MAX_TEXT}, {"not_applicable": "x" * MAX_TEXT}),
    ],
)
def test_the_largest_and_the_smallest_answer_are_taken(
    alice: User, draft: Submission, question: str, value: dict[str, Any], stored: Any
) -> None:
    assert saved(alice, draft, answer(question, value, note="x" * MAX_NOTE))["errors"] == []
    assert draft.values == {question: stored}


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("site", {"text": "x" * (MAX_TEXT + 1)}),
        ("people", {"number": MAX_NUMBER + 1}),
        ("people", {"number": -MAX_NUMBER - 1}),
        ("vpn", {"choices": ["vpn", "modem"]}),
        ("mfa", {"notApplicable": "x" * (MAX_TEXT + 1)}),
        ("mfa", {"notApplicable": "\0"}),
    ],
)
def test_an_answer_beyond_that_is_invalid(alice: User, draft: Submission, question: str, value: dict[str, Any]) -> None:
    assert codes(saved(alice, draft, answer(question, value))) == [("INVALID", ["input", "answers", "0"])]


@pytest.mark.parametrize("unseen", ["\0", "\ud800", "\x1b"], ids=ascii)
def test_what_no_database_keeps_is_taken_out_of_texts_reasons_and_notes(
    alice: User, draft: Submission, unseen: str
) -> None:
    text = f"as{unseen} agreed"

    payload = saved(
        alice,
        draft,
        answer("site", {"text": text}, note=text),
        answer("mfa", {"notApplicable": text}),
    )

    assert payload["errors"] == []
    assert draft.values == {"site": "as agreed", "mfa": {"not_applicable": "as agreed"}}
    assert draft.answers.get(question="site").note == "as agreed"


def test_a_text_of_the_letters_of_dont_know_is_stored_shown_and_sent_again_as_a_text(
    alice: User, draft: Submission
) -> None:
    payload = saved(alice, draft, answer("site", {"text": "dont_know"}))

    (back,) = payload["submission"]["answers"]
    assert (back["value"]["text"], back["value"]["dontKnow"]) == ("dont_know", None)
    assert saved(alice, draft, answer("site", {"text": "dont_know"}))["submission"]["revision"] == 1

    payload = saved(alice, draft, answer("site", {"dontKnow": True}, expected=1))

    (back,) = payload["submission"]["answers"]
    assert (back["value"]["text"], back["value"]["dontKnow"]) == (None, True)
    assert draft.values == {"site": "dont_know"}


def test_an_answer_that_is_taken_back_keeps_its_version(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}))

    payload = saved(alice, draft, answer("mfa", None, expected=1))

    assert [(each["value"], each["version"]) for each in payload["submission"]["answers"]] == [(None, 2)]
    assert draft.values == {}


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("nothing", {"choice": "F"}),
        ("mfa", {}),
        ("mfa", {"choice": None}),
        ("mfa", {"choice": "F", "text": "F"}),
        ("mfa", {"text": "F"}),
        ("mfa", {"choice": "yes"}),
        ("mfa", {"dontKnow": False}),
        ("mfa", {"notApplicable": " "}),
        ("exposed", {"notApplicable": "profile questions take none"}),
        ("vpn", {"choices": ["modem"]}),
        ("people", {"number": 1e300}),
        ("people", {"text": "12"}),
        ("since", {"text": "2026-05-31"}),
        ("since", {"date": None}),
    ],
)
def test_an_answer_that_the_question_does_not_take_is_invalid_and_nothing_is_stored(
    alice: User, draft: Submission, question: str, value: dict[str, Any]
) -> None:
    payload = saved(alice, draft, answer("backup", {"choice": "P"}), answer(question, value))

    assert codes(payload) == [("INVALID", ["input", "answers", "1"])]
    assert payload["errors"][0]["message"]
    assert payload["submission"] is None
    assert draft.values == {}


def test_every_mistake_of_a_save_is_told_at_once(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"text": "F"}), answer("plan", {"number": 3}))

    assert codes(payload) == [("INVALID", ["input", "answers", "0"]), ("INVALID", ["input", "answers", "1"])]


def test_a_question_that_is_answered_twice_is_invalid(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"choice": "F"}), answer("mfa", {"choice": "P"}))

    assert codes(payload) == [("INVALID", ["input", "answers", "1"])]


def test_a_value_that_is_left_out_is_taken_back_unless_only_the_version_of_the_note_is_said(
    alice: User, draft: Submission
) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}), answer("backup", {"choice": "F"}))

    payload = saved(
        alice,
        draft,
        {"question": "mfa", "note": "only a note", "expectedNoteVersion": 0},
        {"question": "backup", "expectedValueVersion": 1},
    )

    assert payload["errors"] == []
    assert draft.values == {"mfa": "F"}
    assert draft.answers.get(question="mfa").note == "only a note"


def test_a_note_that_is_left_out_stays(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}, note="ours"))

    saved(alice, draft, {"question": "mfa", "value": {"choice": "P"}, "expectedVersion": 1})

    assert (draft.values, draft.answers.get().note) == ({"mfa": "P"}, "ours")


PARTS = """
query ($id: ID!) { submission(id: $id) { answers { version valueVersion noteVersion value { choice } note } } }
"""


def test_value_and_note_have_versions_of_their_own(alice: User, bob: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "N"}))
    saved(bob, draft, {"question": "mfa", "note": "theirs", "expectedNoteVersion": 0})

    payload = saved(alice, draft, {"question": "mfa", "value": {"choice": "F"}, "expectedValueVersion": 1})

    assert payload["errors"] == []
    (found,) = data(alice, PARTS, id=id_of(draft))["submission"]["answers"]
    assert found == {
        "version": 3,
        "valueVersion": 3,
        "noteVersion": 2,
        "value": {"choice": "F"},
        "note": "theirs",
    }


def test_of_a_conflict_in_one_part_the_other_is_stored(alice: User, bob: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "N"}))
    saved(bob, draft, {"question": "mfa", "value": {"choice": "L"}, "expectedValueVersion": 1})
    both = {"value": {"choice": "F"}, "expectedValueVersion": 1, "note": "mine", "expectedNoteVersion": 0}

    payload = do(
        alice,
        SAVE.replace("conflicts { key", "conflicts { key value note"),
        submission=id_of(draft),
        answers=[{"question": "mfa", **both}],
    )

    assert codes(payload) == [("CONFLICT", ["input", "answers", "0"])]
    (conflict,) = payload["conflicts"]
    assert (conflict["value"], conflict["note"], conflict["current"]["label"]) == (True, False, "Mostly")
    assert (draft.values, draft.answers.get().note) == ({"mfa": "L"}, "mine")


@pytest.mark.parametrize("base", [99, -1, 1])
@pytest.mark.parametrize("guard", ["expectedVersion", "expectedValueVersion"])
def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(
    alice: User, draft: Submission, guard: str, base: int
) -> None:
    payload = saved(alice, draft, {"question": "mfa", "value": {"choice": "F"}, guard: base})

    assert codes(payload) == [("CONFLICT", ["input", "answers", "0"])]
    assert payload["conflicts"] == [{"key": "mfa", "current": {"label": "No answer", "version": 0, "updatedBy": None}}]
    assert payload["errors"][0]["message"] == "This is no longer the answer that the change was made to."
    assert draft.values == {}


@pytest.mark.parametrize(
    "unguarded",
    [
        {"value": {"choice": "F"}},
        {"value": None},
        {"note": "ours"},
        {"value": {"choice": "F"}, "expectedNoteVersion": 0},
        {"value": {"choice": "F"}, "note": "ours", "expectedValueVersion": 0},
        {"value": {"choice": "F"}, "note": "ours", "expectedNoteVersion": 0},
        {"value": {"choice": "F"}, "expectedVersion": None, "expectedValueVersion": None},
    ],
)
def test_a_part_without_the_version_that_it_is_made_to_is_invalid(
    alice: User, draft: Submission, unguarded: dict[str, Any]
) -> None:
    payload = saved(alice, draft, {"question": "mfa", **unguarded})

    assert codes(payload) == [("INVALID", ["input", "answers", "0"])]
    assert draft.values == {}
    assert payload["errors"][0]["message"].endswith("which version the change is made to.")


def test_a_note_that_is_too_long_is_invalid(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"choice": "F"}, note="x" * (MAX_NOTE + 1)))

    assert codes(payload) == [("INVALID", ["input", "answers", "0"])]


def test_more_answers_than_are_taken_at_once_are_refused(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, *[answer("mfa", {"choice": "F"})] * (MAX_CHANGES + 1))

    assert codes(payload) == [("TOO_MUCH", ["input", "answers"])]


def test_a_conflict_is_given_back_and_the_others_are_stored(
    alice: User, bob: User, draft: Submission, save: Save
) -> None:
    save(user=bob, mfa="P")

    payload = saved(alice, draft, answer("backup", {"choice": "F"}), answer("mfa", {"choice": "F"}))

    assert codes(payload) == [("CONFLICT", ["input", "answers", "1"])]
    assert payload["conflicts"] == [
        {"key": "mfa", "current": {"label": "Partly", "version": 1, "updatedBy": {"name": "Bob"}}}
    ]
    assert payload["submission"]["revision"] == 2
    assert draft.values == {"mfa": "P", "backup": "F"}


def test_a_conflict_is_overwritten_with_the_version_that_it_gives_back(
    alice: User, bob: User, draft: Submission, save: Save
) -> None:
    save(user=bob, mfa="P")
    (conflict,) = saved(alice, draft, answer("mfa", {"choice": "F"}))["conflicts"]

    payload = saved(alice, draft, answer("mfa", {"choice": "F"}, expected=conflict["current"]["version"]))

    assert (payload["errors"], payload["conflicts"]) == ([], [])
    assert draft.values == {"mfa": "F"}


def test_a_save_whose_answer_got_lost_can_be_sent_again(alice: User, draft: Submission) -> None:
    change = answer("mfa", {"choice": "F"}, note="ours")
    first = saved(alice, draft, change)

    assert saved(alice, draft, change) == first
    assert len(published(draft)) == 1


def test_a_save_publishes_the_event_that_the_pages_publish(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}, note="ours"))

    (event,) = published(draft)
    assert (event["state"], event["answer"]["values"]) == ("new", {"mfa": {"value": "F", "note": "ours"}})
