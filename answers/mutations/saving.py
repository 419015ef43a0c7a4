"""Saving answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphene
from django.utils.translation import gettext as _

from accounts.models import User
from answers import models, saving
from answers.mutations.refused import SUBMISSION, Refused, find, not_found
from answers.saving import UNCHANGED, Change, Conflict, Note, Value
from answers.types import Answer, Submission
from api.refusals import person
from api.user_errors import Problem, user_errors
from questionnaires import definition as asked
from questionnaires.answer_values import AnswerValueInput, from_graphql
from questionnaires.answers import InvalidAnswer
from questionnaires.definition import Questionnaire

MAX_CHANGES = 200
NO_VERSION = -1


class AnswerInput(graphene.InputObjectType):
    """One answer to save. Its value and its note are changed apart: colleagues who change one each both get through."""

    question = graphene.String(required=True, description="The key of the question.")
    value = graphene.InputField(
        AnswerValueInput,
        description="What is answered; null takes the answer back. Left out, it takes the answer back, too. Only with "
        "`expectedNoteVersion` and without `expectedValueVersion`, the value stays as it is when it is left out.",
    )
    note = graphene.String(
        description=f"The person's own words about it, in at most {models.MAX_NOTE:,} characters; may be empty. Left "
        "out, the note stays as it is."
    )
    expected_version = graphene.Int(
        description="The `version` of the answer that the person had before them; 0 where there was none. It guards "
        "each part whose own version is not given."
    )
    expected_value_version = graphene.Int(description="The `valueVersion` of that answer. It guards the value alone.")
    expected_note_version = graphene.Int(description="The `noteVersion` of that answer. It guards the note alone.")


class SaveAnswersInput(graphene.InputObjectType):
    """Answers to save in one go."""

    submission = graphene.ID(required=True, description="The id of the draft.")
    answers = graphene.List(
        graphene.NonNull(AnswerInput),
        required=True,
        description=f"The answers that changed, {MAX_CHANGES} at the most, each question once.",
    )


class AnswerConflict(graphene.ObjectType):
    """An answer that was not saved, or not as a whole: it is no longer the one that the person had before them."""

    key = graphene.String(required=True, description="The key of the question.")
    current = graphene.Field(
        Answer,
        required=True,
        description="The answer as it is now; of version 0 where there is none. To overwrite it, save again with its "
        "versions.",
    )
    value = graphene.Boolean(required=True, description="Whether the value was not saved.")
    note = graphene.Boolean(required=True, description="Whether the note was not saved.")

    @staticmethod
    def resolve_key(root: Conflict, info: Any) -> str:
        return root.change.question


class SaveAnswers(graphene.Mutation):
    """What came of saving. What is in conflict was left as it is stored; all else was stored."""

    class Meta:
        name = "SaveAnswersPayload"

    class Arguments:
        input = SaveAnswersInput(required=True, description="The draft, and the answers to save.")

    submission = graphene.Field(Submission, description="The draft as it is now; null where nothing was stored.")
    conflicts = graphene.List(
        graphene.NonNull(AnswerConflict),
        required=True,
        description="The answers of which the value, the note or both were not stored because of a conflict; each has "
        "an error with the code CONFLICT.",
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


def _save(user: User, submission_id: str, given: Sequence[Any]) -> saving.Saved:
    found = find(user, submission_id)
    if len(given) > MAX_CHANGES:
        message = _(
            "These are %(given)d answers, and at most %(limit)d can be saved at once. Send the others after them."
        )
        problem = Problem("TOO_MUCH", ("input", "answers"), message % {"given": len(given), "limit": MAX_CHANGES})
        raise Refused(problem)
    changes = _changes(found.questionnaire, given)
    try:
        return saving.save_answers(found.pk, user, changes)
    except models.Submission.DoesNotExist:
        raise Refused(not_found()) from None
    except saving.SubmissionClosed:
        message = _("This is submitted already. Reopen it to change answers.")
        raise Refused(Problem("SUBMITTED", SUBMISSION, message)) from None
    except saving.InvalidChanges as invalid:
        raise Refused(*(_invalid(_place(key, given), message) for key, message in invalid.errors.items())) from None


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
    value = _value(question, given)
    note = UNCHANGED if given.get("note") is None else given.note
    _check_guards(given, value, note)
    return Change(
        question=question.id,
        value=value,
        note=note,
        base_version=NO_VERSION if given.get("expected_version") is None else given.expected_version,
        base_value_version=given.get("expected_value_version"),
        base_note_version=given.get("expected_note_version"),
    )


def _value(question: asked.Question, given: Any) -> Value:
    says_note_alone = given.get("expected_note_version") is not None and given.get("expected_value_version") is None
    if "value" not in given and says_note_alone:
        return UNCHANGED
    return from_graphql(question, given.get("value"))


def _check_guards(given: Any, value: Value, note: Note) -> None:
    """Raises InvalidAnswer where a part would be changed without saying what the person had before them."""
    if given.get("expected_version") is not None:
        return
    if value is not UNCHANGED and given.get("expected_value_version") is None:
        raise InvalidAnswer(_("Say “expectedValueVersion” or “expectedVersion”: which version the change is made to."))
    if note is not UNCHANGED and given.get("expected_note_version") is None:
        raise InvalidAnswer(_("Say “expectedNoteVersion” or “expectedVersion”: which version the change is made to."))


def _place(key: str, given: Sequence[Any]) -> int:
    """Where an answer stands in the input; of a question that is answered twice, the second time."""
    return max(place for place, each in enumerate(given) if each.question == key)


def _invalid(place: int, message: str) -> Problem:
    return Problem("INVALID", ("input", "answers", str(place)), message)


def _conflict(conflict: Conflict, given: Sequence[Any]) -> Problem:
    place = _place(conflict.change.question, given)
    return Problem(
        "CONFLICT", ("input", "answers", str(place)), _("This is no longer the answer that the change was made to.")
    )
