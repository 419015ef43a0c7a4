"""What mutations say when they can't do what was asked: for the person, not for the developer."""

from __future__ import annotations

from dataclasses import dataclass

import graphene

from api.enums import described

UserErrorCode = described(
    "UserErrorCode",
    "Why a mutation did not do what was asked.",
    {
        "NOT_FOUND": ("NOT_FOUND", "There is no such object, or none that you may see."),
        "INVALID": ("INVALID", "The value is not one that is taken there; nothing was stored."),
        "CONFLICT": ("CONFLICT", "Somebody else changed it after you read it; it was left as it is."),
        "SUBMITTED": ("SUBMITTED", "It was submitted; reopen it first."),
        "INCOMPLETE": ("INCOMPLETE", "Questions are open that need an answer."),
        "KEPT": ("KEPT", "What was submitted once is kept, and can't be deleted."),
        "NO_ORGANISATION": ("NO_ORGANISATION", "You belong to no organisation."),
        "TOO_MUCH": ("TOO_MUCH", "That is more than is taken at once; nothing was stored."),
        "TOO_MANY": ("TOO_MANY", "There are as many as there may be; nothing was started."),
    },
)


@dataclass(frozen=True)
class Problem:
    """A user error: code, the way to the input that it is about, and a sentence for the person."""

    code: str
    path: tuple[str, ...]
    message: str


class UserError(graphene.ObjectType):
    """Why a mutation did not do what was asked, or not all of it."""

    code = UserErrorCode(required=True, description="For the program.")
    path = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description='Which input it is about, from the argument down, for example `["input", "answers", "2"]`.',
    )
    message = graphene.String(required=True, description="For the person, in the language of the request.")


def user_errors() -> graphene.List:
    """The field of every payload."""
    return graphene.List(
        graphene.NonNull(UserError), required=True, description="What went wrong; empty where all was done."
    )
