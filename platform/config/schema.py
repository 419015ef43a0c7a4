"""The GraphQL schema: what each app says about itself, and the relations that none of them knows alone."""

from __future__ import annotations

import graphene

import accounts.schema
import answers.schema
import questionnaires.schema
import reports.schema
from api import nodes
from api.relations import relate

relate(
    accounts.schema.Organisation,
    submissions=answers.schema.submissions_of_organisation,
    reports=reports.schema.reports_of_organisation,
)
relate(
    answers.schema.Submission,
    evaluation_problem=reports.schema.evaluation_problem,
    latest_report=reports.schema.latest_report,
    reports=reports.schema.reports_of_submission,
)
relate(
    reports.schema.Report,
    submission=answers.schema.submission_of_report,
    line=answers.schema.line_of_report,
)


class Query(
    accounts.schema.Query,
    questionnaires.schema.Query,
    answers.schema.Query,
    reports.schema.Query,
    nodes.Query,
):
    """What can be read."""


class Mutation(answers.schema.Mutation):
    """What can be done. Each payload tells in `errors` what was not done, and why."""


class Subscription(reports.schema.Subscription):
    """What is delivered as it happens, after what was missed."""


schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription)
