"""What `reports` adds to the GraphQL schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import graphene

from accounts.models import Membership
from api import ids
from api.connections import Page, connection, page_arguments, page_of_each, wanted
from api.peers import for_peers
from api.refusals import person
from questionnaires.schema import line
from reports import models, positions
from reports.subscriptions import Subscription
from reports.types.enums import Rating, ReportState
from reports.types.evaluation import EvaluationProblem
from reports.types.report import NEWEST_FIRST, Report

__all__ = [
    "Query",
    "Report",
    "Subscription",
    "evaluation_problem",
    "latest_report",
    "reports_of_organisation",
    "reports_of_submission",
]


def _position_of(page: Page, info: Any) -> str:
    position: str = page.extra
    return position


ReportConnection = connection(
    Report,
    "Reports, the newest first.",
    position=graphene.String(
        required=True,
        description="How far your organisations' reports had come just before this page was read: say it as `after` "
        "when you subscribe, and nothing is missed in between.",
        resolver=_position_of,
    ),
)

_FILTERS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "organisation": lambda given: ("organisation", ids.key_of("Organisation", given)),
    "submission": lambda given: ("submission", ids.key_of("Submission", given)),
    "questionnaire": lambda given: ("questionnaire_slug", line(given)),
    "rating": lambda given: ("rating__in", sorted({rating.value for rating in given})),
    "state": lambda given: ("provisional", given.value == "provisional"),
}


class Query(graphene.ObjectType):
    """Reports."""

    report = graphene.Field(
        Report,
        description="The report with this id; null where there is none that you may see.",
        id=graphene.ID(required=True, description="The id of a report."),
    )
    reports = graphene.Field(
        ReportConnection,
        required=True,
        description="The reports of your organisations, the newest first.",
        organisation=graphene.ID(description="Only those of this organisation."),
        submission=graphene.ID(description="Only those of this submission."),
        questionnaire=graphene.String(description="Only those of this questionnaire's editions, by its slug."),
        rating=graphene.List(graphene.NonNull(Rating), description="Only those with one of these ratings."),
        state=ReportState(description="Only those in this state."),
        **page_arguments(),
    )

    @staticmethod
    def resolve_report(root: None, info: Any, id: str) -> models.Report | None:
        person(info)
        found: models.Report | None = Report.find(info, id)
        return found

    @staticmethod
    def resolve_reports(root: None, info: Any, **arguments: Any) -> Page:
        position = _position(info)
        given = {name: arguments.pop(name, None) for name in _FILTERS}
        lookups = dict(_FILTERS[name](value) for name, value in given.items() if value is not None)
        page = NEWEST_FIRST.page(Report.visible_to(person(info)).filter(**lookups), wanted(**arguments))
        return replace(page, extra=position)


def _position(info: Any) -> str:
    """How far the person's feeds have come; read before any report, so that nothing falls in between."""
    loaders = info.context.loaders
    if "position" not in loaders:
        mine = Membership.objects.filter(user=person(info)).values_list("organisation", flat=True)
        loaders["position"] = positions.encode(models.Feed.objects.positions(list(mine)))
    position: str = loaders["position"]
    return position


def _reports_by(field: str) -> Callable[..., Page]:
    def resolve(root: Any, info: Any, **page: Any) -> Page:
        position = _position(info)
        found = page_of_each(root, NEWEST_FIRST, Report.visible_to(person(info)), field, page)
        return replace(found, extra=position)

    return resolve


def _latest_report(root: Any, info: Any) -> models.Report | None:
    mine = models.Report.objects.visible_to(person(info))
    return for_peers(root, "latest report", lambda peers: mine.newest_of_each([peer.pk for peer in peers]))


def _evaluation_problem(root: Any, info: Any) -> models.Problem | None:
    mine = models.Problem.objects.visible_to(person(info))
    found = for_peers(root, "evaluation problem", lambda peers: mine.of_each([peer.pk for peer in peers]))
    # A newer revision is another attempt, and under way.
    return found if found is not None and found.revision >= root.revision else None


reports_of_organisation = graphene.Field(
    ReportConnection,
    required=True,
    description="Its reports, the newest first.",
    resolver=_reports_by("organisation"),
    **page_arguments(),
)
reports_of_submission = graphene.Field(
    ReportConnection,
    required=True,
    description="What came of it: its final reports and the provisional one, the newest first.",
    resolver=_reports_by("submission"),
    **page_arguments(),
)
latest_report = graphene.Field(
    Report, description="The report of its latest answers; null where none is made yet.", resolver=_latest_report
)
evaluation_problem = graphene.Field(
    EvaluationProblem,
    description="Why its newest revision has no evaluation, and what to do; null where it has one, or where one is "
    "under way. It goes when an operator has the evaluation made after all, and with the next save. To try again, "
    "submit it once more: where there is no report of this revision, that makes a new one, even if no answer has "
    "changed.",
    resolver=_evaluation_problem,
)
