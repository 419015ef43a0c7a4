"""The life of a submission as mutations: each calls the function that the pages call, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import graphene
from django.utils.translation import gettext as _

from accounts.models import Organisation as AccountsOrganisation
from accounts.models import User
from accounts.schema import Organisation
from answers import lines, models, saving, submissions
from answers.lines import InvalidName
from answers.saving import UNCHANGED, Change, Conflict, Note, Value
from answers.types import Answer, Line, Submission
from api import ids
from api.refusals import person
from api.user_errors import Problem, user_errors
from questionnaires import definition as asked
from questionnaires import library
from questionnaires.answer_values import AnswerValueInput, from_graphql
from questionnaires.answers import InvalidAnswer
from questionnaires.definition import Questionnaire
from questionnaires.schema import Posed, Question
from questionnaires.schema import line as line_of_questionnaires

MAX_CHANGES = 200
NO_VERSION = -1
SUBMISSION = ("input", "submission")


class StartSubmissionInput(graphene.InputObjectType):
    """What to start. Without `line` and `name` it goes on in the organisation's only line, else in a new one."""

    questionnaire = graphene.String(required=True, description="The questionnaire's slug, for example `quick-check`.")
    organisation = graphene.ID(description="For which of your organisations; needed where you belong to several.")
    line = graphene.ID(description="The id of the line to go on in.")
    name = graphene.String(
        description=f"The name of the line to go on in, in at most {models.MAX_LINE_NAME} characters; it is made where "
        "there is none of that name yet."
    )


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
            return StartSubmission(submission=_start(person(info), input), errors=[])
        except Refused as refused:
            return StartSubmission(errors=refused.problems)


def _start(user: User, given: Any) -> models.Submission:
    try:
        return submissions.start(
            user,
            line_of_questionnaires(given.questionnaire),
            organisation=_organisation(user, given.organisation),
            line=None if given.line is None else ids.key_of("Line", given.line),
            name=given.name,
        )
    except library.UnknownQuestionnaire:
        raise Refused(_not_found(("input", "questionnaire"))) from None
    except models.Line.DoesNotExist:
        raise Refused(_not_found(("input", "line"))) from None
    except InvalidName as invalid:
        raise Refused(Problem("INVALID", ("input", "name"), str(invalid))) from None
    except submissions.OrganisationNeeded:
        message = _("You belong to several organisations. Say for which one this is.")
        raise Refused(Problem("INVALID", ("input", "organisation"), message)) from None
    except submissions.TooManyDrafts as full:
        raise Refused(Problem("TOO_MANY", ("input",), str(full))) from None
    except AccountsOrganisation.DoesNotExist:
        message = _("You belong to no organisation. Ask an administrator to add you to one.")
        raise Refused(Problem("NO_ORGANISATION", ("input",), message)) from None


def _organisation(user: User, organisation_id: str | None) -> AccountsOrganisation | None:
    if organisation_id is None:
        return None
    found = Organisation.visible_to(user).filter(pk=ids.key_of("Organisation", organisation_id)).first()
    if found is None:
        raise Refused(_not_found(("input", "organisation")))
    return found


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


class Refused(Exception):
    """Nothing was stored; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__(", ".join(problem.code for problem in problems))


def _save(user: User, submission_id: str, given: Sequence[Any]) -> saving.Saved:
    found = _find(user, submission_id)
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
        raise Refused(_not_found()) from None
    except saving.SubmissionClosed:
        message = _("This is submitted already. Reopen it to change answers.")
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


class RenameLineInput(graphene.InputObjectType):
    """Which line, and its new name."""

    line = graphene.ID(required=True, description="The id of the line.")
    name = graphene.String(
        required=True,
        description=f"Its new name, in at most {models.MAX_LINE_NAME} characters. No other line of the organisation "
        "and questionnaire may have it.",
    )


class RenameLine(graphene.Mutation):
    """What came of renaming."""

    class Meta:
        name = "RenameLinePayload"

    class Arguments:
        input = RenameLineInput(required=True, description="Which line, and its new name.")

    line = graphene.Field(Line, description="The line as it is now; null where there is an error.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> RenameLine:
        try:
            return RenameLine(line=lines.rename(ids.key_of("Line", input.line), person(info), input.name), errors=[])
        except models.Line.DoesNotExist:
            return RenameLine(errors=[_not_found(("input", "line"))])
        except InvalidName as invalid:
            return RenameLine(errors=[Problem("INVALID", ("input", "name"), str(invalid))])


# Each may be null, so that one that fails does not take the results of the others in its request along.
class Mutation(graphene.ObjectType):
    """Changing things."""

    start_submission = StartSubmission.Field(
        description="Begin a draft of the edition that is offered now; your own untouched one is given again."
    )
    save_answers = SaveAnswers.Field(
        description="Save answers of a draft. Where one of them is invalid, nothing is stored. What somebody else "
        "changed in between is left as it is, and the rest is stored."
    )
    submit_submission = SubmitSubmission.Field(
        description="Hand the answers in: a final report is made. Where nothing changed since the last time, it is "
        "only closed again; where the last time came to nothing (see `evaluationProblem`), this is another attempt."
    )
    reopen_submission = ReopenSubmission.Field(description="Make a submitted one a draft again. Its report stays.")
    rename_line = RenameLine.Field(
        description="Give a line another name. The reports of its drafts follow; a final report keeps the name that it "
        "was made with."
    )
    delete_draft = DeleteDraft.Field(description="Throw away a draft that was never submitted.")


def _not_found(path: tuple[str, ...] = SUBMISSION) -> Problem:
    return Problem("NOT_FOUND", path, _("There is no such object."))


def _key(submission_id: str) -> UUID:
    return ids.key_of("Submission", submission_id)
