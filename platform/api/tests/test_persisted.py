"""With a list of registered operations, nothing else is executed."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from api import execution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_schema")]

TEXT = "query Mine { email }"
DIGEST = sha256(TEXT.encode()).hexdigest()
CODEGEN = {DIGEST: TEXT, "another": "{ viaHttp }"}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": DIGEST, "name": "Mine", "type": "query", "body": TEXT}],
}
Register = Callable[[Any], None]


@pytest.fixture
def register(settings: Settings, tmp_path: Path) -> Register:
    """Writes a list and lets the settings name it."""

    def write(content: Any) -> None:
        path = tmp_path / "operations.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        settings.GRAPHQL_OPERATIONS = str(path)
        execution.forget()

    return write


def ask(client: Client, **parameters: object) -> Any:
    return client.post("/graphql", json.dumps(parameters), content_type="application/json").json()


@pytest.mark.parametrize("content", [CODEGEN, APOLLO], ids=["codegen", "apollo"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"query": TEXT},
        {"documentId": DIGEST},
        {"documentId": f"sha256:{DIGEST}"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}},
    ],
    ids=["text", "documentId", "prefixed", "apollo"],
)
def test_a_registered_operation_is_executed_by_its_text_and_by_its_id(
    alice_client: Client, register: Register, content: Any, parameters: dict[str, Any]
) -> None:
    register(content)

    assert ask(alice_client, **parameters) == {"data": {"email": "alice@example.org"}}


def test_any_other_text_is_refused(alice_client: Client, register: Register) -> None:
    register(CODEGEN)

    answer = ask(alice_client, query="{ email }")

    assert answer["errors"] == [
        {
            "message": "Only registered operations are executed here.",
            "extensions": {"code": "OPERATION_NOT_REGISTERED"},
        }
    ]


def test_an_id_does_not_make_another_text_pass(alice_client: Client, register: Register) -> None:
    register(CODEGEN)

    answer = ask(alice_client, query="{ viaHttp email }", documentId=DIGEST)

    assert answer["errors"][0]["extensions"] == {"code": "OPERATION_NOT_REGISTERED"}


def test_an_unknown_id_is_answered_as_apollo_expects(alice_client: Client, register: Register) -> None:
    register(CODEGEN)

    answer = ask(alice_client, extensions={"persistedQuery": {"version": 1, "sha256Hash": "unknown"}})

    assert answer["errors"] == [
        {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]


def test_without_a_list_clients_register_nothing_by_themselves(alice_client: Client) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}
    both = ask(alice_client, query=TEXT, extensions=extensions)
    alone = ask(alice_client, extensions=extensions)

    assert both == {"data": {"email": "alice@example.org"}}
    assert alone["errors"][0]["extensions"] == {"code": "PERSISTED_QUERY_NOT_FOUND"}


def problems() -> list[tuple[str | None, str]]:
    return [(problem.id, problem.msg) for problem in run_checks() if problem.id in ("plumbline.E010", "plumbline.E011")]


def test_a_good_list_passes_the_system_check(register: Register) -> None:
    register(CODEGEN)

    assert problems() == []


@pytest.mark.parametrize(
    "content",
    ["no json", "[]", {"id": 1}, {"format": APOLLO["format"]}, {"format": APOLLO["format"], "operations": [1]}],
)
def test_a_list_that_cannot_be_read_fails_the_system_check(register: Register, content: Any) -> None:
    register(content)

    (problem,) = problems()
    assert problem[0] == "plumbline.E010"


def test_a_list_that_is_not_there_fails_the_system_check(settings: Settings, tmp_path: Path) -> None:
    settings.GRAPHQL_OPERATIONS = str(tmp_path / "missing.json")
    execution.forget()

    (problem,) = problems()
    assert problem[0] == "plumbline.E010"


def test_an_operation_that_does_not_fit_the_schema_fails_the_system_check(register: Register) -> None:
    register({"old": "{ emial }", "new": "{ email }"})

    assert problems() == [
        (
            "plumbline.E011",
            "The registered operation old is refused: Cannot query field 'emial' on type 'Query'.",
        )
    ]
