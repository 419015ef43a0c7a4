"""What works in a questionnaire, but not as its author may think: warnings, which keep no file from being used."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice, product
from math import prod

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from pydantic import JsonValue

from questionnaires.answers import holds
from questionnaires.definition import Condition, Question, Questionnaire, leaves
from questionnaires.rules import Broken, possible_answers, questions_of
from questionnaires.words import gap_of
from questionnaires.worth import THIRD, target_of, worths
from questionnaires.yaml_lines import Path

SHOWN = 80
"""How much of a text is quoted in a sentence for the author."""

TRIED = 5_000
"""So many combinations of answers are tried to find out whether a question is ever asked."""

ONLY_SCORED = ("domain", "impact", "weight", "cost", "complexity", "target", "not_applicable", "action", "fix")
"""Keys that say nothing about a profile question."""


def weak_spots(questionnaire: Questionnaire) -> Iterator[Broken]:
    """What may be improved in a questionnaire that breaks no rule."""
    for path, question in questions_of(questionnaire):
        if question.scored:
            yield from _gap(path, question)
            yield from _worth(path, question)
        else:
            yield from _without_effect(path, question)
        if question.when is not None and not _can_hold(question.when, questionnaire):
            yield (
                (*path, "when"),
                _("Question %(id)s is never asked: no answers make its condition true.") % {"id": question.id},
                _("Look for parts that exclude each other."),
            )


def _gap(path: Path, question: Question) -> Iterator[Broken]:
    if not question.gap:
        words = Truncator(gap_of(question)).chars(SHOWN)
        yield (
            path,
            _("Question %(id)s has no gap, so reports say “%(words)s”.") % {"id": question.id, "words": words},
            _("Add “gap: ...”: what is missing, as a short negative."),
        )


def _worth(path: Path, question: Question) -> Iterator[Broken]:
    possible, target = worths(question), target_of(question)
    about = {"id": question.id, "target": f"{question.target:g}", "best": f"{float(max(possible)):g}"}
    at = (*path, "choices" if question.choices else "thresholds" if question.thresholds else "target")
    if max(possible) < 1:
        yield (
            at,
            _("Question %(id)s: its best answer is worth %(best)s, so nobody reaches a score of 100.") % about,
            _("Give the best answer the value 1."),
        )
    if question.kind != "multiple_choice" and target not in possible:
        reachable = ", ".join(f"{float(worth):.4g}" for worth in sorted(possible) if worth)
        yield (
            (*path, "target"),
            _("Question %(id)s: no answer is worth just the target %(target)s, which is what the plan counts with.")
            % about,
            _("Use one of: %(values)s.") % {"values": reachable},
        )
    if min(possible) >= target:
        yield (
            at,
            _("Question %(id)s: no answer is below the target, so nothing but “don't know” is ever a finding.") % about,
            _("Give the answers that leave something to do a value below %(target)s.") % about,
        )
    elif question.gate and min(possible) >= THIRD:
        yield (
            at,
            _("Question %(id)s is a gate, but no answer is worth less than one third, so it never fails.") % about,
            _("Give the answers that have to fail a value below one third, or remove “gate”."),
        )
    if question.kind == "multiple_choice" and all(choice.value for choice in question.choices):
        yield (
            at,
            _("Question %(id)s: people to whom none of the choices applies have no answer to give.") % about,
            _("Add a choice for them that is worth 0."),
        )


def _without_effect(path: Path, question: Question) -> Iterator[Broken]:
    given = [(name, (*path, name)) for name in ONLY_SCORED if name in question.model_fields_set]
    given += [
        ("value", (*path, "choices", position, "value"))
        for position, choice in enumerate(question.choices)
        if "value" in choice.model_fields_set
    ]
    for name, at in given:
        yield (
            at,
            _("Question %(id)s is not scored, so “%(key)s” has no effect.") % {"id": question.id, "key": name},
            _("Remove it, or score the question."),
        )


def _can_hold(condition: Condition, questionnaire: Questionnaire) -> bool:
    """Whether there are answers that make it true; also where they are too many to try."""
    asked = [questionnaire.by_id[name] for name in dict.fromkeys(leaf.question for leaf in leaves(condition))]
    given = [list(islice(_ways_to_answer(question), TRIED + 1)) for question in asked]
    if prod(map(len, given)) > TRIED:
        return True
    ids = [question.id for question in asked]
    return any(holds(condition, dict(zip(ids, values, strict=True))) for values in product(*given))


def _ways_to_answer(question: Question) -> Iterator[JsonValue]:
    yield None
    yield from possible_answers(question)
    if question.kind == "multiple_choice":
        for count in range(2, len(question.choice_ids) + 1):
            for chosen in combinations(question.choice_ids, count):
                yield [*chosen]
