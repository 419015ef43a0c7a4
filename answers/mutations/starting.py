"""Starting a submission."""

from __future__ import annotations

from typing import Any

import graphene
from django.utils.translation import gettext as _

from accounts.models import Organisation as AccountsOrganisation
from accounts.models import User
from accounts.schema import Organisation
from answers import models, submissions
from answers.lines import InvalidName
from answers.mutations.refused import Refused, not_found
from answers.types import Submission
from api import ids
from api.refusals import person
from api.user_errors import Problem, user_errors
from questionnaires import library
from questionnaires.schema import line as line_of_questionnaires


class StartSubmissionInput(graphene.InputObjectType):
    """What to start. Without `line` and `name` it goes on in the organisation's only line, else in a new one."""

    questionnaire = graphene.String(required=True, description="The questionnaire's slug, for example `quick-check`.")
    organisation = graphene.ID(description="For which of your organisations; needed where you belong to several.")
    line = graphene.ID(description="The id of the line to go on in.")
    name = graphene.String(
        description=f"The name of the line to go on in, in at most {models.MAX_LINE_NAME} characters; it is made where "
        "there is none of that name yet."
    )


class StartSubmission(graphene.Mutation):
    """What came of starting."""

    class Meta:
        name = "StartSubmissionPayload"

    class Arguments:
        input = StartSubmissionInput(required=True, description="What to start.")

    submission = graphene.Field(Submission, description="The draft; null where there is an error.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> StartSubmission:
        try:
            return StartSubmission(submission=_start(person(info), input), errors=[])
        except Refused as refused:
            return StartSubmission(errors=refused.problems)


def _start(user: User, given: Any) -> models.Submission:
    try:
        return submissions.start(
            user,
            line_of_questionnaires(given.questionnaire),
            organisation=_organisation(user, given.organisation),
            line=None if given.line is None else ids.key_of("Line", given.line),
            name=given.name,
        )
    except library.UnknownQuestionnaire:
        raise Refused(not_found(("input", "questionnaire"))) from None
    except models.Line.DoesNotExist:
        raise Refused(not_found(("input", "line"))) from None
    except InvalidName as invalid:
        raise Refused(Problem("INVALID", ("input", "name"), str(invalid))) from None
    except submissions.OrganisationNeeded:
        message = _("You belong to several organisations. Say for which one this is.")
        raise Refused(Problem("INVALID", ("input", "organisation"), message)) from None
    except submissions.TooManyDrafts as full:
        raise Refused(Problem("TOO_MANY", ("input",), str(full))) from None
    except AccountsOrganisation.DoesNotExist:
        message = _("You belong to no organisation. Ask an administrator to add you to one.")
        raise Refused(Problem("NO_ORGANISATION", ("input",), message)) from None


def _organisation(user: User, organisation_id: str | None) -> AccountsOrganisation | None:
    if organisation_id is None:
        return None
    found = Organisation.visible_to(user).filter(pk=ids.key_of("Organisation", organisation_id)).first()
    if found is None:
        raise Refused(not_found(("input", "organisation")))
    return found
