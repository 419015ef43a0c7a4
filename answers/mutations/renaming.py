"""Renaming a line."""

from __future__ import annotations

from typing import Any

import graphene

from answers import lines, models
from answers.lines import InvalidName
from answers.mutations.refused import not_found
from answers.types import Line
from api import ids
from api.refusals import person
from api.user_errors import Problem, user_errors


class RenameLineInput(graphene.InputObjectType):
    """Which line, and its new name."""

    line = graphene.ID(required=True, description="The id of the line.")
    name = graphene.String(
        required=True,
        description=f"Its new name, in at most {models.MAX_LINE_NAME} characters. No other line of the organisation "
        "and questionnaire may have it.",
    )


class RenameLine(graphene.Mutation):
    """What came of renaming."""

    class Meta:
        name = "RenameLinePayload"

    class Arguments:
        input = RenameLineInput(required=True, description="Which line, and its new name.")

    line = graphene.Field(Line, description="The line as it is now; null where there is an error.")
    errors = user_errors()

    @staticmethod
    def mutate(root: None, info: Any, input: Any) -> RenameLine:
        try:
            return RenameLine(line=lines.rename(ids.key_of("Line", input.line), person(info), input.name), errors=[])
        except models.Line.DoesNotExist:
            return RenameLine(errors=[not_found(("input", "line"))])
        except InvalidName as invalid:
            return RenameLine(errors=[Problem("INVALID", ("input", "name"), str(invalid))])
