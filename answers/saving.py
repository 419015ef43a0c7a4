"""Saving answers: the one way in for the pages, the autosave and whatever comes later.

A save is all or nothing as to what is valid: one answer that the questionnaire does not take, and nothing is stored.
A conflict is no mistake: the answers that somebody else changed meanwhile are left as they are and given back, the
others of the same save are stored, so that colleagues on different questions merge.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import JsonValue

import eventbus
from answers import statements
from answers.models import MAX_NOTE, Answer, Submission
from answers.submissions import event_of
from questionnaires.answers import InvalidAnswer, clean_answer
from questionnaires.definition import Questionnaire

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a person chose, and the version of the answer that they had before them (0: none yet)."""

    question: str
    value: JsonValue
    note: str = ""
    base_version: int = 0


@dataclass(frozen=True)
class Conflict:
    """A change that was not made, for the answer is no longer the one that the person had before them."""

    change: Change
    current: Answer


@dataclass(frozen=True)
class Saved:
    """What a save came to."""

    submission: Submission
    answers: dict[str, Answer]
    """Every stored answer of the submission by question id, as it stands now."""
    conflicts: tuple[Conflict, ...]


class SubmissionClosed(Exception):
    """It was submitted; it has to be reopened before answers can change."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        super().__init__(str(submission.pk))


class InvalidChanges(Exception):
    """Answers that the questionnaire does not take; `errors` holds a sentence for each by question id."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(", ".join(sorted(errors)))


@transaction.atomic
def save_answers(submission_id: UUID, user: User, changes: Sequence[Change]) -> Saved:
    """Store the changes and publish the new state, in one transaction; what changes nothing is not a save.

    Raises Submission.DoesNotExist, SubmissionClosed and InvalidChanges; nothing is stored then.
    """
    submission = statements.lock(submission_id, user)
    if submission.is_submitted:
        raise SubmissionClosed(submission)
    cleaned = _cleaned(submission.questionnaire, changes)

    answers = statements.answers_of(submission)
    differing = [change for change in cleaned if _differs(change, answers.get(change.question))]
    conflicts = _conflicts(differing, answers)
    refused = {conflict.change.question for conflict in conflicts}
    accepted = [change for change in differing if change.question not in refused]
    if accepted:
        answers |= _store(submission, user, accepted, answers)
        _publish_save(submission, answers.values())
    return Saved(submission, answers, conflicts)


def _cleaned(questionnaire: Questionnaire, changes: Sequence[Change]) -> list[Change]:
    cleaned: dict[str, Change] = {}
    errors: dict[str, str] = {}
    for change in changes:
        try:
            if change.question in cleaned:
                raise InvalidAnswer(_("This question was answered twice in one save."))
            cleaned[change.question] = _clean(questionnaire, change)
        except InvalidAnswer as error:
            errors[change.question] = _(error.message) % error.params if error.params else _(error.message)
    if errors:
        raise InvalidChanges(errors)
    return list(cleaned.values())


def _clean(questionnaire: Questionnaire, change: Change) -> Change:
    question = questionnaire.by_id.get(change.question)
    if question is None:
        raise InvalidAnswer(_("This questionnaire has no such question."))
    return replace(change, value=clean_answer(question, change.value), note=clean_note(change.note))


def clean_note(note: str) -> str:
    """Give the note's one spelling; raises InvalidAnswer for one that is too long or that no database can keep."""
    note = note.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(note) > MAX_NOTE:
        raise InvalidAnswer(
            _("Use at most %(limit)d characters for the note; it has %(length)d."), limit=MAX_NOTE, length=len(note)
        )
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in note):
        raise InvalidAnswer(_("Remove the control characters from the note."))
    return note


def _differs(change: Change, current: Answer | None) -> bool:
    # The very same answer is no change, whatever its version: an answer to a save may have got lost on its way.
    return (change.value, change.note) != ((current.value, current.note) if current else (None, ""))


def _conflicts(changes: Sequence[Change], answers: dict[str, Answer]) -> tuple[Conflict, ...]:
    found = tuple(
        Conflict(change, answers[change.question])
        for change in changes
        if change.question in answers and answers[change.question].version != change.base_version
    )
    # Who was faster is told by name; a save without conflict does not need anybody's.
    prefetch_related_objects([conflict.current for conflict in found], "updated_by")
    return found


def _store(
    submission: Submission, user: User, changes: Sequence[Change], before: dict[str, Answer]
) -> dict[str, Answer]:
    now = timezone.now()
    rows = [
        Answer(
            submission=submission,
            question=change.question,
            version=before[change.question].version + 1 if change.question in before else 1,
            value=change.value,
            note=change.note,
            updated_by=user,
            updated_at=now,
        )
        for change in changes
    ]
    statements.store(rows)
    return {row.question: row for row in rows}


def _publish_save(submission: Submission, answers: Iterable[Answer]) -> None:
    is_first = submission.revision == 0
    submission.revision += 1
    submission.updated_at = timezone.now()
    statements.store_revision(submission)
    eventbus.publish(event_of(submission, "new" if is_first else "changed", answers))
