"""Reports and what they say as types of the GraphQL schema."""

from __future__ import annotations

from functools import partial
from typing import Any

import graphene
from django.utils.translation import gettext as _

from accounts.schema import Organisation
from api import ids
from api.connections import Order
from api.enums import described
from api.nodes import ModelNode, Node
from api.peers import for_peers, related
from api.refusals import Refusal
from questionnaires import definition, library
from questionnaires.answer_values import AnswerValue, to_graphql
from questionnaires.schema import Posed, Question, Questionnaire
from reports import models
from reports.presentation import ReportPage

NEWEST_FIRST = Order("reports", "-created_at", "-id")

Text = partial(graphene.String, required=True)
Texts = partial(graphene.List, graphene.NonNull(graphene.String), required=True)

ReportState = described(
    "ReportState",
    "Whether a report can still change.",
    {
        "PROVISIONAL": ("provisional", "Made from a draft: each newer revision of its answers replaces it."),
        "FINAL": ("final", "Made from what was submitted: it never changes."),
    },
)
Rating = described(
    "Rating",
    "The score in one letter, capped by failed gates.",
    {
        "A": ("A", "90 points or more, and no gate has failed."),
        "B": ("B", "75 points or more, and no gate has failed."),
        "C": ("C", "50 points or more, and no gate has failed."),
        "D": ("D", "25 points or more, or more points with one or two failed gates."),
        "E": ("E", "Fewer than 25 points, or three failed gates."),
    },
)
Severity = described(
    "Severity",
    "How bad a finding is, from the worst down.",
    {
        "CRITICAL": ("critical", "A gate has failed: without this protection, little else helps."),
        "HIGH": ("high", "Of high impact, and nothing is known to be in place."),
        "MEDIUM": ("medium", "Of high impact and begun, or of moderate impact."),
        "LOW": ("low", "Of low impact."),
    },
)
Wave = described(
    "Wave",
    "When to take up an action.",
    {
        "NOW": ("now", "Failed gates, and what brings most for little effort."),
        "NEXT": ("next", "Worth planning for the coming months."),
        "LATER": ("later", "Brings less for its effort."),
    },
)
Tier = described(
    "Tier",
    "How mature a domain is; named after the tiers of NIST CSF 2.0.",
    {
        "PARTIAL": ("Partial", "Fewer than 25 points."),
        "RISK_INFORMED": ("Risk Informed", "25 points or more."),
        "REPEATABLE": ("Repeatable", "50 points or more."),
        "ADAPTIVE": ("Adaptive", "85 points or more."),
    },
)
ItemChangeKind = described(
    "ItemChangeKind",
    "What became of a question since the earlier report.",
    {
        "RESOLVED": ("resolved", "It was below its target, and is not any more."),
        "IMPROVED": ("improved", "Its answer is worth more."),
        "REGRESSED": ("regressed", "Its answer is worth less."),
        "NEWLY_ASKED": ("newly_asked", "It counts now, and did not before."),
        "NO_LONGER_APPLICABLE": ("no_longer_applicable", "It counted before, and does not any more."),
    },
)


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


def _asked(page: ReportPage, key: str) -> ReportAnswer:
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
    # Given by the type below, which is not there yet.
    previous = graphene.Field(lambda: Report, description="The earlier report, where it is still there.")

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
            ItemChange(asked=_asked(root, row["question"]), change=row["change"], points=row["points"])
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
        return [_asked(root, asked.id) for asked in root.failed_gates]

    @staticmethod
    def resolve_gates_not_applicable(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [_asked(root, asked.id) for asked in root.gates_not_applicable]

    @staticmethod
    def resolve_headline(root: ReportPage, info: Any) -> str:
        return root.headline

    @staticmethod
    def resolve_verdict(root: ReportPage, info: Any) -> list[str]:
        return root.verdict

    @staticmethod
    def resolve_capped_by(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [_asked(root, key) for key in root.document["capped_by"]]

    @staticmethod
    def resolve_find_out(root: ReportPage, info: Any) -> list[ReportAnswer]:
        return [_asked(root, key) for key in root.document["find_out"]]

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
        return [Finding(asked=_asked(root, row["question"]), **_without(row, "question", "answer")) for row in rows]

    @staticmethod
    def resolve_plan(root: ReportPage, info: Any) -> list[Action]:
        rows = enumerate(root.document["plan"], 1)
        return [
            Action(number=number, asked=_asked(root, row["question"]), **_without(row, "question"))
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


class Report(ModelNode):
    """An evaluation that is kept, with everything it was made from."""

    class Meta:
        model = models.Report
        fields = ()
        interfaces = (Node,)

    organisation = graphene.Field(Organisation, required=True, description="Whose it is.")
    submission_id = graphene.ID(required=True, description="The id of the submission that it was made from.")
    questionnaire = graphene.Field(
        Questionnaire, description="The very edition that was answered; null where it is not installed any more."
    )
    questionnaire_slug = Text(description="The questionnaire's line.")
    questionnaire_version = Text(description="The edition, as a person reads it.")
    title = Text(description="The questionnaire's title.")
    line_name = Text(
        description="The name of the line within which it is compared. It is as it was when the report was made, and "
        "may be empty."
    )
    revision = graphene.Int(required=True, description="The submission's revision whose answers these are.")
    state = ReportState(required=True, description="Whether it can still change.")
    score = graphene.Float(description="From 0 to 100, with “don't know” as 0; null where nothing counts.")
    score_high = graphene.Float(description="The same with “don't know” as fully achieved: the end of the band.")
    rating = Rating(description="The score in one letter, capped by failed gates; null where nothing counts.")
    rating_shown = graphene.Boolean(
        required=True,
        description="Whether the rating should be shown: of a provisional report once half of the scored questions "
        "asked have an answer, of a final one always. Until then say how many are answered.",
    )
    answered = graphene.Int(required=True, description="How many of the scored questions asked have an answer.")
    visible = graphene.Int(required=True, description="How many scored questions are asked.")
    not_applicable_share = graphene.Float(
        required=True,
        description="Which part of the weight was declared not applicable, from 0 to 1. Say one above a quarter beside "
        "the rating.",
    )
    created_at = graphene.DateTime(
        required=True, description="When it appeared; of a final report: when it became final."
    )
    updated_at = graphene.DateTime(required=True, description="When it was replaced last.")
    answers = graphene.List(
        graphene.NonNull(ReportAnswer),
        required=True,
        description="Every question that was asked, in order, with its answer.",
    )
    evaluation = graphene.Field(Evaluation, required=True, description="What the answers come to, and why.")

    @classmethod
    def visible_to(cls, user: Any) -> models.ReportQuerySet:
        """Those of the person's organisations."""
        return models.Report.objects.visible_to(user).for_listing()

    @staticmethod
    def resolve_organisation(root: models.Report, info: Any) -> Any:
        return related(root, "organisation")

    @staticmethod
    def resolve_submission_id(root: models.Report, info: Any) -> str:
        return ids.encode("Submission", root.submission)

    @staticmethod
    def resolve_questionnaire(root: models.Report, info: Any) -> definition.Questionnaire | None:
        try:
            return library.by_digest(root.questionnaire_digest)
        except library.UnknownQuestionnaire:
            return None

    @staticmethod
    def resolve_title(root: models.Report, info: Any) -> str:
        return root.questionnaire_title

    @staticmethod
    def resolve_rating(root: models.Report, info: Any) -> str | None:
        return root.rating or None

    @staticmethod
    def resolve_visible(root: models.Report, info: Any) -> int:
        return root.asked

    @staticmethod
    def resolve_not_applicable_share(root: models.Report, info: Any) -> float:
        return float(root.not_applicable_share)

    @staticmethod
    def resolve_answers(root: models.Report, info: Any) -> list[ReportAnswer]:
        page = page_of(root)
        return [_asked(page, asked.id) for section in page.answered_sections for asked in section.questions]

    @staticmethod
    def resolve_evaluation(root: models.Report, info: Any) -> ReportPage:
        return page_of(root)


def page_of(report: models.Report) -> ReportPage:
    """The report as its page shows it. Where a list left the large columns out, they are loaded, for all peers."""
    page = for_peers(report, "page", _pages)
    if page is None:
        raise Refusal("GONE", _("Somebody deleted the draft of this report."))
    return page


def _pages(reports: list[models.Report]) -> dict[Any, ReportPage]:
    listed = {report.pk: report for report in reports if "evaluation" in report.get_deferred_fields()}
    if listed:
        contents = models.Report.objects.filter(pk__in=listed).values_list("pk", "values", "evaluation")
        for pk, values, evaluation in contents:
            listed[pk].values, listed[pk].evaluation = values, evaluation
    gone = {pk for pk, report in listed.items() if not report.__dict__.get("evaluation")}
    return {report.pk: ReportPage(report) for report in reports if report.pk not in gone}
