"""The life of a submission: started, submitted, reopened, thrown away. Each step is one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import eventbus
from accounts.models import Organisation
from answers.models import Answer, Submission
from answers.statements import lock
from contracts import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef
from contracts.answers import AnswerState
from questionnaires import library
from questionnaires.answers import needed_to_submit
from questionnaires.definition import Question

if TYPE_CHECKING:
    from accounts.models import User


class Incomplete(Exception):
    """Submitting was refused; `open` holds the questions that need an answer, in order."""

    def __init__(self, open_questions: tuple[Question, ...]) -> None:
        self.open = open_questions
        super().__init__(", ".join(question.id for question in open_questions))


class NotDeletable(Exception):
    """What was submitted once is kept."""


@transaction.atomic
def start(user: User, slug: str) -> Submission:
    """Begin a draft of the edition offered now; the person's own untouched one is given again.

    Raises UnknownQuestionnaire, and Organisation.DoesNotExist where the person belongs to none.
    """
    questionnaire = library.current(slug)
    # Two clicks at once: the second waits here and then finds the first one's draft.
    organisation = Organisation.objects.select_for_update().get(pk=user.organisation.pk)
    submission, _created = Submission.objects.get_or_create(
        organisation=organisation,
        created_by=user,
        questionnaire_slug=questionnaire.slug,
        questionnaire_version=questionnaire.version,
        questionnaire_digest=questionnaire.digest,
        revision=0,
    )
    return submission


@transaction.atomic
def submit(submission_id: UUID, user: User) -> Submission:
    """Hand the answers in; raises Incomplete. Where nothing changed since the last time, it is only closed again."""
    submission = lock(submission_id, user)
    if submission.is_submitted:
        return submission
    if missing := needed_to_submit(submission.questionnaire, submission.values):
        raise Incomplete(missing)

    submission.state = Submission.State.SUBMITTED
    if submission.revision != submission.submitted_revision:
        _hand_in(submission, user)
    submission.save()
    return submission


def _hand_in(submission: Submission, user: User) -> None:
    submission.revision += 1
    submission.submitted_revision = submission.revision
    submission.submitted_at = timezone.now()
    submission.submitted_by = user
    submission.first_submitted_at = submission.first_submitted_at or submission.submitted_at
    eventbus.publish(event_of(submission, "submitted", submission.answers.all()))


@transaction.atomic
def reopen(submission_id: UUID, user: User) -> Submission:
    """Make a submitted one a draft again. Nothing is published: its report stands until the next save."""
    submission = lock(submission_id, user)
    if submission.is_submitted:
        submission.state = Submission.State.DRAFT
        submission.save(update_fields=["state", "updated_at"])
    return submission


@transaction.atomic
def delete_draft(submission_id: UUID, user: User) -> None:
    """Throw a draft away, its answers, its events' contents and its provisional report; raises NotDeletable."""
    submission = lock(submission_id, user)
    if not submission.can_be_deleted:
        raise NotDeletable

    eventbus.erase(str(submission.pk))
    submission.revision += 1
    eventbus.publish(event_of(submission, "deleted", ()))
    submission.delete()


def event_of(submission: Submission, state: AnswerState, answers: Iterable[Answer]) -> AnswerEvent:
    """The fact to publish about the submission and its answers as they stand now."""
    return AnswerEvent(
        answer=AnswerSnapshot(
            submission=submission.pk,
            organisation=submission.organisation_id,
            questionnaire=QuestionnaireRef(
                slug=submission.questionnaire_slug,
                version=submission.questionnaire_version,
                digest=submission.questionnaire_digest,
            ),
            revision=submission.revision,
            values=_given(answers),
        ),
        state=state,
    )


def _given(answers: Iterable[Answer]) -> dict[str, GivenAnswer]:
    return {
        answer.question: GivenAnswer(value=answer.value, note=answer.note)
        for answer in sorted(answers, key=attrgetter("question"))
        if answer.value is not None or answer.note
    }
