"""What the answers come to, and why."""

from __future__ import annotations

from functools import partial
from typing import Any

import graphene

from api.peers import for_peers
from questionnaires.answer_values import AnswerValue, to_graphql
from questionnaires.schema import Posed, Question
from reports import models
from reports.presentation import ReportPage
from reports.types.enums import ItemChangeKind, Rating, Severity, Tier, Wave

Text = partial(graphene.String, required=True)
Texts = partial(graphene.List, graphene.NonNull(graphene.String), required=True)


class ReportAnswer(graphene.ObjectType):
    """A question as a report has it: with the answer that was given then."""

    key = Text(description="The key of the question.")
    text = Text(description="The question; its key where its edition is not installed.")
    title = Text(description="What to do about it, in the imperative.")
    question = graphene.Field(Question, description="The whole question; null where its edition is not installed.")
    value = graphene.Field(AnswerValue, description="What was answered; null: nothing.")
    label = Text(description="What was answered, in words.")
    reason = Text(description="Why it does not apply, where that is the answer; else empty.")
    note = Text(description="The person's own words about it; may be empty.")
    gap = Text(
        description="What the answer leaves open, as a short negative that nobody can read as if it were in place; "
        "empty where the answer is no finding."
    )


def asked_of(page: ReportPage, key: str) -> ReportAnswer:
    asked = page.asked(key)
    value = (page.report.values.get(key) or {}).get("value")
    return ReportAnswer(
        key=key,
        text=asked.text,
        title=asked.title,
        question=Posed(asked.question, page.questionnaire) if asked.question and page.questionnaire else None,
        value=to_graphql(asked.question, value),
        label=asked.answer,
        reason=asked.reason,
        note=asked.note,
        gap=asked.gap if key in page.short else "",
    )


class DomainScore(graphene.ObjectType):
    """How one domain came out. All figures are null where nothing in it counts."""

    key = Text(description="The key of the domain.")
    title = Text(description="What a person reads.")
    score = graphene.Float(description="From 0 to 100, with “don't know” as 0.")
    score_high = graphene.Float(description="The same with “don't know” as fully achieved: the end of the band.")
    tier = Tier(description="How mature it is.")


class Finding(graphene.ObjectType):
    """Something that is not as it should be."""

    asked = graphene.Field(ReportAnswer, required=True, description="The question and its answer.")
    severity = Severity(required=True, description="How bad that is.")
    points = graphene.Float(required=True, description="What fixing it fully adds to the score.")
    target = graphene.Float(required=True, description="What the answer has to be worth, from 0 to 1.")


class Action(graphene.ObjectType):
    """One step of the plan: bring one answer to its target."""

    number = graphene.Int(required=True, description="Its place in the plan, counted from 1.")
    asked = graphene.Field(ReportAnswer, required=True, description="The question that it is about, and its answer.")
    wave = Wave(required=True, description="When to take it up.")
    effort = graphene.Float(required=True, description="From 1 to 3: the mean of what it costs and how hard it is.")
    points = graphene.Float(required=True, description="What it adds to the score.")
    projected_score = graphene.Float(required=True, description="The score once it and all before it are done.")
    projected_rating = Rating(required=True, description="The rating once it and all before it are done.")


class ItemChange(graphene.ObjectType):
    """A question that counts otherwise than in the earlier report."""

    asked = graphene.Field(ReportAnswer, required=True, description="The question and its answer in this report.")
    change = ItemChangeKind(required=True, description="What became of it.")
    points = graphene.Float(description="What that did to the score; null where it does not count in both reports.")


class Comparison(graphene.ObjectType):
    """What changed since the newest earlier final report of the same line."""

    delta = graphene.Float(description="The score less the earlier one; null where either is missing.")
    answers_effect = graphene.Float(description="The part that comes from other answers; null with `delta`.")
    scope_effect = graphene.Float(
        description="The part that comes from other questions or weights being counted; null with `delta`."
    )
    items = graphene.List(
        graphene.NonNull(ItemChange), required=True, description="What changed, question by question."
    )
    not_yet_answered = graphene.Int(
        required=True,
        description="How many questions that counted in the earlier report still wait for an answer. They are not "
        "among the items, and until they are answered the effects say little.",
    )
    # By its name: that type is made of this one.
    previous = graphene.Field("reports.types.report.Report", description="The earlier report, where it is still there.")

    @staticmethod
    def resolve_delta(root: ReportPage, info: Any) -> Any:
        return _part(root)["delta"]

    @staticmethod
    def resolve_answers_effect(root: ReportPage, info: Any) -> float | None:
        return None if root.answers_effect is None else float(root.answers_effect)

    @staticmethod
    def resolve_scope_effect(root: ReportPage, info: Any) -> Any:
        return _part(root)["scope_effect"]

    @staticmethod
    def resolve_items(root: ReportPage, info: Any) -> list[ItemChange]:
        return [
            ItemChange(asked=asked_of(root, row["question"]), change=row["change"], points=row["points"])
            for row in root.changes
        ]

    @staticmethod
    def resolve_not_yet_answered(root: ReportPage, info: Any) -> int:
        return root.not_yet_answered

    @staticmethod
    def resolve_previous(root: ReportPage, info: Any) -> models.Report | None:
        mine = models.Report.objects.visible_to(info.context.user)
        return for_peers(root.report, "previous", lambda peers: mine.previous_finals(peers))


def _part(page: ReportPage) -> dict[str, Any]:
    assert page.comparison is not None
    return page.comparison


def _of_document(name: str, default: Any, root: ReportPage, info: Any) -> Any:
    return root.document[name]


class Evaluation(graphene.ObjectType):
    """What the answers come to, and why."""

    class Meta:
        default_resolver = _of_document

    engine = Text(description="Name and version of the scoring rules, for example `weighted-v1`.")
    complete = graphene.Boolean(required=True, description="Whether every scored question that is asked has an answer.")
    answered = graphene.Int(required=True, description="How many of the scored questions asked have an answer.")
    visible = graphene.Int(required=True, description="How many scored questions are asked.")
    headline = Text(description="The verdict in one sentence.")
    verdict = Texts(description="The sentences below it.")
    score = graphene.Float(description="From 0 to 100, with “don't know” as 0; null where nothing counts.")
    score_high = graphene.Float(description="The same with “don't know” as fully achieved: the end of the band.")
    rating = Rating(description="The score in one letter, capped by failed gates; null where nothing counts.")
    rating_uncapped = Rating(description="What the score alone would rate.")
    capped_by = graphene.List(
        graphene.NonNull(ReportAnswer), required=True, description="The failed gates that hold the rating down."
    )
    find_out = graphene.List(
        graphene.NonNull(ReportAnswer), required=True, description="What was answered with “don't know”, in order."
    )
    not_applicable_share = graphene.Float(
        required=True, description="Which part of the weight was declared not applicable, from 0 to 1."
    )
    counted = graphene.Int(
        required=True,
        description="How many of the scored questions asked the score is made from: those with an answer other than "
        "“not applicable”.",
    )
    rating_shown = graphene.Boolean(
        required=True,
        description="Whether the rating should be shown: of a provisional evaluation once half of the scored questions "
        "asked have an answer, of a final one always. Until then one more answer may turn it over: say how many are "
        "answered instead.",
    )
    failed_gates = graphene.List(
        graphene.NonNull(ReportAnswer),
        required=True,
        description="All gates that have failed, whether or not they hold the rating down just now.",
    )
    gates_not_applicable = graphene.List(
        graphene.NonNull(ReportAnswer),
        required=True,
        description="The gates that were declared not applicable: the rating says nothing of them.",
    )
    domains = graphene.List(graphene.NonNull(DomainScore), required=True, description="How each domain came out.")
    findings = graphene.List(
        graphene.NonNull(Finding), required=True, description="What is not as it should be, the worst first."
    )
    plan = graphene.List(graphene.NonNull(Action), required=True, description="What to do, in this order.")
    comparison = graphene.Field(
        Comparison, description="What changed since the earlier final report; null where there is none."
    )

    @staticmethod
    def resolve_complete(root: ReportPage, info: Any) -> bool:
        return not root.so_far

    @staticmethod
    def resolve_answered(root: ReportPage, info: Any) -> int:
        return int(root.document["complete"]["answered"])

    @staticmethod
    def resolve_visible(root: ReportPage, info: Any) -> int:
        return int(root.document["complete"]["visible"])

    @staticmethod
    def resolve_counted(root: ReportPage, info: Any) -> int:
        return root.coverage.counted

    @staticmethod
    def resolve_rating_shown(root: ReportPage, info: Any) -> bool:
        return root.rating_shown

    @staticmethod
    def resolve_failed_gates(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [asked_of(root, asked.id) for asked in root.failed_gates]

    @staticmethod
    def resolve_gates_not_applicable(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [asked_of(root, asked.id) for asked in root.gates_not_applicable]

    @staticmethod
    def resolve_headline(root: ReportPage, info: Any) -> str:
        return root.headline

    @staticmethod
    def resolve_verdict(root: ReportPage, info: Any) -> list[str]:
        return root.verdict

    @staticmethod
    def resolve_capped_by(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [asked_of(root, key) for key in root.document["capped_by"]]

    @staticmethod
    def resolve_find_out(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [asked_of(root, key) for key in root.document["find_out"]]

    @staticmethod
    def resolve_domains(root: ReportPage, info: Any) -> list[DomainScore]:
        titles = {bar.id: bar.title for bar in root.domains}
        return [
            DomainScore(key=row["id"], title=titles[row["id"]], **_without(row, "id"))
            for row in root.document["domains"]
        ]

    @staticmethod
    def resolve_findings(root: ReportPage, info: Any) -> list[Finding]:
        rows = root.document["findings"]
        return [Finding(asked=asked_of(root, row["question"]), **_without(row, "question", "answer")) for row in rows]

    @staticmethod
    def resolve_plan(root: ReportPage, info: Any) -> list[Action]:
        rows = enumerate(root.document["plan"], 1)
        return [
            Action(number=number, asked=asked_of(root, row["question"]), **_without(row, "question"))
            for number, row in rows
        ]

    @staticmethod
    def resolve_comparison(root: ReportPage, info: Any) -> ReportPage | None:
        return None if root.comparison is None else root


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


class EvaluationProblem(graphene.ObjectType):
    """Why answers have no evaluation, and what to do."""

    message = Text(description="What happened and what to do, in the words of the pages.")
    since = graphene.DateTime(required=True, description="When that was found out.")
    revision = graphene.Int(required=True, description="The submission's revision that could not be evaluated.")

    @staticmethod
    def resolve_since(root: models.Problem, info: Any) -> Any:
        return root.at
