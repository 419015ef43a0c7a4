"""What `answers` adds to the GraphQL schema."""

from __future__ import annotations

from typing import Any

import graphene

from accounts.models import Organisation
from answers import models
from answers.mutations import Mutation
from answers.types import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    Line,
    LineConnection,
    Submission,
    SubmissionConnection,
    SubmissionState,
)
from api import ids
from api.connections import Page, page_arguments, page_of_each, wanted
from api.peers import for_peers
from api.refusals import person
from questionnaires.schema import line as line_of_questionnaires

__all__ = [
    "Mutation",
    "Query",
    "Submission",
    "line_of_report",
    "submission_of_report",
    "submissions_of_organisation",
]


class Query(graphene.ObjectType):
    """Submissions."""

    submission = graphene.Field(
        Submission,
        description="The submission with this id; null where there is none that you may see.",
        id=graphene.ID(required=True, description="The id of a submission."),
    )
    submissions = graphene.Field(
        SubmissionConnection,
        required=True,
        description="The submissions of your organisations, the one started last first.",
        organisation=graphene.ID(description="Only those of this organisation."),
        questionnaire=graphene.String(description="Only those of this questionnaire's editions, by its slug."),
        state=SubmissionState(description="Only those that stand there."),
        **page_arguments(),
    )

    lines = graphene.Field(
        LineConnection,
        required=True,
        description="The lines of your organisations, the oldest first: what a new submission can go on in.",
        organisation=graphene.ID(description="Only those of this organisation."),
        questionnaire=graphene.String(description="Only those of this questionnaire, by its slug."),
        **page_arguments(),
    )

    @staticmethod
    def resolve_lines(
        root: None, info: Any, organisation: str | None = None, questionnaire: str | None = None, **page: Any
    ) -> Page:
        mine = Line.visible_to(person(info))
        if organisation is not None:
            mine = mine.filter(organisation=ids.key_of("Organisation", organisation))
        if questionnaire is not None:
            mine = mine.filter(questionnaire_slug=line_of_questionnaires(questionnaire))
        return OLDEST_FIRST.page(mine, wanted(**page))

    @staticmethod
    def resolve_submission(root: None, info: Any, id: str) -> models.Submission | None:
        person(info)
        found: models.Submission | None = Submission.find(info, id)
        return found

    @staticmethod
    def resolve_submissions(
        root: None,
        info: Any,
        organisation: str | None = None,
        questionnaire: str | None = None,
        state: Any = None,
        **page: Any,
    ) -> Page:
        mine = Submission.visible_to(person(info))
        if organisation is not None:
            mine = mine.filter(organisation=ids.key_of("Organisation", organisation))
        if questionnaire is not None:
            mine = mine.filter(questionnaire_slug=line_of_questionnaires(questionnaire))
        if state is not None:
            mine = mine.filter(state=state.value)
        return NEWEST_FIRST.page(mine, wanted(**page))


def _submissions_of_organisation(root: Organisation, info: Any, **page: Any) -> Page:
    return page_of_each(root, NEWEST_FIRST, Submission.visible_to(person(info)), "organisation", page)


def _submission_of_report(root: Any, info: Any) -> models.Submission | None:
    mine = Submission.visible_to(person(info))

    def load(reports: list[Any]) -> dict[Any, models.Submission | None]:
        found = {each.pk: each for each in mine.filter(pk__in={report.submission for report in reports})}
        return {report.pk: found.get(report.submission) for report in reports}

    return for_peers(root, "submission", load)


def _line_of_report(root: Any, info: Any) -> models.Line | None:
    mine = Line.visible_to(person(info))

    def load(reports: list[Any]) -> dict[Any, models.Line | None]:
        found = mine.in_bulk({report.line for report in reports})
        return {report.pk: found.get(report.line) for report in reports}

    return for_peers(root, "line", load)


submissions_of_organisation = graphene.Field(
    SubmissionConnection,
    required=True,
    description="Its submissions, the one started last first.",
    resolver=_submissions_of_organisation,
    **page_arguments(),
)
submission_of_report = graphene.Field(
    Submission,
    description="The submission that it was made from; null where that was deleted.",
    resolver=_submission_of_report,
)
line_of_report = graphene.Field(
    Line,
    description="What it is compared within; null where that was deleted with its only draft.",
    resolver=_line_of_report,
)
