"""The life of a submission as mutations: each calls the function that the pages call, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import graphene
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from answers import models, saving, submissions
from answers.saving import Change, Conflict
from answers.types import Answer, Submission
from api import ids
from api.refusals import person
from api.user_errors import Problem, user_errors
from questionnaires import library
from questionnaires.answer_values import AnswerValueInput, from_graphql
from questionnaires.answers import InvalidAnswer
from questionnaires.definition import Questionnaire
from questionnaires.schema import Posed, Question, line

MAX_CHANGES = 200
SUBMISSION = ("input", "submission")


class StartSubmissionInput(graphene.InputObjectType):
    """What to start."""

    questionnaire = graphene.String(required=True, description="The questionnaire's slug, for example `quick-check`.")


class StartSubmission(graphene.Mutation):
    """What came of starting."""

    class Meta:
        name = "StartSubmissionPayload"

    class Arguments:
        input = StartSubmissionInput(required=True, description="What to start.")

    submission = graphene.Field(Submission, description="The draft; null where there is an error.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> StartSubmission:
        try:
            submission = submissions.start(person(info), line(input.questionnaire))
            return StartSubmission(submission=submission, errors=[])
        except library.UnknownQuestionnaire:
            problem = _not_found(("input", "questionnaire"))
        except Organisation.DoesNotExist:
            message = _("You belong to no organisation. Ask an administrator to add you to one.")
            problem = Problem("NO_ORGANISATION", ("input",), message)
        return StartSubmission(errors=[problem])


class AnswerInput(graphene.InputObjectType):
    """One answer to save, whole: value and note take the place of what is stored."""

    question = graphene.String(required=True, description="The key of the question.")
    value = graphene.InputField(AnswerValueInput, description="What is answered; null takes the answer back.")
    note = graphene.String(
        required=True,
        description=f"The person's own words about it, in at most {models.MAX_NOTE:,} characters; may be empty.",
    )
    expected_version = graphene.Int(
        required=True,
        description="The `version` of the answer that the person had before them; 0 where there was none.",
    )


class SaveAnswersInput(graphene.InputObjectType):
    """Answers to save in one go."""

    submission = graphene.ID(required=True, description="The id of the draft.")
    answers = graphene.List(
        graphene.NonNull(AnswerInput),
        required=True,
        description=f"The answers that changed, {MAX_CHANGES} at the most, each question once.",
    )


class AnswerConflict(graphene.ObjectType):
    """An answer that was not saved, for it is no longer the one that the person had before them."""

    key = graphene.String(required=True, description="The key of the question.")
    current = graphene.Field(
        Answer, required=True, description="The answer as it is now. To overwrite it, save again with its version."
    )

    @staticmethod
    def resolve_key(root: Conflict, info: Any) -> str:
        return root.change.question


class SaveAnswers(graphene.Mutation):
    """What came of saving. Of conflicting answers the stored ones were left as they are; all others were stored."""

    class Meta:
        name = "SaveAnswersPayload"

    class Arguments:
        input = SaveAnswersInput(required=True, description="The draft, and the answers to save.")

    submission = graphene.Field(Submission, description="The draft as it is now; null where nothing was stored.")
    conflicts = graphene.List(
        graphene.NonNull(AnswerConflict),
        required=True,
        description="The answers that were not stored because of a conflict; each has an error with the code CONFLICT.",
    )
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> SaveAnswers:
        user = person(info)
        try:
            saved = _save(user, input.submission, input.answers)
        except Refused as refused:
            return SaveAnswers(conflicts=[], errors=refused.problems)
        errors = [_conflict(conflict, input.answers) for conflict in saved.conflicts]
        return SaveAnswers(submission=saved.submission, conflicts=saved.conflicts, errors=errors)


class Refused(Exception):
    """Nothing was stored; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__(", ".join(problem.code for problem in problems))


def _save(user: User, submission_id: str, given: Sequence[Any]) -> saving.Saved:
    found = _find(user, submission_id)
    if len(given) > MAX_CHANGES:
        message = _("This is more than can be saved at once.")
        raise Refused(Problem("TOO_MUCH", ("input", "answers"), message))
    changes = _changes(found.questionnaire, given)
    try:
        return saving.save_answers(found.pk, user, changes)
    except models.Submission.DoesNotExist:
        raise Refused(_not_found()) from None
    except saving.SubmissionClosed:
        message = _("This was submitted meanwhile. Reopen it to change answers.")
        raise Refused(Problem("SUBMITTED", SUBMISSION, message)) from None
    except saving.InvalidChanges as invalid:
        raise Refused(*(_invalid(_place(key, given), message) for key, message in invalid.errors.items())) from None


def _find(user: User, submission_id: str) -> models.Submission:
    found = Submission.visible_to(user).filter(pk=_key(submission_id)).first()
    if found is None:
        raise Refused(_not_found())
    return found


def _changes(questionnaire: Questionnaire, given: Sequence[Any]) -> list[Change]:
    """The changes; raises Refused with everything that has the wrong shape. The domain checks the values."""
    changes, problems = [], []
    for place, each in enumerate(given):
        try:
            changes.append(_change(questionnaire, each))
        except InvalidAnswer as error:
            problems.append(_invalid(place, _(error.message) % error.params if error.params else _(error.message)))
    if problems:
        raise Refused(*problems)
    return changes


def _change(questionnaire: Questionnaire, given: Any) -> Change:
    question = questionnaire.by_id.get(given.question)
    if question is None:
        raise InvalidAnswer("This questionnaire has no such question.")
    if "value" not in given:
        raise InvalidAnswer("Set exactly one field of the answer; null takes it back.")
    return Change(
        question=question.id,
        value=from_graphql(question, given.value),
        note=given.note,
        base_version=given.expected_version,
    )


def _place(key: str, given: Sequence[Any]) -> int:
    """Where an answer stands in the input; of a question that is answered twice, the second time."""
    return max(place for place, each in enumerate(given) if each.question == key)


def _invalid(place: int, message: str) -> Problem:
    return Problem("INVALID", ("input", "answers", str(place)), message)


def _conflict(conflict: Conflict, given: Sequence[Any]) -> Problem:
    place = _place(conflict.change.question, given)
    return Problem("CONFLICT", ("input", "answers", str(place)), _("Somebody else changed this answer meanwhile."))


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
            submission = submissions.submit(_key(input.submission), user)
        except models.Submission.DoesNotExist:
            return SubmitSubmission(open_questions=[], errors=[_not_found()])
        except submissions.Incomplete as incomplete:
            return _incomplete(user, input.submission, incomplete)
        return SubmitSubmission(submission=submission, open_questions=[], errors=[])


def _incomplete(user: User, submission_id: str, incomplete: submissions.Incomplete) -> SubmitSubmission:
    try:
        submission = _find(user, submission_id)
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
            return ReopenSubmission(submission=submissions.reopen(_key(input.submission), person(info)), errors=[])
        except models.Submission.DoesNotExist:
            return ReopenSubmission(errors=[_not_found()])


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
            submissions.delete_draft(_key(input.submission), person(info))
        except models.Submission.DoesNotExist:
            return DeleteDraft(errors=[_not_found()])
        except submissions.NotDeletable:
            message = _("What was submitted once is kept, and so is its report.")
            return DeleteDraft(errors=[Problem("KEPT", SUBMISSION, message)])
        return DeleteDraft(deleted_submission_id=input.submission, errors=[])


# Each may be null, so that one that fails does not take the results of the others in its request along.
class Mutation(graphene.ObjectType):
    """Changing things."""

    start_submission = StartSubmission.Field(
        description="Begin a draft of the edition that is offered now; your own untouched one is given again."
    )
    save_answers = SaveAnswers.Field(
        description="Save answers of a draft. Where one of them is invalid, nothing is stored. An answer that somebody "
        "else changed meanwhile is left as it is, and the others are stored."
    )
    submit_submission = SubmitSubmission.Field(
        description="Hand the answers in: a final report is made. Where nothing changed since the last time, it is "
        "only closed again."
    )
    reopen_submission = ReopenSubmission.Field(description="Make a submitted one a draft again. Its report stays.")
    delete_draft = DeleteDraft.Field(description="Throw away a draft that was never submitted.")


def _not_found(path: tuple[str, ...] = SUBMISSION) -> Problem:
    return Problem("NOT_FOUND", path, _("There is no such object."))


def _key(submission_id: str) -> UUID:
    return ids.key_of("Submission", submission_id)
