"""Reports as they come: GraphQL subscriptions on top of `reports.following`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Any

import graphene

from api import ids
from api.enums import described
from api.refusals import person
from questionnaires.schema import line
from reports import models, positions
from reports.following import News, Positions, Watch, follow
from reports.presentation import ReportPage
from reports.types.enums import Rating
from reports.types.evaluation import Evaluation, EvaluationProblem
from reports.types.report import Report, page_of

ReportChangeKind = described(
    "ReportChangeKind",
    "What became of a report.",
    {
        "STORED": ("stored", "It is new or was replaced: put it in the place of the one with the same id, or add it."),
        "REMOVED": (
            "removed",
            "Its draft was deleted, or it no longer has a rating that you asked for. You may never have seen it.",
        ),
    },
)
EvaluationState = described(
    "EvaluationState",
    "Whether more is to come.",
    {
        "PROVISIONAL": ("provisional", "Of a draft's answers so far: the next save makes another one."),
        "FINAL": ("final", "Of what was submitted."),
        "WITHDRAWN": ("withdrawn", "The draft was deleted, and its evaluation with it."),
    },
)


class ReportChange(graphene.ObjectType):
    """A report that appeared, changed or went."""

    position = graphene.String(
        required=True, description="How far you have come with this: say it as `after` when you subscribe again."
    )
    kind = ReportChangeKind(required=True, description="What became of it.")
    report_id = graphene.ID(required=True, description="The id of the report.")
    submission_id = graphene.ID(required=True, description="The id of its submission.")
    report = graphene.Field(Report, description="The report in its newest state; null where it was removed.")


class EvaluationProgress(graphene.ObjectType):
    """How the evaluation of a submission stands."""

    position = graphene.String(
        required=True, description="How far you have come with this: say it as `after` when you subscribe again."
    )
    state = EvaluationState(required=True, description="Whether more is to come.")
    submission_id = graphene.ID(required=True, description="The id of the submission.")
    revision = graphene.Int(
        required=True,
        description="The revision that was evaluated, or could not be; where the submission's own is higher, more is "
        "under way.",
    )
    rating = Rating(description="The rating so far; null where nothing counts yet.")
    rating_shown = graphene.Boolean(
        required=True,
        description="Whether the rating should be shown: once half of the scored questions asked have an answer, and "
        "always where it is final.",
    )
    evaluation = graphene.Field(
        Evaluation,
        description="What the answers come to, and why; null where withdrawn, and where there is a `problem`.",
    )
    problem = graphene.Field(
        EvaluationProblem,
        description="Why this revision has no evaluation, and what to do; null where it has one. Not sent where you "
        "ask for ratings.",
    )

    @staticmethod
    def resolve_evaluation(root: Any, info: Any) -> ReportPage | None:
        return None if root.evaluation is None else page_of(root.evaluation)


def _filters() -> dict[str, Any]:
    return {
        "organisation": graphene.ID(description="Only of this organisation."),
        "submission": graphene.ID(description="Only of this submission."),
        "questionnaire": graphene.String(description="Only of this questionnaire's editions, by its slug."),
        "rating": graphene.List(graphene.NonNull(Rating), description="Only with one of these ratings."),
        "after": graphene.String(
            description="The last position you have seen, with the same filters: what came after it is delivered "
            "first, each report once in its newest state. Without it you get only what comes from now on."
        ),
    }


class Subscription(graphene.ObjectType):
    """What happens from now on, and what you missed before."""

    report_changed = graphene.Field(
        ReportChange,
        required=True,
        description="Each report of your organisations that appears, changes or goes.",
        **_filters(),
    )
    evaluation_progress = graphene.Field(
        EvaluationProgress,
        required=True,
        description="How evaluations proceed: one message each time that answers were evaluated, or that this failed "
        "for good.",
        **_filters(),
    )

    @staticmethod
    def subscribe_report_changed(root: None, info: Any, **filters: Any) -> AsyncGenerator[ReportChange, None]:
        return _report_changes(_follow(info, **filters), _values(filters))

    @staticmethod
    def subscribe_evaluation_progress(
        root: None, info: Any, **filters: Any
    ) -> AsyncGenerator[EvaluationProgress, None]:
        return _evaluations(_follow(info, **filters), _values(filters))


def _follow(
    info: Any,
    organisation: str | None = None,
    submission: str | None = None,
    questionnaire: str | None = None,
    after: str | None = None,
    **rest: Any,
) -> AsyncGenerator[News, None]:
    """The news that the arguments ask for; the rating is looked at by the callers."""
    watch = Watch(
        person=person(info).pk,
        organisation=None if organisation is None else ids.key_of("Organisation", organisation),
        submission=None if submission is None else ids.key_of("Submission", submission),
        questionnaire=None if questionnaire is None else line(questionnaire),
    )
    return follow(watch, None if after is None else positions.decode(after))


def _values(filters: dict[str, Any]) -> Collection[str] | None:
    wanted = filters.get("rating")
    return None if wanted is None else frozenset(rating.value for rating in wanted)


async def _report_changes(
    news: AsyncGenerator[News, None], ratings: Collection[str] | None
) -> AsyncGenerator[ReportChange, None]:
    async with aclosing(news):
        async for each in news:
            report = each.change
            if isinstance(report, models.Problem):
                continue
            shown = not report.withdrawn and (ratings is None or report.rating in ratings)
            yield ReportChange(
                position=positions.encode(each.seen),
                kind="stored" if shown else "removed",
                report_id=ids.encode("Report", report.pk),
                submission_id=ids.encode("Submission", report.submission),
                report=report if shown else None,
            )


async def _evaluations(
    news: AsyncGenerator[News, None], ratings: Collection[str] | None
) -> AsyncGenerator[EvaluationProgress, None]:
    async with aclosing(news):
        async for each in news:
            report = each.change
            if isinstance(report, models.Problem):
                if ratings is None:
                    yield _without_evaluation(report, each.seen)
            elif ratings is None or report.rating in ratings:
                yield EvaluationProgress(
                    position=positions.encode(each.seen),
                    state=report.state,
                    submission_id=ids.encode("Submission", report.submission),
                    revision=report.revision,
                    rating=report.rating or None,
                    rating_shown=report.rating_shown,
                    evaluation=None if report.withdrawn else report,
                )


def _without_evaluation(problem: models.Problem, seen: Positions) -> EvaluationProgress:
    return EvaluationProgress(
        position=positions.encode(seen),
        state="provisional" if problem.provisional else "final",
        submission_id=ids.encode("Submission", problem.submission),
        revision=problem.revision,
        rating_shown=False,
        problem=problem,
    )
