"""The quick check: its facts are exact, and every question helps."""

from __future__ import annotations

import re

import pytest

from questionnaires.answers import visible_questions
from questionnaires.definition import Question
from questionnaires.library import built_in, built_in_slugs
from questionnaires.tests.editions import quick_check_1_0
from questionnaires.words import NPLF_LABELS, SPECIAL_LABELS

IMPACTS = {"high": 3, "moderate": 2, "low": 1}
UPDATES, SETUP, ACCESS = ("Security update management", "Secure configuration", "User access control")

# id, CPG 2.0, CSF 2.0, Cyber Essentials, domain, weight, cost, complexity, gate
FACTS = [
    ("QC-01", ("1.A",), ("GV.RR-02",), (), "GV", 3, 1, 2, False),
    ("QC-02", ("2.A",), ("ID.AM-01", "ID.AM-02"), (), "ID", 3, 1, 2, False),
    ("QC-03", ("2.B",), ("ID.RA-01", "PR.PS-02"), (UPDATES,), "ID", 3, 3, 3, True),
    ("QC-04", ("3.A",), ("PR.AA-01", "PR.PS-01"), (SETUP,), "PR", 3, 1, 1, True),
    ("QC-05", ("3.B", "3.C"), ("PR.AA-01",), (ACCESS,), "PR", 3, 1, 1, False),
    ("QC-06", ("3.F",), ("PR.AA-03",), (ACCESS,), "PR", 3, 2, 2, True),
    ("QC-07", ("3.D",), ("PR.AA-01", "PR.AA-05"), (ACCESS,), "PR", 3, 1, 2, False),
    ("QC-08", ("3.G", "3.H"), ("PR.AA-05",), (ACCESS,), "PR", 3, 1, 1, False),
    ("QC-09", ("3.O",), ("PR.DS-11", "RC.RP-03"), (), "PR", 3, 3, 2, True),
    ("QC-10", ("4.A", "3.M"), ("DE.CM-09", "PR.PS-05"), ("Malware protection",), "DE", 3, 2, 2, False),
    ("QC-11", ("3.J",), ("PR.AT-01",), (), "PR", 3, 1, 2, False),
    ("QC-12", ("1.C", "5.B"), ("ID.IM-04", "RS.MA-01", "RS.CO-02"), (), "RS", 3, 1, 2, False),
    ("QC-13", ("3.S",), ("PR.IR-01",), ("Firewalls",), "PR", 3, 2, 3, True),
    ("QC-14", ("1.E",), ("GV.SC-07",), (), "GV", 2, 2, 3, False),
]

QUESTIONS = built_in("quick-check").questions
SCORED = [question for question in QUESTIONS if question.scored]


def test_it_is_the_only_one_built_in() -> None:
    assert built_in_slugs() == ["quick-check"]


def test_its_facts_are_those_of_the_published_controls() -> None:
    found = [
        (
            question.id,
            question.references.cpg,
            question.references.csf,
            question.references.cyber_essentials,
            question.domain,
            IMPACTS[question.impact] * question.weight,
            question.cost,
            question.complexity,
            question.gate,
        )
        for question in SCORED
    ]
    assert found == FACTS


def test_its_domains_are_functions_of_the_csf() -> None:
    domains = [(domain.id, domain.title) for domain in built_in("quick-check").domains]
    assert domains == [
        ("GV", "Govern"),
        ("ID", "Identify"),
        ("PR", "Protect"),
        ("DE", "Detect"),
        ("RS", "Respond"),
    ]


@pytest.mark.parametrize("question", SCORED, ids=lambda question: question.id)
def test_a_scored_question_says_why_how_to_check_and_how_to_fix(question: Question) -> None:
    assert question.kind == "nplf"
    assert question.why
    assert question.check
    assert question.action
    assert 2 <= len(question.evidence) <= 4
    assert 3 <= len(question.fix) <= 5


@pytest.mark.parametrize("question", SCORED, ids=lambda question: question.id)
def test_a_gap_is_a_short_negative_in_plain_words(question: Question) -> None:
    assert 20 <= len(question.gap) <= 80
    assert question.gap[0].isupper()
    assert not question.gap.endswith(".")
    assert not re.search(r"\b(?!IT\b)[A-Z]{2,}|\d|[()/“”]", question.gap)
    # One negation: two are a riddle, and "nothing" is not true of somebody who answered "Partly".
    assert len(re.findall(r"\b(?:not|no|missing|never|without|lacks?|cannot|can't)\b", question.gap, re.I)) == 1
    assert not re.search(r"\b(?:nothing|nobody|none|nowhere|neither)\b", question.gap, re.I)


def test_no_two_gaps_are_the_same() -> None:
    assert len({question.gap for question in SCORED}) == len(SCORED)


def test_the_first_edition_differs_by_the_gaps_alone() -> None:
    first, now = quick_check_1_0(), built_in("quick-check")
    assert (first.version, now.version) == ("1.0", "1.1")
    assert [question.model_copy(update={"gap": ""}) for question in now.questions] == list(first.questions)


def test_its_profile_questions_are_not_scored_and_say_why_they_are_asked() -> None:
    profile = [question for question in QUESTIONS if not question.scored]
    assert [(question.id, question.kind, question.required) for question in profile] == [
        ("sector", "single_choice", False),
        ("staff", "single_choice", False),
        ("exposed", "yes_no", True),
        ("provider", "yes_no", True),
        ("website", "text", False),
    ]
    assert all(question.why for question in profile)


@pytest.mark.parametrize(("profile", "question"), [("exposed", "QC-13"), ("provider", "QC-14")])
@pytest.mark.parametrize(("answer", "asked"), [("yes", True), ("dont_know", True), ("no", False), (None, False)])
def test_yes_and_dont_know_ask_one_question_more(profile: str, question: str, answer: str | None, asked: bool) -> None:
    visible = visible_questions(built_in("quick-check"), {profile: answer})
    assert (question in [each.id for each in visible]) is asked
    assert len([each for each in visible if each.scored]) == 12 + asked


def test_what_it_quotes_are_labels_that_people_see() -> None:
    labels = {str(label) for label in (*SPECIAL_LABELS.values(), *(label for label, _meaning in NPLF_LABELS.values()))}
    quoted = {word for section in built_in("quick-check").sections for word in re.findall("“([^”]+)”", section.intro)}
    assert quoted
    assert quoted <= labels


def test_no_page_is_ever_empty() -> None:
    visible = {question.id for question in visible_questions(built_in("quick-check"), {})}
    for section in built_in("quick-check").sections:
        assert visible & {question.id for question in section.questions}
