"""Answers: their spellings, what they make visible, and what is still needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from questionnaires.answers import InvalidAnswer, clean_answer, needed_to_submit, visible_questions
from questionnaires.definition import Question, Questionnaire
from questionnaires.tests.examples import questionnaire_of, small, with_question

CHOICES: JsonValue = [{"id": "a", "text": "A", "value": 1}, {"id": "b", "text": "B"}, {"id": "c", "text": "C"}]


def question(**fields: JsonValue) -> Question:
    return with_question(**fields).questions[0]


def ids(questions: tuple[Question, ...]) -> list[str]:
    return [each.id for each in questions]


@pytest.mark.parametrize(
    ("kind", "given_value", "kept"),
    [
        ("nplf", "F", "F"),
        ("yes_no", "no", "no"),
        ("single_choice", "b", "b"),
        ("multiple_choice", ["c", "a", "c"], ["a", "c"]),
        ("multiple_choice", [], None),
        ("number", "12", 12),
        ("number", 2.5, 2.5),
        ("number", 0, 0),
        ("number", "2,5", 2.5),
        ("number", " 12 ", 12),
        ("number", " ", None),
        ("date", " 2026-05-31 ", "2026-05-31"),
        ("date", " ", None),
        ("date", "\u200e2026\u200e-05\u200e-31", "2026-05-31"),
        ("date", "\u200b", None),
        ("number", "\u200b", None),
        ("text", "  two\r\nlines ", "two\nlines"),
        ("text", "   ", None),
        ("text", "a\x00b", "ab"),
        ("text", "half a pair \ud800", "half a pair"),
        ("text", {"text": " example.org "}, "example.org"),
        ("text", {"text": " "}, None),
        ("nplf", "", None),
        ("nplf", None, None),
        ("nplf", "dont_know", "dont_know"),
        ("nplf", {"not_applicable": " no laptops "}, {"not_applicable": "no laptops"}),
    ],
)
def test_an_answer_gets_its_one_spelling(kind: str, given_value: JsonValue, kept: JsonValue) -> None:
    choices = CHOICES if "choice" in kind else []
    assert clean_answer(question(kind=kind, choices=choices), given_value) == kept


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("nplf", "f", "Choose one of the offered answers: N, P, L, F."),
        ("nplf", ["F"], "Choose one of the offered answers: N, P, L, F."),
        ("yes_no", True, "Choose one of the offered answers: yes, no."),
        ("single_choice", "d", "Choose one of the offered answers: a, b, c."),
        ("multiple_choice", "a", "Choose any of the offered answers."),
        ("multiple_choice", ["a", 1], "Choose one of the offered answers: a, b, c."),
        ("number", "many", "Enter a number, for example 12 or 2.5."),
        ("number", 10**400, "Use a number between -1000000000000000 and 1000000000000000."),
        ("number", "1.000", "“1.000” can be read in two ways. Write 1000 or 1."),
        ("number", True, "Enter a number, for example 12 or 2.5."),
        ("date", "31.05.2026", "Enter a date as year-month-day, for example 2026-05-31."),
        ("date", 5, "Enter a date as year-month-day, for example 2026-05-31."),
        ("text", 5, "Enter a text."),
        ("date", "20260531", "Enter a date as year-month-day, for example 2026-05-31."),
        ("date", "2026-W22-7", "Enter a date as year-month-day, for example 2026-05-31."),
        ("date", "2026-02-30", "Enter a date as year-month-day, for example 2026-05-31."),
        (
            "date",
            "\u0662\u0660\u0662\u0666-\u0660\u0665-\u0663\u0661",
            "Enter a date as year-month-day, for example 2026-05-31.",
        ),
        ("text", "x" * 2001, "This text is 2001 characters long, and 2000 can be kept. Shorten it by 1."),
        (
            "nplf",
            {"not_applicable": "x" * 5028},
            "The reason is 5028 characters long, and 2000 can be kept. Shorten it by 3028, or move a part of it into "
            "the note.",
        ),
        ("text", {"text": "a", "more": "b"}, "Enter a text."),
        ("text", {"text": 5}, "Enter a text."),
        ("number", {"text": "dont_know"}, "Enter a number, for example 12 or 2.5."),
        ("date", {"text": "dont_know"}, "Enter a date as year-month-day, for example 2026-05-31."),
        ("nplf", {"text": "F"}, "This is not an answer that the question takes."),
        ("nplf", {"not_applicable": " "}, "Say why this does not apply to you."),
        ("nplf", {"not_applicable": 5}, "This is not an answer that the question takes."),
        ("nplf", {"not_applicable": "x", "more": "y"}, "This is not an answer that the question takes."),
        ("nplf", {}, "This is not an answer that the question takes."),
    ],
)
def test_what_a_question_does_not_take_is_refused_in_words(kind: str, value: JsonValue, said: str) -> None:
    choices = CHOICES if "choice" in kind else []
    with pytest.raises(InvalidAnswer) as refused:
        clean_answer(question(kind=kind, choices=choices), value)
    assert str(refused.value) == said


def test_a_refusal_can_be_translated() -> None:
    with pytest.raises(InvalidAnswer) as refused:
        clean_answer(question(), "x")
    assert refused.value.message % refused.value.params == str(refused.value)
    assert refused.value.params == {"offered": "N, P, L, F"}


def test_text_of_the_greatest_length_is_taken() -> None:
    assert clean_answer(question(kind="text"), "x" * 2000) == "x" * 2000


def test_the_letters_of_dont_know_are_told_from_dont_know() -> None:
    asked = question(kind="text", scored=False)
    assert clean_answer(asked, "dont_know") == "dont_know"
    assert clean_answer(asked, {"text": "dont_know"}) == {"text": "dont_know"}
    assert clean_answer(asked, {"text": " dont_know\n"}) == {"text": "dont_know"}
    assert clean_answer(asked, {"text": "Dont_know"}) == "Dont_know"


def test_the_letters_of_dont_know_are_a_text_where_dont_know_is_not_offered() -> None:
    asked = question(kind="text", scored=False, dont_know=False)
    assert clean_answer(asked, "dont_know") == {"text": "dont_know"}


# A dash, a picture, blanks of many kinds, and letters that are not to be seen.
NOTHING_TO_READ = [
    "-", "—", "...", "?!", "👍", "✓", "\u200b", "\u200b-\u200b", "\u3164", "\uffa0\u115f\u1160", "\u2800", "\ufe0f",
    "\u0301", "\u200f", "\U000e0041", "\u00a0", "\u3000", "\x00", "\u2028",
]  # fmt: skip


@pytest.mark.parametrize("reason", NOTHING_TO_READ, ids=ascii)
def test_a_reason_needs_something_to_read(reason: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"^Say (in words )?why this does not apply to you"):
        clean_answer(question(), {"not_applicable": reason})


@pytest.mark.parametrize("reason", ["x", "7", "無", "لا", "Ⅳ", "-x-", "n't", "\u200bno laptops"], ids=ascii)
def test_one_letter_or_digit_of_any_script_can_be_read(reason: str) -> None:
    assert clean_answer(question(), {"not_applicable": reason}) == {"not_applicable": reason.lstrip("\u200b")}


def test_dont_know_is_refused_where_it_is_not_offered() -> None:
    with pytest.raises(InvalidAnswer):
        clean_answer(question(dont_know=False), "dont_know")


@pytest.mark.parametrize("fields", [{"scored": False}, {"not_applicable": False}])
def test_not_applicable_is_refused_where_it_is_not_offered(fields: dict[str, JsonValue]) -> None:
    with pytest.raises(InvalidAnswer, match="cannot be marked as not applicable"):
        clean_answer(question(**fields), {"not_applicable": "reason"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=16), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["nplf", "yes_no", "single_choice", "multiple_choice", "number", "date", "text"])


@given(kind=kinds, value=json_values | st.fixed_dictionaries({"not_applicable": json_values}))
def test_any_value_is_cleaned_or_refused_and_cleaning_again_changes_nothing(kind: str, value: JsonValue) -> None:
    asked = question(kind=kind, choices=CHOICES if "choice" in kind else [])
    try:
        kept = clean_answer(asked, value)
    except InvalidAnswer:
        return
    assert clean_answer(asked, kept) == kept


YES: JsonValue = {"question": "a", "is": ["yes"]}
B: JsonValue = {"question": "b", "is": ["F", "dont_know"]}


def asking(when: JsonValue) -> Questionnaire:
    return questionnaire_of(
        {"id": "a", "text": "?", "kind": "yes_no", "scored": False},
        {"id": "b", "text": "?", "domain": "PR"},
        {"id": "c", "text": "?", "domain": "PR", "when": when},
    )


@pytest.mark.parametrize(
    ("when", "answers", "asked"),
    [
        (YES, {"a": "yes"}, True),
        (YES, {"a": "no"}, False),
        (YES, {}, False),
        (YES, {"a": None}, False),
        ({"not": YES}, {}, True),
        ({"not": YES}, {"a": "yes"}, False),
        ({"all": [YES, B]}, {"a": "yes", "b": "F"}, True),
        ({"all": [YES, B]}, {"a": "yes", "b": "N"}, False),
        ({"any": [YES, B]}, {"a": "no", "b": "dont_know"}, True),
        ({"any": [YES, B]}, {"a": "no", "b": "N"}, False),
        ({"all": [{"any": [YES, B]}, {"not": B}]}, {"a": "yes", "b": "N"}, True),
        ({"question": "b", "is": "not_applicable"}, {"b": {"not_applicable": "why"}}, True),
        ({"question": "b", "is": "N"}, {"b": {"not_applicable": "why"}}, False),
    ],
)
def test_a_question_is_asked_where_its_condition_holds(
    when: JsonValue, answers: dict[str, JsonValue], asked: bool
) -> None:
    assert ids(visible_questions(asking(when), answers)) == (["a", "b", "c"] if asked else ["a", "b"])


def test_one_chosen_answer_out_of_several_is_enough() -> None:
    questionnaire = questionnaire_of(
        {"id": "a", "text": "?", "kind": "multiple_choice", "scored": False, "choices": CHOICES},
        {"id": "b", "text": "?", "domain": "PR", "when": {"question": "a", "is": ["b"]}},
    )
    assert ids(visible_questions(questionnaire, {"a": ["a", "b"]})) == ["a", "b"]
    assert ids(visible_questions(questionnaire, {"a": ["a"]})) == ["a"]


def test_a_condition_on_a_hidden_question_is_false_whatever_was_answered_there() -> None:
    questionnaire = questionnaire_of(
        {"id": "a", "text": "?", "kind": "yes_no", "scored": False},
        {"id": "b", "text": "?", "kind": "yes_no", "domain": "PR", "when": YES},
        {"id": "c", "text": "?", "domain": "PR", "when": {"question": "b", "is": "yes"}},
    )
    assert ids(visible_questions(questionnaire, {"a": "no", "b": "yes"})) == ["a"]
    assert ids(visible_questions(questionnaire, {"a": "yes", "b": "yes"})) == ["a", "b", "c"]


def test_without_conditions_every_question_is_asked() -> None:
    questionnaire = with_question()
    assert visible_questions(questionnaire, {}) is questionnaire.questions


def test_submitting_needs_every_visible_scored_question_and_those_that_conditions_use() -> None:
    assert ids(needed_to_submit(small(), {})) == ["remote", "S-1"]
    assert ids(needed_to_submit(small(), {"remote": "yes", "S-1": "dont_know"})) == ["S-2"]
    assert ids(needed_to_submit(small(), {"remote": "no", "S-1": {"not_applicable": "none"}})) == []


def test_an_optional_profile_question_is_needed_only_where_a_condition_uses_it() -> None:
    questionnaire = questionnaire_of(
        {"id": "a", "text": "?", "kind": "yes_no", "scored": False, "required": False},
        {"id": "b", "text": "?", "kind": "text", "scored": False, "required": False},
        {"id": "c", "text": "?", "domain": "PR", "when": YES},
    )
    assert ids(needed_to_submit(questionnaire, {})) == ["a"]
