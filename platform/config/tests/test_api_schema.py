"""The GraphQL schema as its readers find it: every part is described, and what the documentation shows works."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    is_list_type,
    specified_scalar_types,
)

from accounts.models import User
from accounts.schema import Organisation
from answers.models import Submission
from api import ids
from api.relations import relate
from config.tests.whole_schema import ask, object_types, schema
from config.tests.world import World, world_of
from tests.documentation import API_SCHEMA, blocks

TEXT = API_SCHEMA.read_text("utf-8")
OURS = {
    name: each
    for name, each in schema.type_map.items()
    if not name.startswith("__") and name not in specified_scalar_types
}


def parts() -> dict[str, str | None]:
    """Each type, field, argument and value of an enum with its description."""
    found: dict[str, str | None] = {}
    for name, each in OURS.items():
        found[name] = each.description
        if isinstance(each, GraphQLEnumType):
            found |= {f"{name}.{value}": about.description for value, about in each.values.items()}
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            found |= {f"{name}.{field}": about.description for field, about in each.fields.items()}
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            found |= {
                f"{name}.{field}({argument})": given.description
                for field, about in each.fields.items()
                for argument, given in about.args.items()
            }
    return found


def test_every_part_of_the_schema_is_described() -> None:
    assert [part for part, description in parts().items() if not (description or "").strip()] == []


def test_a_list_has_no_holes_and_is_null_only_where_that_means_something() -> None:
    holes = [
        (each.name, name)
        for each in object_types()
        for name, field in each.fields.items()
        if is_list_type(getattr(field.type, "of_type", field.type))
        and not isinstance(getattr(field.type, "of_type", field.type).of_type, GraphQLNonNull)
    ]
    nullable = [
        (each.name, name) for each in object_types() for name, field in each.fields.items() if is_list_type(field.type)
    ]

    assert holes == []
    assert nullable == [("Question", "when"), ("AnswerValue", "choices")]


def test_a_relation_is_not_given_twice() -> None:
    with pytest.raises(ValueError, match="Organisation has these already: reports"):
        relate(Organisation, reports=None)


@pytest.fixture
def world(alice: User) -> World:
    return world_of(alice)


@pytest.mark.parametrize(
    "document",
    [block for block in blocks(API_SCHEMA, "graphql") if not block.startswith("subscription")],
    ids=lambda text: text.split("(")[0].split("{")[0].strip(),
)
def test_each_operation_of_the_documentation_works(world: World, document: str) -> None:
    result = ask(world.person, document, **_variables(world))

    assert result.errors is None
    assert result.data is not None
    assert "errors { code" not in document or result.data["saveAnswers"]["errors"] == []


def _variables(world: World) -> dict[str, Any]:
    """Those of the documentation, with an id of something that there is."""
    (block,) = blocks(API_SCHEMA, "json")
    found: dict[str, Any] = json.loads(block)
    draft: Submission = world.draft
    found["input"]["submission"] = ids.encode("Submission", draft.pk)
    return found


def test_every_code_stands_in_the_documentation() -> None:
    folders = ("accounts", "answers", "reports", "platform/api", "platform/questionnaires")
    modules = [path for folder in folders for path in (settings.ROOT / folder).rglob("*.py")]
    sources = [path.read_text("utf-8") for path in modules if "tests" not in path.parts]
    codes = {code for source in sources for code in re.findall(r'Refusal\("([A-Z_]+)"', source)}

    assert len(codes) == 5
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
