"""System checks: an API that would refuse or fail everything says so before it starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from api import limits, persisted
from api.errors import Refused
from api.execution import read


@register
def registered_operations_fit(**kwargs: Any) -> Iterable[CheckMessage]:
    """Each operation of GRAPHQL_OPERATIONS can be executed with this schema and these limits."""
    if not settings.GRAPHQL_OPERATIONS:
        return
    try:
        listed = persisted.operations(settings.GRAPHQL_OPERATIONS)
    except persisted.ListUnreadableError as error:
        hint = "Give the file that graphql-codegen or Apollo's manifest generator wrote, or leave it empty."
        yield Error(f"GRAPHQL_OPERATIONS cannot be read: {error}.", hint=hint, id="plumbline.E010")
        return
    for identifier, text in listed.by_id.items() if listed else ():
        try:
            read(text, limits.current())
        except Refused as refused:
            hint = "Generate the file anew from clients that fit this version."
            message = f"The registered operation {identifier} is refused: {refused.errors[0].message}"
            yield Error(message, hint=hint, id="plumbline.E011")
