"""Handing in, opening again and throwing away."""

from __future__ import annotations

from typing import Any

import graphene
from django.utils.translation import gettext as _

from accounts.models import User
from answers import models, submissions
from answers.mutations.refused import SUBMISSION, Refused, find, key_of, not_found
from answers.types import Submission
from api.refusals import person
from api.user_errors import Problem, user_errors
from questionnaires.schema import Posed, Question


class SubmissionInput(graphene.InputObjectType):
    """Which submission."""

    submission = graphene.ID(required=True, description="The id of the submission.")


class SubmitSubmission(graphene.Mutation):
    """What came of submitting."""

    class Meta:
        name = "SubmitSubmissionPayload"

    class Arguments:
        input = SubmissionInput(required=True, description="What to hand in.")

    submission = graphene.Field(Submission, description="As it is now; null where it was not found.")
    open_questions = graphene.List(
        graphene.NonNull(Question),
        required=True,
        description="The questions that need an answer first, in order; then there is an error INCOMPLETE.",
    )
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> SubmitSubmission:
        user = person(info)
        try:
            submission = submissions.submit(key_of(input.submission), user)
        except models.Submission.DoesNotExist:
            return SubmitSubmission(open_questions=[], errors=[not_found()])
        except submissions.Incomplete as incomplete:
            return _incomplete(user, input.submission, incomplete)
        return SubmitSubmission(submission=submission, open_questions=[], errors=[])


def _incomplete(user: User, submission_id: str, incomplete: submissions.Incomplete) -> SubmitSubmission:
    try:
        submission = find(user, submission_id)
    except Refused as refused:
        return SubmitSubmission(open_questions=[], errors=refused.problems)
    return SubmitSubmission(
        submission=submission,
        open_questions=[Posed(question, submission.questionnaire) for question in incomplete.open],
        errors=[Problem("INCOMPLETE", SUBMISSION, _("Some questions still need an answer."))],
    )


class ReopenSubmission(graphene.Mutation):
    """What came of reopening."""

    class Meta:
        name = "ReopenSubmissionPayload"

    class Arguments:
        input = SubmissionInput(required=True, description="What to make a draft again.")

    submission = graphene.Field(Submission, description="As it is now; null where it was not found.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> ReopenSubmission:
        try:
            return ReopenSubmission(submission=submissions.reopen(key_of(input.submission), person(info)), errors=[])
        except models.Submission.DoesNotExist:
            return ReopenSubmission(errors=[not_found()])


class DeleteDraft(graphene.Mutation):
    """What came of deleting."""

    class Meta:
        name = "DeleteDraftPayload"

    class Arguments:
        input = SubmissionInput(required=True, description="The draft to throw away, with its answers and its report.")

    deleted_submission_id = graphene.ID(description="The id that is gone; null where there is an error.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> DeleteDraft:
        try:
            submissions.delete_draft(key_of(input.submission), person(info))
        except models.Submission.DoesNotExist:
            return DeleteDraft(errors=[not_found()])
        except submissions.NotDeletable:
            message = _("What was submitted once is kept, and so is its report.")
            return DeleteDraft(errors=[Problem("KEPT", SUBMISSION, message)])
        return DeleteDraft(deleted_submission_id=input.submission, errors=[])
