"""Saving answers: the one way in for the pages, the autosave and whatever comes later.

A save is all or nothing as to what is valid: one answer that the questionnaire does not take, and nothing is stored.
A conflict is no mistake: what somebody else changed in between is left as it is and given back, the rest of the same
save is stored. An answer has two parts, value and note, and each is stored or in conflict by itself. So colleagues who
work on different questions merge, and so do one on the value and one on the note of the same question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import JsonValue

import eventbus
from answers import statements
from answers.events import event_of
from answers.models import MAX_NOTE, Answer, Submission
from questionnaires.answers import InvalidAnswer, clean_answer
from questionnaires.definition import Questionnaire
from questionnaires.texts import clean_text
from throttling import buckets

if TYPE_CHECKING:
    from accounts.models import User


class Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED
"""In the place of a value or a note: this part of the answer stays as it is."""

Value: TypeAlias = JsonValue | Literal[Unchanged.UNCHANGED]
Note: TypeAlias = str | Literal[Unchanged.UNCHANGED]
Part: TypeAlias = Literal["value", "note"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a person chose, and the versions that they had before them (0: none yet).

    Each part is guarded by its own version, or by the whole answer's where that is not given. Where neither part has
    its own, the answer is guarded as a whole: it is stored with both parts, or left as it is.
    """

    question: str
    value: Value = UNCHANGED
    note: Note = UNCHANGED
    base_version: int = 0
    base_value_version: int | None = None
    base_note_version: int | None = None


@dataclass(frozen=True)
class Conflict:
    """A change of which a part was not made: it is no longer the one that the person had before them."""

    change: Change
    current: Answer
    """The answer as it stands after the save; of version 0 and not stored where there is none."""
    value: bool
    note: bool

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are in conflict, the newest change first."""
        versions: dict[Part, int] = {}
        if self.value:
            versions["value"] = self.current.value_version
        if self.note:
            versions["note"] = self.current.note_version
        return tuple(sorted(versions, key=versions.__getitem__, reverse=True))


@dataclass(frozen=True)
class Saved:
    """What a save came to."""

    submission: Submission
    answers: dict[str, Answer]
    """Every stored answer of the submission by question id, as it stands now, without who changed a part and when."""
    conflicts: tuple[Conflict, ...]


class SubmissionClosed(Exception):
    """It was submitted; it has to be reopened before answers can change."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        super().__init__(str(submission.pk))


class InvalidChanges(Exception):
    """Answers that the questionnaire does not take; `errors` holds a sentence for each by question id.

    `conflicts` are those of the other answers of the same save: a person puts both right at once.
    """

    def __init__(self, errors: dict[str, str], conflicts: tuple[Conflict, ...] = ()) -> None:
        self.errors = errors
        self.conflicts = conflicts
        super().__init__(", ".join(sorted(errors)))


def save_answers(submission_id: UUID, user: User, changes: Sequence[Change]) -> Saved:
    """Store the changes and publish the new state, in one transaction; what changes nothing is not a save.

    Raises Submission.DoesNotExist, SubmissionClosed, InvalidChanges and Throttled; nothing is stored then.
    """
    # Before the transaction: what is too much for one person locks nothing. A form that carries nothing is no save.
    if changes:
        buckets.demand("save-person", user.pk)
    return _save(submission_id, user, changes)


@transaction.atomic
def _save(submission_id: UUID, user: User, changes: Sequence[Change]) -> Saved:
    submission = statements.lock(submission_id, user)
    # Only now it is known that it is the person's own organisation: nobody takes from another's.
    if changes:
        buckets.demand("save-organisation", submission.organisation_id)
    if submission.is_submitted:
        raise SubmissionClosed(submission)
    answers = statements.answers_of(submission)
    cleaned, errors = _cleaned(submission.questionnaire, changes, answers)
    differing = [change for each in cleaned if (change := _differing(each, answers.get(each.question)))]
    refused = {change.question: _refused(change, answers.get(change.question)) for change in differing}
    if errors:
        raise InvalidChanges(errors, _conflicts(submission, cleaned, refused))
    accepted = [change for each in differing if (change := _without(each, *refused[each.question]))]
    if accepted:
        answers |= _store(submission, user, accepted, answers)
        _publish_save(submission, answers.values())
    return Saved(submission, answers, _conflicts(submission, cleaned, refused))


def _cleaned(
    questionnaire: Questionnaire, changes: Sequence[Change], answers: Mapping[str, Answer]
) -> tuple[list[Change], dict[str, str]]:
    """The changes that the questionnaire takes, and why it does not take the others."""
    cleaned: dict[str, Change] = {}
    errors: dict[str, str] = {}
    for change in changes:
        try:
            if change.question in cleaned:
                raise InvalidAnswer(_("This question was answered twice in one save."))
            cleaned[change.question] = _clean(questionnaire, change, answers.get(change.question))
        except InvalidAnswer as error:
            errors[change.question] = _(error.message) % error.params if error.params else _(error.message)
    return list(cleaned.values()), errors


def _clean(questionnaire: Questionnaire, change: Change, current: Answer | None) -> Change:
    question = questionnaire.by_id.get(change.question)
    if question is None:
        raise InvalidAnswer(_("This questionnaire has no such question."))
    value, note = change.value, change.note
    # What is stored stays as it is when it comes back, even if today's rules would not take it.
    if value is not UNCHANGED and not (current and value == current.value):
        value = clean_answer(question, value)
    if note is not UNCHANGED and not (current and note == current.note):
        note = clean_note(note)
    return replace(change, value=value, note=note)


def clean_note(note: str) -> str:
    """Give the note's one spelling; raises InvalidAnswer for one that is too long."""
    return clean_text(note, limit=MAX_NOTE, what="note")


def _differing(change: Change, current: Answer | None) -> Change | None:
    """The parts that change something."""
    # The very same part is no change, whatever its version: an answer to a save may have got lost on its way.
    current = current or Answer()
    return _without(change, value=change.value == current.value, note=change.note == current.note)


def _without(change: Change, value: bool, note: bool) -> Change | None:
    """The change without these parts; None where nothing of it is left."""
    rest = replace(change, value=UNCHANGED if value else change.value, note=UNCHANGED if note else change.note)
    return None if rest.value is UNCHANGED and rest.note is UNCHANGED else rest


def _refused(change: Change, current: Answer | None) -> tuple[bool, bool]:
    """Whether the value and whether the note of what is stored is another than the person had before them."""
    current = current or Answer()
    is_another = change.base_version != current.version
    is_another_value = is_another_note = is_another
    if change.base_value_version is not None:
        is_another_value = change.base_value_version != current.value_version
    if change.base_note_version is not None:
        is_another_note = change.base_note_version != current.note_version
    return change.value is not UNCHANGED and is_another_value, change.note is not UNCHANGED and is_another_note


def _conflicts(
    submission: Submission, changes: Sequence[Change], refused: dict[str, tuple[bool, bool]]
) -> tuple[Conflict, ...]:
    parts = {name: of_answer for name, of_answer in refused.items() if any(of_answer)}
    if not parts:
        return ()
    # Who was faster is told by name; a save without conflict does not need anybody's.
    stored = Answer.objects.filter(submission=submission, question__in=parts)
    known = {answer.question: answer for answer in stored.select_related("updated_by", "value_by", "note_by")}
    found = []
    for change in changes:
        if change.question in parts:
            value, note = parts[change.question]
            current = known.get(change.question) or _nothing(submission, change.question)
            current.submission = submission
            found.append(Conflict(change, current, value=value, note=note))
    return tuple(found)


def _nothing(submission: Submission, question: str) -> Answer:
    """An answer that was never given: so it is since the submission was started."""
    return Answer(submission=submission, question=question, updated_at=submission.created_at)


def _store(
    submission: Submission, user: User, changes: Sequence[Change], before: dict[str, Answer]
) -> dict[str, Answer]:
    now = timezone.now()
    rows = [_changed(submission, change, before.get(change.question), user, now) for change in changes]
    statements.store(rows)
    return {row.question: row for row in rows}


def _changed(submission: Submission, change: Change, before: Answer | None, user: User, now: datetime) -> Answer:
    """The answer with the change made: a part that is not in it stays, and has no person and no time here."""
    before = before or Answer()
    answer = Answer(
        submission=submission,
        question=change.question,
        version=before.version + 1,
        value=before.value,
        value_version=before.value_version,
        note=before.note,
        note_version=before.note_version,
        updated_by=user,
        updated_at=now,
    )
    if change.value is not UNCHANGED:
        answer.value, answer.value_version = change.value, answer.version
        answer.value_by, answer.value_at = user, now
    if change.note is not UNCHANGED:
        answer.note, answer.note_version = change.note, answer.version
        answer.note_by, answer.note_at = user, now
    return answer


def _publish_save(submission: Submission, answers: Iterable[Answer]) -> None:
    is_first = submission.revision == 0
    submission.revision += 1
    submission.updated_at = timezone.now()
    line_name = statements.store_revision(submission)
    eventbus.publish(event_of(submission, "new" if is_first else "changed", answers, line_name=line_name))
