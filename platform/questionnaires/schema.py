"""Questionnaires in the GraphQL schema: whole definitions, so that a native client can draw and check them itself.

Parts of a definition have no id but a `key`: it is unique within one edition only, and caches of clients go by `id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import graphene

from api import ids
from api.enums import described
from api.nodes import Node
from api.refusals import person
from questionnaires import definition, library
from questionnaires.answers import DONT_KNOW, NOT_APPLICABLE
from questionnaires.words import NPLF_LABELS, SPECIAL_LABELS, YES_NO_LABELS

_DIGEST = re.compile(r"[0-9a-f]{64}")

Text = partial(graphene.String, required=True)
Texts = partial(graphene.List, graphene.NonNull(graphene.String), required=True)
Flag = partial(graphene.Boolean, required=True)

QuestionKind = described(
    "QuestionKind",
    "What kind of answer a question takes.",
    {
        "NPLF": ("nplf", "How far something is achieved: `N` not, `P` partly, `L` largely, `F` fully."),
        "YES_NO": ("yes_no", "`yes` or `no`."),
        "SINGLE_CHOICE": ("single_choice", "One of the question's choices."),
        "MULTIPLE_CHOICE": ("multiple_choice", "Any of the question's choices."),
        "NUMBER": ("number", "A number."),
        "DATE": ("date", "A day."),
        "TEXT": ("text", "A text."),
    },
)
Impact = described(
    "Impact",
    "How much depends on what a question asks about.",
    {
        "HIGH": ("high", "Weighs three times as much as a low one."),
        "MODERATE": ("moderate", "Weighs twice as much as a low one."),
        "LOW": ("low", "Weighs least."),
    },
)
ConditionOperator = described(
    "ConditionOperator",
    "How a part of a condition comes out true.",
    {
        "IS": ("is", "The question named by `question` is asked, and its answer is one of `answers`."),
        "ALL": ("all", "Every one of its parts is true."),
        "ANY": ("any", "At least one of its parts is true."),
        "NOT": ("not", "Its only part is not true."),
    },
)


@dataclass(frozen=True)
class Posed:
    """A question within its questionnaire."""

    question: definition.Question
    questionnaire: definition.Questionnaire

    @property
    def needed(self) -> bool:
        return self.question.required or self.question.id in self.questionnaire.used_by_conditions


def line(slug: str) -> str:
    """The slug, or that of no questionnaire for a text that no database can look for."""
    return slug if slug.isprintable() else ""


def pose(questionnaire: definition.Questionnaire, key: str) -> Posed | None:
    """The question with this key; None where the edition does not have it."""
    question = questionnaire.by_id.get(key)
    return None if question is None else Posed(question, questionnaire)


@dataclass(frozen=True)
class Part:
    """A part of a condition; `parts` are places in the list that it stands in."""

    operator: str
    question: str | None = None
    answers: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()


def flattened(condition: definition.Condition) -> list[Part]:
    """The condition as a list, itself first: GraphQL can't ask for a tree whose depth it does not know."""
    return list(_flattened(condition, 0))


def _flattened(condition: definition.Condition, place: int) -> Iterator[Part]:
    if isinstance(condition, definition.Is):
        yield Part("is", condition.question, condition.is_)
        return
    operator, members = _members(condition)
    below: list[Part] = []
    places: list[int] = []
    for member in members:
        places.append(place + 1 + len(below))
        below += _flattened(member, places[-1])
    yield Part(operator, parts=tuple(places))
    yield from below


def _members(condition: definition.AllOf | definition.AnyOf | definition.Not) -> tuple[str, tuple[Any, ...]]:
    if isinstance(condition, definition.AllOf):
        return "all", condition.all
    return ("any", condition.any) if isinstance(condition, definition.AnyOf) else ("not", (condition.not_,))


def _of_question(name: str, default: Any, root: Posed, info: Any, **arguments: Any) -> Any:
    return getattr(root.question, name)


class ConditionPart(graphene.ObjectType):
    """A part of the condition under which a question is asked."""

    operator = ConditionOperator(required=True, description="What makes this part true.")
    parts = graphene.List(
        graphene.NonNull(graphene.Int),
        required=True,
        description="Of ALL, ANY and NOT: which parts of the same list it is made of, counted from 0.",
    )
    question = graphene.String(description="Of IS: the key of the question that it looks at, which is asked earlier.")
    answers = Texts(
        description="Of IS: the answers that make it true: `yes`, `F`, a choice, `dont_know`, `not_applicable`.",
    )


class AnswerOption(graphene.ObjectType):
    """An answer to choose."""

    value = Text(description="What to send as `choice`, or in `choices`.")
    label = Text(description="What a person reads.")
    hint = Text(description="What it means; may be empty.")
    worth = graphene.Float(description="What it is worth, from 0 to 1; null where the question's kind says so itself.")


class Threshold(graphene.ObjectType):
    """A step of a number that is scored."""

    at_least = graphene.Float(required=True, description="From this number on ...")
    worth = graphene.Float(required=True, description="... the answer is worth this, from 0 to 1.")

    @staticmethod
    def resolve_worth(root: definition.Threshold, info: Any) -> float:
        return root.value


class References(graphene.ObjectType):
    """The controls of published frameworks that a question stands for."""

    cpg = Texts(description="CISA CPG 2.0, for example `3.F`.")
    csf = Texts(description="NIST CSF 2.0 subcategories, for example `PR.AA-03`.")
    cyber_essentials = Texts(description="Themes of the UK's Cyber Essentials.")


class Domain(graphene.ObjectType):
    """A group of questions that gets a score of its own."""

    key = Text(description="Its name within the edition.")
    title = Text(description="What a person reads.")

    @staticmethod
    def resolve_key(root: definition.Domain, info: Any) -> str:
        return root.id


class Question(graphene.ObjectType):
    """One question of a questionnaire, with everything it takes to ask it."""

    class Meta:
        default_resolver = _of_question

    key = Text(description="Its name within the edition: what answers and conditions refer to.")
    text = Text(description="The question itself.")
    kind = QuestionKind(required=True, description="What kind of answer it takes.")
    why = Text(description="Why it matters; may be empty.")
    check = Text(description="How to find out whether it is so; may be empty.")
    evidence = Texts(description="Examples of what would show it.")
    fix = Texts(description="Steps that put it right, in order.")
    action = Text(description="What to do about it as a title, for the plan; may be empty.")
    gap = Text(
        description="What is missing where the answer falls short, as a short negative, to be shown instead of the "
        "question; empty where the questionnaire does not say."
    )
    domain = graphene.String(description="The key of its domain; null where it is not scored.")
    scored = Flag(description="Whether the answer counts. What does not is asked to know whom we are talking to.")
    needed = Flag(description="Whether submitting needs an answer while the question is asked.")
    impact = Impact(required=True, description="How much depends on it.")
    weight = graphene.Float(required=True, description="The author's weight, which multiplies that of the impact.")
    cost = graphene.Int(required=True, description="What putting it right costs: 1 low, 2 moderate, 3 high.")
    complexity = graphene.Int(required=True, description="How hard that is: 1 simple, 2 moderate, 3 complex.")
    target = graphene.Float(required=True, description="What an answer has to be worth, from 0 to 1, to be no finding.")
    gate = Flag(description="Whether nothing else helps without it: the rating is capped where it is not in place.")
    references = graphene.Field(References, required=True, description="The published controls that it stands for.")
    options = graphene.List(
        graphene.NonNull(AnswerOption),
        required=True,
        description="The answers to choose from, in order; empty for numbers, days and texts. “Don't know” and “not "
        "applicable” are not among them.",
    )
    thresholds = graphene.List(
        graphene.NonNull(Threshold), required=True, description="Of a number that is scored: its steps, upwards."
    )
    unit = Text(description="What a number counts; may be empty.")
    dont_know = Flag(description="Whether “don't know” may be answered.")
    not_applicable = Flag(description="Whether “not applicable” may be answered, with a reason.")
    when = graphene.List(
        graphene.NonNull(ConditionPart),
        description="Under which condition it is asked; null: always. The first part is the whole condition, the "
        "others are what it is made of. A question that is not asked, or not answered, makes an IS false.",
    )

    @staticmethod
    def resolve_key(root: Posed, info: Any) -> str:
        return root.question.id

    @staticmethod
    def resolve_needed(root: Posed, info: Any) -> bool:
        return root.needed

    @staticmethod
    def resolve_not_applicable(root: Posed, info: Any) -> bool:
        return root.question.scored and root.question.not_applicable

    @staticmethod
    def resolve_options(root: Posed, info: Any) -> list[AnswerOption]:
        return [
            AnswerOption(value=value, label=label, hint=hint, worth=worth)
            for value, label, hint, worth in _options(root.question)
        ]

    @staticmethod
    def resolve_when(root: Posed, info: Any) -> list[Part] | None:
        return None if root.question.when is None else flattened(root.question.when)


def _options(question: definition.Question) -> Iterator[tuple[str, str, str, float | None]]:
    if question.kind == "nplf":
        yield from ((value, str(label), str(hint), None) for value, (label, hint) in NPLF_LABELS.items())
    elif question.kind == "yes_no":
        yield from ((value, str(label), "", None) for value, label in YES_NO_LABELS.items())
    else:
        yield from (
            (choice.id, choice.text, "", choice.value if question.scored else None) for choice in question.choices
        )


class Section(graphene.ObjectType):
    """A page of questions."""

    key = Text(description="Its name within the edition.")
    title = Text(description="What a person reads above it.")
    intro = Text(description="A few words before the questions; may be empty.")
    questions = graphene.List(graphene.NonNull(Question), required=True, description="Its questions, in order.")


class Questionnaire(graphene.ObjectType):
    """One edition of a questionnaire. It never changes: keep it for as long as you like."""

    class Meta:
        interfaces = (Node,)

    slug = Text(description="Its line, for example `quick-check`: what all editions have in common.")
    version = Text(description="The edition, as a person reads it.")
    digest = Text(description="SHA-256 of the definition, in hexadecimal: names this edition.")
    title = Text(description="What a person reads.")
    summary = Text(description="What it is about.")
    minutes = graphene.Int(required=True, description="How long answering all of it takes.")
    language = Text(description="The language of its texts, for example `en`.")
    domains = graphene.List(graphene.NonNull(Domain), required=True, description="Groups with a score of their own.")
    sections = graphene.List(graphene.NonNull(Section), required=True, description="Its pages, in order.")
    dont_know_label = Text(description="What a person reads for “don't know”.")
    not_applicable_label = Text(description="What a person reads for “not applicable”.")

    @staticmethod
    def shows() -> type:
        """See ModelNode."""
        return definition.Questionnaire

    @staticmethod
    def get_node(info: Any, key: str) -> definition.Questionnaire | None:
        """Any edition: definitions belong to the installation, and who can name the digest has the content."""
        try:
            return library.by_digest(key) if _DIGEST.fullmatch(key) else None
        except library.UnknownQuestionnaire:
            return None

    @staticmethod
    def resolve_id(root: definition.Questionnaire, info: Any) -> str:
        return ids.encode("Questionnaire", root.digest)

    @staticmethod
    def resolve_sections(root: definition.Questionnaire, info: Any) -> list[Section]:
        return [
            Section(
                key=section.id,
                title=section.title,
                intro=section.intro,
                questions=[Posed(question, root) for question in section.questions],
            )
            for section in root.sections
        ]

    @staticmethod
    def resolve_dont_know_label(root: definition.Questionnaire, info: Any) -> str:
        return str(SPECIAL_LABELS[DONT_KNOW])

    @staticmethod
    def resolve_not_applicable_label(root: definition.Questionnaire, info: Any) -> str:
        return str(SPECIAL_LABELS[NOT_APPLICABLE])


class Query(graphene.ObjectType):
    """What can be answered."""

    questionnaire = graphene.Field(
        Questionnaire,
        description="The edition with this id, be it offered or an earlier one; null where it is not installed.",
        id=graphene.ID(required=True, description="The id of a questionnaire."),
    )
    questionnaires = graphene.List(
        graphene.NonNull(Questionnaire),
        required=True,
        description="What can be started now: the current edition of each line, by title.",
    )

    @staticmethod
    def resolve_questionnaire(root: None, info: Any, id: str) -> definition.Questionnaire | None:
        person(info)
        found = ids.decode(id)
        return Questionnaire.get_node(info, found[1]) if found is not None and found[0] == "Questionnaire" else None

    @staticmethod
    def resolve_questionnaires(root: None, info: Any) -> list[definition.Questionnaire]:
        person(info)
        return library.offered()
