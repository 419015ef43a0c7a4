"""What a well-formed questionnaire has to keep beyond its form: references that lead somewhere, numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

from django.utils.translation import gettext as _

from questionnaires.answers import DONT_KNOW, NOT_APPLICABLE, NPLF, YES_NO
from questionnaires.definition import AllOf, AnyOf, Condition, Is, Not, Question, Questionnaire
from questionnaires.numbers import MAX_NUMBER
from questionnaires.words import SPECIAL_LABELS
from questionnaires.worth import THIRD, target_of, worths
from questionnaires.yaml_lines import Path

Broken: TypeAlias = tuple[Path, str, str]
"""Where, what is wrong, and what to do."""

WITH_CHOICES = ("single_choice", "multiple_choice")
UNSCORABLE = ("text", "date")
RESERVED = (DONT_KNOW, NOT_APPLICABLE)


def broken_rules(questionnaire: Questionnaire) -> Iterator[Broken]:
    """Every rule that the questionnaire breaks."""
    yield from _duplicates(("domains",), [domain.id for domain in questionnaire.domains])
    yield from _duplicates(("sections",), [section.id for section in questionnaire.sections])
    if not any(question.scored for question in questionnaire.questions):
        yield ("sections",), _("No question is scored."), _("Give at least one question a domain and a score.")
    earlier: dict[str, Question] = {}
    domains = {domain.id for domain in questionnaire.domains}
    for path, question in questions_of(questionnaire):
        yield from _identity(path, question, earlier)
        yield from _scoring(path, question, domains)
        yield from _choices(path, question)
        yield from _thresholds(path, question)
        yield from _promises(path, question)
        if question.when is not None:
            yield from _condition((*path, "when"), question, question.when, earlier, questionnaire)
        earlier.setdefault(question.id, question)


def questions_of(questionnaire: Questionnaire) -> Iterator[tuple[Path, Question]]:
    """The questions with the places where they stand."""
    for number, section in enumerate(questionnaire.sections):
        for position, question in enumerate(section.questions):
            yield ("sections", number, "questions", position), question


def _duplicates(path: Path, ids: list[str]) -> Iterator[Broken]:
    counted: Counter[str] = Counter()
    for position, each in enumerate(ids):
        counted[each] += 1
        if counted[each] == 2:
            yield (*path, position, "id"), _("The id “%(id)s” is given twice.") % {"id": each}, _("Rename one of them.")


def _identity(path: Path, question: Question, earlier: dict[str, Question]) -> Iterator[Broken]:
    if question.id in earlier:
        yield (
            (*path, "id"),
            _("There is already a question with the id “%(id)s”.") % {"id": question.id},
            _("Give this one an id of its own."),
        )


def _scoring(path: Path, question: Question, domains: set[str]) -> Iterator[Broken]:
    about = {"id": question.id, "domain": question.domain, "kind": question.kind}
    if question.domain is not None and question.domain not in domains:
        yield (
            (*path, "domain"),
            _("Question %(id)s: there is no domain “%(domain)s”.") % about,
            _("Use one of: %(domains)s.") % {"domains": ", ".join(sorted(domains))},
        )
    if not question.scored:
        if question.gate:
            yield (
                (*path, "gate"),
                _("Question %(id)s is a gate but is not scored.") % about,
                _("Remove “gate”, or score the question."),
            )
        if question.gap:
            yield (
                (*path, "gap"),
                _("Question %(id)s has a gap but is not scored.") % about,
                _("Remove “gap”, or score the question."),
            )
        return
    if question.domain is None:
        yield (
            path,
            _("Question %(id)s is scored but has no domain.") % about,
            _("Add “domain: ...”, or “scored: false” for a profile question."),
        )
    if question.kind in UNSCORABLE:
        yield (
            (*path, "kind"),
            _("Question %(id)s: a %(kind)s cannot be scored.") % about,
            _("Add “scored: false”, or choose another kind."),
        )
    if not question.required:
        yield (
            (*path, "required"),
            _("Question %(id)s is scored, so it cannot be optional.") % about,
            _("Remove “required”; “don't know” and “not applicable” remain possible."),
        )


def _choices(path: Path, question: Question) -> Iterator[Broken]:
    about = {"id": question.id, "kind": question.kind}
    at = (*path, "choices")
    if question.kind not in WITH_CHOICES:
        if question.choices:
            yield (
                at,
                _("Question %(id)s: the kind %(kind)s has no choices.") % about,
                _("Remove “choices”, or write “kind: single_choice”."),
            )
        return
    if len(question.choices) < 2:
        yield (
            at,
            _("Question %(id)s: a choice needs at least two choices.") % about,
            _("List them under “choices”, each with id and text."),
        )
        return
    yield from _duplicates(at, list(question.choice_ids))
    for position, choice in enumerate(question.choices):
        if choice.id in RESERVED:
            yield (
                (*at, position, "id"),
                _("Question %(id)s: this choice id has a meaning of its own.") % about,
                _("Rename it; “don't know” and “not applicable” are offered by themselves."),
            )
    yield from _choice_texts(at, question)
    yield from _choice_values(at, question)


def _choice_texts(at: Path, question: Question) -> Iterator[Broken]:
    """Choices are told apart by what people read."""
    offered = [DONT_KNOW] if question.dont_know else []
    offered += [NOT_APPLICABLE] if question.scored and question.not_applicable else []
    known = {_as_read(str(SPECIAL_LABELS[special])) for special in offered}
    seen: set[str] = set()
    for position, choice in enumerate(question.choices):
        text = _as_read(choice.text)
        about = {"id": question.id, "text": choice.text}
        if text in known:
            yield (
                (*at, position, "text"),
                _("Question %(id)s: “%(text)s” is offered by itself, and a choice of this text counts otherwise.")
                % about,
                _("Remove the choice, or write it in other words."),
            )
        elif text in seen:
            yield (
                (*at, position, "text"),
                _("Question %(id)s: there is already a choice “%(text)s”.") % about,
                _("Write one of the two in other words."),
            )
        seen.add(text)


def _as_read(text: str) -> str:
    return " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold().split()).rstrip(".")


def _choice_values(at: Path, question: Question) -> Iterator[Broken]:
    if not question.scored:
        return
    values = [choice.value for choice in question.choices]
    if question.kind == "single_choice" and len(set(values)) == 1:
        yield (
            at,
            _("Question %(id)s is scored, but all its choices are worth the same.") % {"id": question.id},
            _("Give each choice a value between 0 and 1."),
        )
    if question.kind == "multiple_choice" and not any(values):
        yield (
            at,
            _("Question %(id)s is scored, but none of its choices is worth anything.") % {"id": question.id},
            _("Give the choices values above 0."),
        )


def _thresholds(path: Path, question: Question) -> Iterator[Broken]:
    about = {"id": question.id}
    at = (*path, "thresholds")
    if question.kind != "number" or not question.scored:
        if question.thresholds:
            yield at, _("Question %(id)s: only a scored number has thresholds.") % about, _("Remove “thresholds”.")
        if question.kind != "number" and question.unit:
            yield (*path, "unit"), _("Question %(id)s: only a number has a unit.") % about, _("Remove “unit”.")
        return
    if not question.thresholds:
        yield (
            path,
            _("Question %(id)s: a scored number needs thresholds.") % about,
            _("Add “thresholds”, each with at_least and value."),
        )
    elif not any(step.value for step in question.thresholds):
        yield (
            at,
            _("Question %(id)s is scored, but none of its thresholds is worth anything.") % about,
            _("Give the thresholds values above 0."),
        )
    for position, step in enumerate(question.thresholds):
        if abs(step.at_least) > MAX_NUMBER:
            yield (
                (*at, position, "at_least"),
                _("Question %(id)s: no answer is as large as this threshold.") % about,
                _("Use a number between -%(limit)d and %(limit)d.") % {"limit": MAX_NUMBER},
            )
    for position, (lower, upper) in enumerate(pairwise(question.thresholds), start=1):
        if upper.at_least <= lower.at_least:
            yield (
                (*at, position),
                _("Question %(id)s: this threshold is not above the one before it.") % about,
                _("Order them by at_least, the smallest first."),
            )


def _promises(path: Path, question: Question) -> Iterator[Broken]:
    """A report says that the target can be reached, and that a gate passes once it is."""
    if not question.scored or question.kind in UNSCORABLE or not (possible := worths(question)):
        return
    best, target = max(possible), target_of(question)
    about = {"id": question.id, "best": f"{float(best):g}", "target": f"{question.target:g}"}
    # Without any worth there is another rule that is broken.
    if 0 < best < target:
        yield (
            (*path, "choices" if question.choices else "thresholds"),
            _("Question %(id)s: its best answer is worth %(best)s, so nobody reaches the target %(target)s.") % about,
            _("Give the best answer the value %(target)s, or write “target: %(best)s”.") % about,
        )
    elif question.gate and target < THIRD:
        yield (
            (*path, "target"),
            _("Question %(id)s is a gate, which fails below one third, but its target is %(target)s.") % about,
            _("Use a target of at least 0.34, or remove “gate”."),
        )


def _condition(
    path: Path, question: Question, condition: Condition, earlier: dict[str, Question], whole: Questionnaire
) -> Iterator[Broken]:
    if isinstance(condition, Is):
        yield from _reference(path, question, condition, earlier, whole)
    elif isinstance(condition, Not):
        yield from _condition((*path, "not"), question, condition.not_, earlier, whole)
    else:
        key, parts = _parts(condition)
        for position, part in enumerate(parts):
            yield from _condition((*path, key, position), question, part, earlier, whole)


def _parts(condition: AllOf | AnyOf) -> tuple[str, tuple[Condition, ...]]:
    return ("all", condition.all) if isinstance(condition, AllOf) else ("any", condition.any)


def _reference(
    path: Path, question: Question, condition: Is, earlier: dict[str, Question], whole: Questionnaire
) -> Iterator[Broken]:
    about = {"id": question.id, "other": condition.question}
    at = (*path, "question")
    if condition.question not in whole.by_id:
        yield (
            at,
            _("Question %(id)s: the condition names a question “%(other)s” that does not exist.") % about,
            _("Correct the id, or remove the condition."),
        )
    elif condition.question not in earlier:
        yield (
            at,
            _("Question %(id)s: the condition names “%(other)s”, which is not asked before it.") % about,
            _("Move one of the two; a condition looks back only."),
        )
    else:
        yield from _answers(path, question, condition, earlier[condition.question])


def _answers(path: Path, question: Question, condition: Is, other: Question) -> Iterator[Broken]:
    possible = possible_answers(other)
    about = {"id": question.id, "other": other.id, "kind": other.kind}
    if not possible:
        yield (
            (*path, "question"),
            _("Question %(id)s: a condition cannot compare the %(kind)s of “%(other)s”.") % about,
            _("Use a question with fixed answers."),
        )
        return
    for position, answer in enumerate(condition.is_):
        if answer not in possible:
            yield (
                (*path, "is", position),
                _("Question %(id)s: “%(answer)s” is not an answer to “%(other)s”.") % {**about, "answer": answer[:40]},
                _("Use one of: %(answers)s.") % {"answers": ", ".join(possible)},
            )


def possible_answers(question: Question) -> tuple[str, ...]:
    """What a condition can compare the answers to this question with; empty for texts, numbers and dates."""
    fixed = {"nplf": NPLF, "yes_no": YES_NO}.get(question.kind, question.choice_ids)
    if not fixed:
        return ()
    dont_know = (DONT_KNOW,) if question.dont_know else ()
    not_applicable = (NOT_APPLICABLE,) if question.scored and question.not_applicable else ()
    return (*fixed, *dont_know, *not_applicable)
