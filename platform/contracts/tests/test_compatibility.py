"""The committed schemas are the contracts' promises."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from contracts import AnswerEvent, Event
from contracts.compatibility import CONTRACTS, FOLDER, broken_promises, committed_file


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_code_keeps_the_committed_promise(contract: type[Event]) -> None:
    promised = json.loads(committed_file(contract).read_text())
    assert broken_promises(promised, contract.json_schema()) == []


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_committed_schema_is_up_to_date(contract: type[Event]) -> None:
    written = committed_file(contract).read_text()
    assert json.loads(written) == contract.json_schema(), "run `python -m contracts.compatibility` and commit"


def test_every_committed_schema_belongs_to_a_contract() -> None:
    assert sorted(FOLDER.glob("*.json")) == sorted(committed_file(contract) for contract in CONTRACTS)


def changed(*path: str, to: Any) -> dict[str, Any]:
    """AnswerEvent's schema with one place replaced; None removes it."""
    schema = copy.deepcopy(AnswerEvent.json_schema())
    place = schema
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    if to is None:
        del place[path[-1]]
    return schema


def test_what_may_be_added() -> None:
    old = AnswerEvent.json_schema()
    states = [*old["properties"]["state"]["enum"], "archived"]
    for new in (
        changed("properties", "language", to={"type": "string"}),
        changed("properties", "state", "enum", to=states),
        changed("$defs", "AnswerSnapshot", "properties", "revision", "minimum", to=None),
        changed("properties", "state", "description", to="Other words."),
    ):
        assert broken_promises(old, new) == []


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (changed("properties", "state", "enum", to=["new"]), "event.state: 'changed' is refused now"),
        (changed("properties", "state", to=None), "event.state: is gone"),
        (changed("required", to=["answer", "state", "language"]), "event.language: is required now"),
        (
            changed("$defs", "AnswerSnapshot", "properties", "revision", "type", to="string"),
            "event.answer.revision: type was 'integer' and is 'string'",
        ),
        (
            changed("$defs", "AnswerSnapshot", "properties", "revision", "maximum", to=9),
            "event.answer.revision: maximum 9 is demanded now",
        ),
        (
            changed("$defs", "GivenAnswer", "properties", "note", "type", to="integer"),
            "event.answer.values.additionalProperties.note: type was 'string' and is 'integer'",
        ),
    ],
)
def test_what_breaks_a_promise_is_named(new: dict[str, Any], problem: str) -> None:
    assert problem in broken_promises(AnswerEvent.json_schema(), new)
