"""Reports."""

from __future__ import annotations

from typing import Any

import graphene
from django.utils.translation import gettext as _

from accounts.schema import Organisation
from api import ids
from api.connections import Order
from api.nodes import ModelNode, Node
from api.peers import for_peers, related
from api.refusals import Refusal
from questionnaires import definition, library
from questionnaires.schema import Questionnaire
from reports import models
from reports.presentation import ReportPage
from reports.types.enums import Rating, ReportState
from reports.types.evaluation import Evaluation, ReportAnswer, Text, asked_of

NEWEST_FIRST = Order("reports", "-created_at", "-id")


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
        return [asked_of(page, asked.id) for section in page.answered_sections for asked in section.questions]

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
