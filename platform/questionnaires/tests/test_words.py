"""Answers read the same wherever they are shown."""

from __future__ import annotations

import pytest
from django.utils.translation import override
from pydantic import JsonValue

from questionnaires.answers import NPLF, YES_NO
from questionnaires.definition import Choice, Kind, Question, References
from questionnaires.words import NPLF_LABELS, YES_NO_LABELS, answer_in_words, controls_in_words, gap_of, reason_of


def _question(kind: Kind, unit: str = "") -> Question:
    choices = (Choice(id="vpn", text="By VPN"), Choice(id="rdp", text="By remote desktop"))
    return Question(id="q", text="?", kind=kind, unit=unit, choices=choices if "choice" in kind else ())


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("nplf", "N", "Not in place"),
        ("nplf", "P", "Partly"),
        ("nplf", "L", "Mostly"),
        ("nplf", "F", "Fully"),
        ("yes_no", "yes", "Yes"),
        ("yes_no", "no", "No"),
        ("single_choice", "vpn", "By VPN"),
        ("multiple_choice", ["vpn", "rdp"], "By VPN, By remote desktop"),
        ("number", 12, "12 people"),
        ("number", 0.0000001, "0.0000001 people"),
        ("number", 1.125, "1.1250 people"),
        ("text", {"text": "dont_know"}, "dont_know"),
        ("date", "2026-05-31", "2026-05-31"),
        ("text", "example.org", "example.org"),
        ("text", "yes", "yes"),
        ("nplf", "dont_know", "Don't know"),
        ("nplf", {"not_applicable": "No staff"}, "Not applicable"),
        ("nplf", None, "No answer"),
        ("text", "", "No answer"),
        ("multiple_choice", [], "No answer"),
        ("nplf", "typed by hand", "typed by hand"),
    ],
)
def test_an_answer_reads_as_the_page_that_asks_it(kind: Kind, value: JsonValue, words: str) -> None:
    assert answer_in_words(_question(kind, unit="people"), value) == words


def test_without_its_question_an_answer_is_given_as_it_was_stored() -> None:
    assert answer_in_words(None, "F") == "F"
    assert answer_in_words(None, "dont_know") == "Don't know"


def test_a_text_stored_as_the_letters_of_dont_know_reads_as_a_text_where_that_is_not_offered() -> None:
    assert answer_in_words(Question(id="q", text="?", kind="text", dont_know=False), "dont_know") == "dont_know"


def test_every_step_that_is_accepted_has_a_label() -> None:
    assert tuple(NPLF_LABELS) == NPLF
    assert tuple(YES_NO_LABELS) == YES_NO


def test_the_labels_are_translated_when_they_are_shown() -> None:
    with override("de"):
        assert answer_in_words(_question("yes_no"), "yes") == "Ja"


def test_only_what_does_not_apply_has_a_reason() -> None:
    assert reason_of({"not_applicable": "No staff"}) == "No staff"
    assert reason_of("F") == ""


def test_controls_are_listed_by_framework_and_only_where_there_are_any() -> None:
    found = controls_in_words(References(cpg=("4.A", "3.M"), cyber_essentials=("Malware protection",)))
    assert found == [("CISA CPG 2.0", "4.A, 3.M"), ("Cyber Essentials", "Malware protection")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"gap": "Not all laptops are encrypted", "action": "Encrypt laptops"}, "Not all laptops are encrypted"),
        ({"action": "Encrypt laptops"}, "Not in place: Encrypt laptops"),
        ({}, "Not in place: Laptops are 100% encrypted."),
    ],
)
def test_what_is_missing_is_never_said_as_if_it_were_there(fields: dict[str, str], words: str) -> None:
    assert gap_of(Question(id="q", text="Laptops are 100% encrypted.", **fields)) == words
