"""Submissions and answers as types of the GraphQL schema."""

from __future__ import annotations

from typing import Any

import graphene
from pydantic import JsonValue

from accounts.models import User
from accounts.schema import Organisation, Person
from answers import models
from answers import progress as progressing
from answers.words import describe
from api.connections import Order, connection
from api.enums import described
from api.nodes import ModelNode, Node
from api.peers import related
from questionnaires import definition
from questionnaires.answer_values import AnswerValue, to_graphql
from questionnaires.answers import visible_questions
from questionnaires.schema import Posed, Question, Questionnaire

# By when they were started, which never changes: by when they were touched, one would move while somebody turns pages.
NEWEST_FIRST = Order("submissions", "-created_at", "-id")
OLDEST_FIRST = Order("lines", "created_at", "id")

SubmissionState = described(
    "SubmissionState",
    "Where a submission stands.",
    {
        "DRAFT": (models.Submission.State.DRAFT.value, "Its answers can change."),
        "SUBMITTED": (models.Submission.State.SUBMITTED.value, "It was handed in; reopening makes it a draft again."),
    },
)
SectionStatus = described(
    "SectionStatus",
    "How far the answers of a section are.",
    {
        "NOT_STARTED": ("not_started", "Nothing is answered."),
        "IN_PROGRESS": ("in_progress", "A question is open that needs an answer."),
        "COMPLETED": ("completed", "Everything that needs an answer has one."),
    },
)


class Answer(graphene.ObjectType):
    """The answer to one question. It stays, with its version, when it is taken back."""

    key = graphene.String(required=True, description="The key of the question.")
    question = graphene.Field(Question, required=True, description="The question.")
    value = graphene.Field(AnswerValue, description="What was answered; null where it was taken back, or only noted.")
    label = graphene.String(required=True, description="What was answered, in words.")
    note = graphene.String(required=True, description="The person's own words about it; may be empty.")
    version = graphene.Int(
        required=True,
        description="Rises with each change of value or note: said as `expectedVersion`, it guards both.",
    )
    value_version = graphene.Int(
        required=True,
        description="The `version` with which the value changed last, 0 where it never did: say it as "
        "`expectedValueVersion` when you change the value.",
    )
    note_version = graphene.Int(
        required=True,
        description="The `version` with which the note changed last, 0 where it never did: say it as "
        "`expectedNoteVersion` when you change the note.",
    )
    updated_by = graphene.Field(Person, description="Who changed it last; null where that person was deleted.")
    updated_at = graphene.DateTime(required=True, description="When it was changed last.")

    @staticmethod
    def resolve_key(root: models.Answer, info: Any) -> str:
        return root.question

    @staticmethod
    def resolve_question(root: models.Answer, info: Any) -> Posed:
        questionnaire = root.submission.questionnaire
        return Posed(questionnaire.by_id[root.question], questionnaire)

    @staticmethod
    def resolve_value(root: models.Answer, info: Any) -> dict[str, Any] | None:
        return to_graphql(_asked(root), root.value)

    @staticmethod
    def resolve_label(root: models.Answer, info: Any) -> str:
        return describe(_asked(root), root.value)

    @staticmethod
    def resolve_updated_by(root: models.Answer, info: Any) -> User | None:
        person: User | None = related(root, "updated_by")
        return person


def _asked(answer: models.Answer) -> definition.Question:
    return answer.submission.questionnaire.by_id[answer.question]


ANSWERED = "How many of the questions that `visible` counts have an answer."
VISIBLE = "How many questions are asked at the moment that need an answer before submitting."
OPTIONAL_ANSWERED = "How many of the questions that `optional` counts have an answer."
OPTIONAL = "How many questions are asked at the moment that may stay without an answer."


class SectionProgress(graphene.ObjectType):
    """How far the answers of one section are."""

    key = graphene.String(required=True, description="The key of the section.")
    status = SectionStatus(required=True, description="In one word.")
    answered = graphene.Int(required=True, description=ANSWERED)
    visible = graphene.Int(required=True, description=VISIBLE)
    optional_answered = graphene.Int(required=True, description=OPTIONAL_ANSWERED)
    optional = graphene.Int(required=True, description=OPTIONAL)

    @staticmethod
    def resolve_key(root: progressing.SectionProgress, info: Any) -> str:
        return root.section.id


class Progress(graphene.ObjectType):
    """How far a submission is."""

    answered = graphene.Int(required=True, description=ANSWERED)
    visible = graphene.Int(required=True, description=VISIBLE)
    optional_answered = graphene.Int(required=True, description=OPTIONAL_ANSWERED)
    optional = graphene.Int(required=True, description=OPTIONAL)
    minutes_left = graphene.Int(required=True, description="About how long the rest takes.")
    text = graphene.String(required=True, description="The same in words, for example “4 of 12 answered”.")


class Line(ModelNode):
    """What an organisation assesses again and again, for example one of its shops: its reports are compared."""

    class Meta:
        model = models.Line
        fields = ()
        interfaces = (Node,)

    organisation = graphene.Field(Organisation, required=True, description="Whose it is.")
    questionnaire_slug = graphene.String(required=True, description="The slug of the questionnaire that is answered.")
    name = graphene.String(required=True, description="What a person reads; empty where nobody gave it a name yet.")
    created_at = graphene.DateTime(required=True, description="When it was begun.")

    @classmethod
    def visible_to(cls, user: Any) -> models.LineQuerySet:
        """Those of the person's organisations."""
        return models.Line.objects.visible_to(user)

    @staticmethod
    def resolve_organisation(root: models.Line, info: Any) -> Any:
        return related(root, "organisation")


LineConnection = connection(Line, "Lines, the oldest first.")


class Submission(ModelNode):
    """One organisation's answers to one edition of a questionnaire."""

    class Meta:
        model = models.Submission
        fields = ()
        interfaces = (Node,)

    organisation = graphene.Field(Organisation, required=True, description="Whose it is.")
    line = graphene.Field(Line, required=True, description="What it goes on in: its reports are compared within that.")
    questionnaire = graphene.Field(Questionnaire, required=True, description="The very edition that is answered.")
    state = SubmissionState(required=True, description="Where it stands.")
    revision = graphene.Int(
        required=True,
        description="Rises by one with each save and with submitting. A report says of which revision it is.",
    )
    answers = graphene.List(
        graphene.NonNull(Answer),
        required=True,
        description="Every answer that was ever given, in the order of the questions; those to questions that are not "
        "asked any more included.",
    )
    visible_questions = graphene.List(
        graphene.NonNull(Question), required=True, description="The questions asked at the moment, in order."
    )
    open_questions = graphene.List(
        graphene.NonNull(Question), required=True, description="Those that still need an answer before submitting."
    )
    progress = graphene.Field(Progress, required=True, description="How far it is.")
    sections = graphene.List(
        graphene.NonNull(SectionProgress),
        required=True,
        description="How far each section is that asks anything at the moment.",
    )
    can_be_deleted = graphene.Boolean(required=True, description="Whether it was never submitted.")
    created_by = graphene.Field(Person, description="Who started it; null where that person was deleted.")
    created_at = graphene.DateTime(required=True, description="When it was started.")
    updated_at = graphene.DateTime(required=True, description="When it was touched last.")
    submitted_by = graphene.Field(Person, description="Who submitted it last; null: nobody yet, or deleted.")
    submitted_at = graphene.DateTime(description="When it was submitted last.")
    first_submitted_at = graphene.DateTime(description="When it was submitted for the first time.")
    submitted_revision = graphene.Int(description="The revision that was submitted last.")

    @classmethod
    def visible_to(cls, user: Any) -> models.SubmissionQuerySet:
        """Those of the person's organisations."""
        return models.Submission.objects.visible_to(user)

    @staticmethod
    def resolve_state(root: models.Submission, info: Any) -> str:
        # A new one has the member of the enumeration, a loaded one its value.
        return str(root.state)

    @staticmethod
    def resolve_organisation(root: models.Submission, info: Any) -> Any:
        return related(root, "organisation")

    @staticmethod
    def resolve_line(root: models.Submission, info: Any) -> Any:
        return related(root, "line")

    @staticmethod
    def resolve_answers(root: models.Submission, info: Any) -> list[models.Answer]:
        places = {question.id: place for place, question in enumerate(root.questionnaire.questions)}
        return sorted(related(root, "answers"), key=lambda answer: places[answer.question])

    @staticmethod
    def resolve_visible_questions(root: models.Submission, info: Any) -> list[Posed]:
        questionnaire = root.questionnaire
        return [Posed(question, questionnaire) for question in visible_questions(questionnaire, _values(root))]

    @staticmethod
    def resolve_open_questions(root: models.Submission, info: Any) -> list[Posed]:
        questionnaire = root.questionnaire
        return [Posed(question, questionnaire) for question in _progress(root).open]

    @staticmethod
    def resolve_progress(root: models.Submission, info: Any) -> progressing.Progress:
        return _progress(root)

    @staticmethod
    def resolve_sections(root: models.Submission, info: Any) -> list[progressing.SectionProgress]:
        return progressing.sections_of(root.questionnaire, _values(root))

    @staticmethod
    def resolve_created_by(root: models.Submission, info: Any) -> Any:
        return related(root, "created_by")

    @staticmethod
    def resolve_submitted_by(root: models.Submission, info: Any) -> Any:
        return related(root, "submitted_by")


SubmissionConnection = connection(Submission, "Submissions, the one started last first.")


def _values(submission: models.Submission) -> dict[str, JsonValue]:
    return {answer.question: answer.value for answer in related(submission, "answers") if answer.value is not None}


def _progress(submission: models.Submission) -> progressing.Progress:
    return progressing.progress_of(submission.questionnaire, _values(submission))
