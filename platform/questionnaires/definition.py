"""What a questionnaire is: the format, as frozen models.

A definition is content-addressed: its digest names it, and a submission keeps the digest that it was answered with,
so a later edition never changes what an earlier answer meant. `docs/questionnaires.md` describes the format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

FORMAT = "plumbline/1"
"""The version of the format; a file names it in `format`."""

SCHEMA_ID = "urn:plumbline:questionnaire:1"

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
MaybeWords = Annotated[str, Field(max_length=4000)]
Kind = Literal["nplf", "yes_no", "single_choice", "multiple_choice", "number", "date", "text"]
Impact = Literal["high", "moderate", "low"]
Flag = Annotated[bool, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Level = Annotated[int, Field(strict=True, ge=1, le=3)]


class Model(BaseModel):
    """Base: immutable, refuses unknown keys, takes its field descriptions from the docstrings."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        str_strip_whitespace=True,
        allow_inf_nan=False,
    )


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Is(Model):
    """True where the question is visible and its answer is one of these."""

    question: Identifier
    """Id of an earlier question."""
    is_: Annotated[tuple[str, ...], BeforeValidator(_as_list, str | tuple[str, ...]), Field(alias="is", min_length=1)]
    """Answers as in an answers file ("yes", "F", a choice id, "dont_know", "not_applicable"); one of them is enough.
    An author may write a single one without the list."""


class AllOf(Model):
    """True where every part is."""

    all: Annotated[tuple[Condition, ...], Field(min_length=1)]


class AnyOf(Model):
    """True where at least one part is."""

    any: Annotated[tuple[Condition, ...], Field(min_length=1)]


class Not(Model):
    """True where its part is not."""

    not_: Condition = Field(alias="not")


def _kind_of_condition(condition: object) -> str | None:
    """Which of the four a condition is, by the key that only it has; None lets pydantic say that it is none of them."""
    if isinstance(condition, Model):
        return {Is: "is", AllOf: "all", AnyOf: "any", Not: "not"}.get(type(condition))
    if not isinstance(condition, dict):
        return None
    return next((key for key in ("all", "any", "not") if key in condition), "is")


Condition = Annotated[
    Annotated[Is, Tag("is")] | Annotated[AllOf, Tag("all")] | Annotated[AnyOf, Tag("any")] | Annotated[Not, Tag("not")],
    Discriminator(_kind_of_condition),
]


def leaves(condition: Condition) -> Iterator[Is]:
    """The references to questions in a condition, from left to right."""
    if isinstance(condition, Is):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.not_)
    else:
        for part in condition.all if isinstance(condition, AllOf) else condition.any:
            yield from leaves(part)


class Choice(Model):
    """One of the answers to offer."""

    id: Identifier
    text: Line
    value: Share = 0
    """Single choice: the value v. Multiple choice: the weight of this choice among the selectable ones."""


class Threshold(Model):
    """A step of a number question: from this number on, v is `value`."""

    at_least: Number
    value: Share


class References(Model):
    """Controls of published frameworks that the question stands for."""

    cpg: tuple[str, ...] = ()
    """CISA Cross-Sector Cybersecurity Performance Goals 2.0, for example "3.F"."""
    csf: tuple[str, ...] = ()
    """NIST Cybersecurity Framework 2.0 subcategories, for example "PR.AA-03"."""
    cyber_essentials: tuple[str, ...] = ()
    """Themes of the UK's Cyber Essentials, for example "User access control"."""


class Domain(Model):
    """A group of questions that gets a score of its own."""

    id: Identifier
    title: Line


class Question(Model):
    """One question. A scored one needs a domain; a profile question has `scored: false`."""

    id: Identifier
    text: Words
    kind: Kind = "nplf"
    why: MaybeWords = ""
    """Why it matters, in a sentence or two."""
    check: MaybeWords = ""
    """How to find out whether it is so."""
    evidence: tuple[Words, ...] = ()
    """Examples of what would show it."""
    fix: tuple[Words, ...] = ()
    """Steps that put it right, in order."""
    action: Annotated[str, Field(max_length=200)] = ""
    """The fix as a title in the imperative, for the action plan."""
    gap: Annotated[str, Field(max_length=200)] = ""
    """What is missing where the answer falls short, as a short negative: reports say it instead of the question."""
    domain: Identifier | None = None
    scored: Flag = True
    required: Flag = True
    """Whether submitting needs an answer. Only a profile question can do without; conditions make it needed anyway."""
    impact: Impact = "moderate"
    weight: Annotated[float, Field(strict=True, gt=0, le=100)] = 1
    """The author's weight; multiplied with 3, 2 or 1 for the impact."""
    cost: Level = 2
    """1 low, 2 moderate, 3 high."""
    complexity: Level = 2
    """1 simple, 2 moderate, 3 complex."""
    target: Annotated[float, Field(strict=True, gt=0, le=1)] = 1
    """The value below which an answer is a finding."""
    gate: Flag = False
    """A control without which nothing else helps."""
    references: References = References()
    choices: tuple[Choice, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    unit: Annotated[str, Field(max_length=40)] = ""
    """What a number counts, shown beside the field."""
    dont_know: Flag = True
    """Whether "don't know" is offered."""
    not_applicable: Flag = True
    """Whether "not applicable" (with a reason) is offered; only for scored questions."""
    when: Condition | None = None
    """Asked only where this is true."""

    @cached_property
    def choice_ids(self) -> tuple[str, ...]:
        """The ids of the choices, in order."""
        return tuple(choice.id for choice in self.choices)


class Section(Model):
    """A page of questions."""

    id: Identifier
    title: Line
    intro: MaybeWords = ""
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]


class Questionnaire(Model):
    """A whole definition."""

    format: Literal["plumbline/1"]
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    version: Annotated[str, Field(min_length=1, max_length=32)]
    title: Line
    summary: Words
    minutes: Annotated[int, Field(strict=True, ge=1, le=600)]
    """How long answering takes, all questions included."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    """The language of the texts."""
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in order."""
        return tuple(question for section in self.sections for question in section.questions)

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """The questions by id."""
        return {question.id: question for question in self.questions}

    @cached_property
    def has_conditions(self) -> bool:
        """Whether any question is asked only under a condition."""
        return any(question.when is not None for question in self.questions)

    @cached_property
    def used_by_conditions(self) -> frozenset[str]:
        """The ids of the questions whose answers decide whether others are asked."""
        conditions = (question.when for question in self.questions if question.when is not None)
        return frozenset(leaf.question for condition in conditions for leaf in leaves(condition))

    @cached_property
    def canonical_json(self) -> str:
        """The one spelling of this definition: keys sorted, no spaces, defaults left out, a newline at the end."""
        document = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: the name by which everything refers to this edition."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the format, for editors and other programs."""
    schema = Questionnaire.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def from_canonical(document: dict[str, Any]) -> Questionnaire:
    """Read a definition that has been checked before (from the database)."""
    return Questionnaire.model_validate(document)
