"""A question on a page: what the template shows, and what comes back from its form.

Each question's inputs are named `<id>:value`, `:special`, `:reason`, `:note` and, without JavaScript, `:clear`, and
hidden facts about the page. For each
part, value and note, these are `:value_version` and `:note_version` (the versions that it showed), `:seen_value` and
`:seen_note` (fingerprints, so that a part that the person did not touch is no change) and, after a conflict,
`:theirs_value` and `:theirs_note` (the versions shown in the conflict) with the choices `:resolve_value` and
`:resolve_note`, "mine" or "theirs". A page that was opened before parts were told apart says `:version`, `:seen`,
`:theirs` and `:resolve` for the answer as a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from django.http import QueryDict
from pydantic import JsonValue

from answers.models import MAX_NOTE, Answer
from answers.saving import UNCHANGED, Change, Conflict, Part, clean_note
from answers.words import describe
from questionnaires.answers import (
    DONT_KNOW,
    MAX_TEXT,
    NOT_APPLICABLE,
    WRITTEN,
    InvalidAnswer,
    clean_answer,
    is_dont_know,
    is_not_applicable,
    plain,
    typed,
)
from questionnaires.definition import Question, Questionnaire, Section
from questionnaires.words import (
    NPLF_LABELS,
    SPECIAL_LABELS,
    YES_NO_LABELS,
    as_written,
    controls_in_words,
    reason_of,
)

CHOICES = ("mine", "theirs")
LONGEST_REMEMBERED = 40
"""Characters: the fingerprints of what is longer, as people's own words are, are made each time."""
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
    value_version: int
    note_version: int
    seen: str
    seen_value: str
    seen_note: str
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
            checked = is_dont_know(self.question, self.value)
            options.append(Option(DONT_KNOW, str(SPECIAL_LABELS[DONT_KNOW]), checked=checked))
        if self.question.scored and self.question.not_applicable:
            label = str(SPECIAL_LABELS[NOT_APPLICABLE])
            options.append(Option(NOT_APPLICABLE, label, checked=is_not_applicable(self.value)))
        return options

    @property
    def offers_not_applicable(self) -> bool:
        return self.question.scored and self.question.not_applicable

    @property
    def is_special(self) -> bool:
        """Whether the answer is "don't know" or "not applicable"."""
        return is_dont_know(self.question, self.value) or is_not_applicable(self.value)

    @property
    def reason(self) -> str:
        return reason_of(self.value)

    @property
    def written(self) -> str:
        """What a text, number or date field holds."""
        is_elsewhere = self.value is None or self.is_special or isinstance(self.value, list)
        return "" if is_elsewhere else as_written(self.value)

    @property
    def references(self) -> list[tuple[str, str]]:
        """Framework and controls, for the small tags."""
        return controls_in_words(self.question.references)

    @property
    def in_words(self) -> str:
        return describe(self.question, self.value)

    @property
    def differing_parts(self) -> tuple[Part, ...]:
        """The parts that are in conflict."""
        return self.conflict.parts if self.conflict else ()

    @property
    def theirs_in_words(self) -> str:
        return describe(self.question, self.conflict.current.value) if self.conflict else ""


def _offered(question: Question) -> list[tuple[str, str, str]]:
    if question.kind == "nplf":
        return [(value, str(label), str(hint)) for value, (label, hint) in NPLF_LABELS.items()]
    if question.kind == "yes_no":
        return [(value, str(label), "") for value, label in YES_NO_LABELS.items()]
    return [(choice.id, choice.text, "") for choice in question.choices]


def fingerprint(part: JsonValue) -> str:
    """A short name for a value or a note, by which a page knows later what it showed."""
    spelled = _spelled(part)
    return _remembered_digest(spelled) if len(spelled) <= LONGEST_REMEMBERED else _digest(spelled)


def _digest(spelled: str) -> str:
    return hashlib.sha256(spelled.encode()).hexdigest()[:16]


# Each save names all answers of its submission, and most of them are one of a few choices without a note.
_spelled = json.JSONEncoder(sort_keys=True).encode
_remembered_digest = lru_cache(maxsize=1024)(_digest)


def versions_of(answer: Answer) -> dict[str, int]:
    """What a change of an answer is guarded by."""
    return {
        "version": answer.version,
        "value_version": answer.value_version,
        "note_version": answer.note_version,
    }


def fields_for(
    questionnaire: Questionnaire, section: Section, *, answers: Mapping[str, Answer], visible: frozenset[str]
) -> list[QuestionField]:
    """The questions of a page with their stored answers."""
    fields = []
    for question in section.questions:
        stored = answers.get(question.id) or Answer()
        seen_value, seen_note = fingerprint(stored.value), fingerprint(stored.note)
        fields.append(
            QuestionField(
                question=question,
                value=stored.value,
                note=stored.note,
                version=stored.version,
                value_version=stored.value_version,
                note_version=stored.note_version,
                seen=seen_value + seen_note,
                seen_value=seen_value,
                seen_note=seen_note,
                visible=question.id in visible,
                needed=question.required or question.id in questionnaire.used_by_conditions,
            )
        )
    return fields


def posted_changes(post: QueryDict, questions: Iterable[Question]) -> list[Change]:
    """What the person changed on the page; a part as the page showed it is no change."""
    changes = []
    for question in questions:
        if f"{question.id}:value_version" in post:
            change = _change(post, question)
            if change.value is not UNCHANGED or change.note is not UNCHANGED:
                changes.append(change)
        elif f"{question.id}:version" in post and _is_touched(post, question):
            changes.append(_whole_change(post, question))
    return changes


def _change(post: QueryDict, question: Question) -> Change:
    value, note = typed_value(post, question), post.get(f"{question.id}:note", "")
    return Change(
        question=question.id,
        value=value if _is_value_touched(post, question, value) else UNCHANGED,
        note=note if _is_note_touched(post, question, note) else UNCHANGED,
        base_version=_number(post.get(f"{question.id}:version")),
        base_value_version=_base(post, question, "value"),
        base_note_version=_base(post, question, "note"),
    )


def _base(post: QueryDict, question: Question, part: Part) -> int:
    is_agreed = post.get(f"{question.id}:resolve_{part}") == "mine"
    return _number(post.get(f"{question.id}:{f'theirs_{part}' if is_agreed else f'{part}_version'}"))


def _is_value_touched(post: QueryDict, question: Question, value: JsonValue) -> bool:
    if (resolve := post.get(f"{question.id}:resolve_value")) in CHOICES:
        return resolve == "mine"
    return post.get(f"{question.id}:seen_value") not in set(map(fingerprint, _values(question, value)))


def _is_note_touched(post: QueryDict, question: Question, typed: str) -> bool:
    if (resolve := post.get(f"{question.id}:resolve_note")) in CHOICES:
        return resolve == "mine"
    return post.get(f"{question.id}:seen_note") not in set(map(fingerprint, _notes(typed)))


def _values(question: Question, value: JsonValue) -> Iterator[JsonValue]:
    """What the page may have shown if this stands in its fields: an answer as it is stored today, or one that was
    stored as it is before a rule was made; that one stays until somebody changes it."""
    if isinstance(value, dict):
        yield {key: _with_plain_line_ends(str(words)) for key, words in value.items()}
    found = value if question.dont_know else plain(value)
    yield _with_plain_line_ends(found) if isinstance(found, str) else found
    with suppress(InvalidAnswer):
        yield clean_answer(question, value)


def _notes(typed: str) -> Iterator[str]:
    yield _with_plain_line_ends(typed)
    with suppress(InvalidAnswer):
        yield clean_note(typed)


def _with_plain_line_ends(typed: str) -> str:
    """Forms are sent with the line ends of the internet, whatever stood on the page."""
    return typed.replace("\r\n", "\n")


def _whole_change(post: QueryDict, question: Question) -> Change:
    is_agreed = post.get(f"{question.id}:resolve") == "mine"
    return Change(
        question=question.id,
        value=typed_value(post, question),
        note=post.get(f"{question.id}:note", ""),
        base_version=_number(post.get(f"{question.id}:{'theirs' if is_agreed else 'version'}")),
    )


def _is_touched(post: QueryDict, question: Question) -> bool:
    if (resolve := post.get(f"{question.id}:resolve")) in CHOICES:
        return resolve == "mine"
    shown = product(_values(question, typed_value(post, question)), _notes(post.get(f"{question.id}:note", "")))
    seen = post.get(f"{question.id}:seen")
    return not any(
        seen in (fingerprint(value) + fingerprint(note), fingerprint([value, note])) for value, note in shown
    )


def given_up(post: QueryDict, questions: Iterable[Question]) -> Iterator[tuple[Question, Part, str]]:
    """What a person had typed and now leaves for somebody else's answer, in words; it is stored nowhere."""
    for question in questions:
        value, note = typed_value(post, question), post.get(f"{question.id}:note", "").strip()
        is_old = post.get(f"{question.id}:resolve") == "theirs"
        if (is_old or post.get(f"{question.id}:resolve_value") == "theirs") and value is not None:
            yield question, "value", describe(question, value)
        if (is_old or post.get(f"{question.id}:resolve_note") == "theirs") and note:
            yield question, "note", note


def typed_value(post: QueryDict, question: Question) -> JsonValue:
    """The answer as it was given in the form, not checked."""
    if f"{question.id}:clear" in post:
        return ""
    special = post.get(f"{question.id}:{'value' if question.kind in RADIO_KINDS else 'special'}")
    if special == NOT_APPLICABLE:
        return {NOT_APPLICABLE: post.get(f"{question.id}:reason", "")}
    if special == DONT_KNOW:
        return DONT_KNOW
    if question.kind == "multiple_choice":
        return list(post.getlist(f"{question.id}:value"))
    written = post.get(f"{question.id}:value", "")
    return typed(written) if question.kind in WRITTEN else written


def _number(text: str | None) -> int:
    """The version that a page says; -1, which no answer has, for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1
