"""A question on a page: what the template shows, and what comes back from its form.

Each question's inputs are named `<id>:value`, `:special`, `:reason`, `:note`, and three hidden facts about the page:
`:version` (of the answer it showed), `:seen` (a fingerprint of that answer, so that what the person did not touch is no
change) and, after a conflict, `:theirs` (the version shown in the conflict) with the choice `:resolve`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict
from pydantic import JsonValue

from answers.models import MAX_NOTE, Answer
from answers.saving import Change, Conflict, clean_note
from answers.words import describe
from questionnaires.answers import DONT_KNOW, MAX_TEXT, NOT_APPLICABLE, InvalidAnswer, clean_answer
from questionnaires.definition import Question, Questionnaire, Section
from questionnaires.words import NPLF_LABELS, SPECIAL_LABELS, YES_NO_LABELS, controls_in_words, reason_of

RADIO_KINDS = frozenset({"nplf", "yes_no", "single_choice"})


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    hint: str = ""
    checked: bool = False


@dataclass(frozen=True, kw_only=True)
class QuestionField:
    """One question with the answer to show, be it stored or just typed."""

    question: Question
    value: JsonValue
    note: str
    version: int
    seen: str
    visible: bool
    needed: bool
    error: str = ""
    conflict: Conflict | None = None
    is_unsaved: bool = False
    """Whether this is what was typed, and not what is stored."""

    max_note = MAX_NOTE
    max_text = MAX_TEXT

    @property
    def is_radio(self) -> bool:
        return self.question.kind in RADIO_KINDS

    @property
    def is_answered(self) -> bool:
        return self.value not in (None, "", [])

    @property
    def options(self) -> list[Option]:
        """The answers to choose from, without "don't know" and "not applicable"."""
        chosen = self.value if isinstance(self.value, list) else [self.value]
        return [Option(value, label, hint, value in chosen) for value, label, hint in _offered(self.question)]

    @property
    def special_options(self) -> list[Option]:
        """Don't know and not applicable, where the question takes them."""
        options = []
        if self.question.dont_know:
            options.append(Option(DONT_KNOW, str(SPECIAL_LABELS[DONT_KNOW]), checked=self.value == DONT_KNOW))
        if self.question.scored and self.question.not_applicable:
            label = str(SPECIAL_LABELS[NOT_APPLICABLE])
            options.append(Option(NOT_APPLICABLE, label, checked=isinstance(self.value, dict)))
        return options

    @property
    def offers_not_applicable(self) -> bool:
        return self.question.scored and self.question.not_applicable

    @property
    def is_special(self) -> bool:
        """Whether the answer is "don't know" or "not applicable"."""
        return self.value == DONT_KNOW or isinstance(self.value, dict)

    @property
    def reason(self) -> str:
        return reason_of(self.value)

    @property
    def written(self) -> str:
        """What a text, number or date field holds."""
        is_elsewhere = self.value is None or self.is_special or isinstance(self.value, list)
        return "" if is_elsewhere else str(self.value)

    @property
    def references(self) -> list[tuple[str, str]]:
        """Framework and controls, for the small tags."""
        return controls_in_words(self.question.references)

    @property
    def in_words(self) -> str:
        return describe(self.question, self.value)

    @property
    def theirs_in_words(self) -> str:
        return describe(self.question, self.conflict.current.value) if self.conflict else ""


def _offered(question: Question) -> list[tuple[str, str, str]]:
    if question.kind == "nplf":
        return [(value, str(label), str(hint)) for value, (label, hint) in NPLF_LABELS.items()]
    if question.kind == "yes_no":
        return [(value, str(label), "") for value, label in YES_NO_LABELS.items()]
    return [(choice.id, choice.text, "") for choice in question.choices]


def fingerprint(value: JsonValue, note: str) -> str:
    """A short name for an answer, by which a page knows later what it showed."""
    return hashlib.sha256(json.dumps([value, note], sort_keys=True).encode()).hexdigest()[:16]


def fields_for(
    questionnaire: Questionnaire, section: Section, *, answers: Mapping[str, Answer], visible: frozenset[str]
) -> list[QuestionField]:
    """The questions of a page with their stored answers."""
    fields = []
    for question in section.questions:
        stored = answers.get(question.id)
        value, note, version = (stored.value, stored.note, stored.version) if stored else (None, "", 0)
        fields.append(
            QuestionField(
                question=question,
                value=value,
                note=note,
                version=version,
                seen=fingerprint(value, note),
                visible=question.id in visible,
                needed=question.required or question.id in questionnaire.used_by_conditions,
            )
        )
    return fields


def posted_changes(post: QueryDict, questions: Iterable[Question]) -> list[Change]:
    """What the person changed on the page; an answer as the page showed it is none."""
    return [_change(post, q) for q in questions if f"{q.id}:version" in post and _is_touched(post, q)]


def _change(post: QueryDict, question: Question) -> Change:
    agreed = post.get(f"{question.id}:resolve") == "mine"
    return Change(
        question=question.id,
        value=typed_value(post, question),
        note=post.get(f"{question.id}:note", ""),
        base_version=_number(post.get(f"{question.id}:{'theirs' if agreed else 'version'}")),
    )


def _is_touched(post: QueryDict, question: Question) -> bool:
    resolve = post.get(f"{question.id}:resolve")
    if resolve in ("mine", "theirs"):
        return resolve == "mine"
    try:
        value = clean_answer(question, typed_value(post, question))
        note = clean_note(post.get(f"{question.id}:note", ""))
    except InvalidAnswer:
        return True
    return fingerprint(value, note) != post.get(f"{question.id}:seen")


def typed_value(post: QueryDict, question: Question) -> JsonValue:
    """The answer as it was given in the form, not checked."""
    special = post.get(f"{question.id}:{'value' if question.kind in RADIO_KINDS else 'special'}")
    if special == NOT_APPLICABLE:
        return {NOT_APPLICABLE: post.get(f"{question.id}:reason", "")}
    if special == DONT_KNOW:
        return DONT_KNOW
    if question.kind == "multiple_choice":
        return list(post.getlist(f"{question.id}:value"))
    return post.get(f"{question.id}:value", "")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
