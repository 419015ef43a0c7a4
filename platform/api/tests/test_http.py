"""GraphQL over HTTP: what the audits of graphql-http do not ask."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from api import asking
from throttling import buckets
from throttling.rates import read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_schema")]

GRAPHQL_RESPONSE = "application/graphql-response+json"


def post(client: Client, body: object, accept: str = "application/json", **extra: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"Accept": accept, **extra.pop("headers", {})}
    return client.post("/graphql", content, content_type="application/json", headers=headers, **extra)


def errors_of(response: Any) -> list[tuple[str, str]]:
    return [(error["extensions"]["code"], error["message"]) for error in response.json()["errors"]]


def test_an_operation_is_executed_for_who_asks(alice_client: Client) -> None:
    response = post(alice_client, {"query": "{ email viaHttp }"})

    assert response.status_code == 200
    assert response.json() == {"data": {"email": "alice@example.org", "viaHttp": True}}


def test_a_mutation_by_post_is_executed(alice_client: Client, alice: User) -> None:
    query = "mutation ($name: String!) { rename(name: $name) { name } }"

    assert post(alice_client, {"query": query, "variables": {"name": "Alicia"}}).json() == {
        "data": {"rename": {"name": "Alicia"}}
    }
    alice.refresh_from_db()
    assert alice.name == "Alicia"


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
def test_get_never_changes_anything(alice_client: Client, alice: User, accept: str) -> None:
    query = 'mutation Rename { rename(name: "Mallory") { name } } query Read { email }'
    refused = alice_client.get(
        f"/graphql?{urlencode({'query': query, 'operationName': 'Rename'})}", headers={"Accept": accept}
    )
    allowed = alice_client.get(
        f"/graphql?{urlencode({'query': query, 'operationName': 'Read'})}", headers={"Accept": accept}
    )

    assert refused.status_code == 405
    assert refused["Allow"] == "POST"
    assert errors_of(refused) == [("METHOD_NOT_ALLOWED", "Send mutations by POST.")]
    assert allowed.json() == {"data": {"email": "alice@example.org"}}
    alice.refresh_from_db()
    assert alice.name == "Alice"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "head", "options", "trace"])
def test_other_methods_are_refused(alice_client: Client, method: str) -> None:
    response = getattr(alice_client, method)("/graphql")

    assert response.status_code == 405
    assert response["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
    ],
)
def test_only_json_is_taken(alice_client: Client, content_type: str) -> None:
    response = alice_client.post("/graphql", b'{"query": "{ email }"}', content_type=content_type)

    assert response.status_code == 415
    assert errors_of(response) == [("UNSUPPORTED_MEDIA_TYPE", "Send application/json in UTF-8.")]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON; charset=UTF-8", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; charset=utf-8, application/json; charset=utf-8", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE},application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.8,application/json;q=0.9", "application/json"),
        (f"{GRAPHQL_RESPONSE};q=0,*/*", "application/json"),
        (f"application/json;q=0, {GRAPHQL_RESPONSE};q=0.1", GRAPHQL_RESPONSE),
        ("text/html, */*;q=0.1", "application/json"),
        (f"*/*, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
    ],
)
def test_the_answer_takes_the_type_that_the_client_likes_best(
    alice_client: Client, accept: str, media_type: str
) -> None:
    response = post(alice_client, {"query": "{ email }"}, accept)

    assert response.status_code == 200
    assert response["Content-Type"] == f"{media_type}; charset=utf-8"
    assert "Accept" in response["Vary"]


@pytest.mark.parametrize(
    "accept",
    ["text/html", "image/*", "application/json; charset=latin-1", "application/json;q=0", "application/json;q=x"],
)
def test_a_client_that_accepts_neither_type_gets_406(alice_client: Client, accept: str) -> None:
    response = post(alice_client, {"query": "{ email }"}, accept)

    assert response.status_code == 406
    assert response["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The body is no JSON."),
        (b'{"query": "{ email }", "variables": {"a": NaN}}', "The body is no JSON."),
        (b"\xff\xfe", "The body is no JSON."),
        (b"[" * 60_000, "The body is no JSON."),
        ([{"query": "{ email }"}], "Send one operation at a time: batches are not supported."),
        ("{ email }", "Send a JSON object with the operation."),
        (None, "Send a JSON object with the operation."),
        ({}, 'Give the operation in "query".'),
        ({"query": None}, 'Give the operation in "query".'),
        ({"query": 1}, '"query" has to be a string.'),
        ({"query": "{ email }", "variables": "{}"}, '"variables" has to be an object.'),
        ({"query": "{ email }", "operationName": 1}, '"operationName" has to be a string.'),
        ({"query": "{ email }", "extensions": []}, '"extensions" has to be an object.'),
        ({"query": "{ email }", "documentId": 1}, '"documentId" has to be a string.'),
        ({"extensions": {"persistedQuery": "x"}}, '"persistedQuery" has to be an object.'),
        ({"extensions": {"persistedQuery": {"sha256Hash": 1}}}, '"sha256Hash" has to be a string.'),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
def test_a_body_that_is_no_operation_gets_400_and_the_reason(
    alice_client: Client, body: object, message: str, accept: str
) -> None:
    response = post(alice_client, body, accept)

    assert response.status_code == 400
    assert errors_of(response) == [("BAD_REQUEST", message)]
    assert "data" not in response.json()


@pytest.mark.parametrize("name", ["variables", "extensions"])
def test_a_query_string_with_broken_json_gets_400(alice_client: Client, name: str) -> None:
    response = alice_client.get("/graphql", {"query": "{ email }", name: "{"})

    assert response.status_code == 400
    assert errors_of(response) == [("BAD_REQUEST", f'"{name}" is no JSON.')]


def test_a_query_string_may_have_variables(alice_client: Client) -> None:
    sent = {"query": "query ($text: String!) { echo(text: $text) }", "variables": '{"text": "Zürich"}'}

    assert alice_client.get("/graphql", sent).json() == {"data": {"echo": "Zürich"}}


def test_a_body_that_is_too_large_gets_413(alice_client: Client, settings: Settings) -> None:
    settings.GRAPHQL_MAX_BODY = 1000

    response = post(alice_client, {"query": "{ email }", "variables": {"text": "x" * 1000}})

    assert response.status_code == 413
    assert errors_of(response) == [("TOO_LARGE", "The request is larger than 1000 bytes. Send fewer values at once.")]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ emial }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query ($text: String!) { echo(text: $text) }"}, "BAD_USER_INPUT"),
        ({"query": "query A { email } query B { email }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "query A { email }", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "subscription { silence }"}, "SUBSCRIPTION_OVER_HTTP"),
        ({"documentId": "unknown"}, "PERSISTED_QUERY_NOT_FOUND"),
    ],
)
def test_an_operation_that_cannot_be_executed_gets_200_as_json_and_400_as_graphql_response(
    alice_client: Client, parameters: Mapping[str, str], code: str
) -> None:
    as_json = post(alice_client, parameters)
    as_graphql = post(alice_client, parameters, GRAPHQL_RESPONSE)

    assert as_json.status_code == 200
    assert as_graphql.status_code == 400
    assert as_json.json() == as_graphql.json()
    assert set(as_json.json()) == {"errors"}
    assert [found for found, _message in errors_of(as_json)] == [code]


@pytest.mark.parametrize(
    "query",
    ["{ emial }", "{ row { numbr } }", "{ echo(txt: 1) }", "{ ...on Roow { number } }", "{ email @skp(if: true) }"],
)
def test_no_name_of_the_schema_is_suggested(alice_client: Client, query: str) -> None:
    assert "Did you mean" not in post(alice_client, {"query": query}).content.decode()


def test_what_fails_unforeseen_is_masked_and_logged_by_its_id_alone(
    alice_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    query = "query ($text: String!) { secretAlias: secret echo(text: $text) }"
    with caplog.at_level(logging.DEBUG):
        response = post(alice_client, {"query": query, "variables": {"text": "my note"}})

    request_id = response["X-Request-ID"]
    assert response.status_code == 200
    assert response.json() == {
        "data": {"secretAlias": None, "echo": "my note"},
        "errors": [
            {
                "message": "Something went wrong on our side. Please try again.",
                "locations": [{"line": 1, "column": 26}],
                "path": ["secretAlias"],
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id},
            }
        ],
    }
    assert "GraphQL: resolving secret failed" in caplog.messages
    assert "my note" not in " ".join(caplog.messages)
    assert "secretAlias" not in " ".join(caplog.messages)


def test_a_value_that_does_not_fit_the_schema_is_masked(alice_client: Client) -> None:
    response = post(alice_client, {"query": "{ unfit }"})

    assert response.json()["data"] == {"unfit": None}
    assert "hunter2" not in response.content.decode()
    assert errors_of(response) == [("INTERNAL_SERVER_ERROR", "Something went wrong on our side. Please try again.")]


def test_an_error_that_is_meant_for_the_client_is_told(alice_client: Client) -> None:
    response = post(alice_client, {"query": "{ refused }"}, GRAPHQL_RESPONSE)

    assert response.status_code == 200
    assert response.json()["data"] == {"refused": None}
    assert errors_of(response) == [("NOT_FOUND", "There is no such report.")]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(OperationalError, 503, "SERVICE_UNAVAILABLE"), (ZeroDivisionError, 500, "INTERNAL_SERVER_ERROR")],
)
def test_a_server_that_cannot_look_anybody_up_says_so_in_json(
    alice_client: Client, caplog: pytest.LogCaptureFixture, error: type[Exception], status: int, code: str
) -> None:
    with patch.object(asking, "by_session", side_effect=error):
        response = post(alice_client, {"query": "{ email }"})

    assert response.status_code == status
    assert response.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert response.json()["errors"][0]["extensions"] == {
        "code": code,
        "requestId": response["X-Request-ID"],
    }
    assert "GraphQL: a request failed" in caplog.messages


def test_the_context_has_the_id_of_the_request(alice_client: Client) -> None:
    sent = "11111111-2222-4333-8444-555555555555"

    response = post(alice_client, {"query": "{ correlation }"}, headers={"X-Request-ID": sent})

    assert response.json() == {"data": {"correlation": sent}}
    assert UUID(response["X-Request-ID"]) == UUID(sent)


def test_nobody_keeps_an_answer(alice_client: Client) -> None:
    response = post(alice_client, {"query": "{ email }"})

    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


# --- introspection and GraphiQL ------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["{ __schema { __typename } }", '{ __type(name: "Row") { name } }'])
def test_the_schema_is_told_only_where_it_may_be(alice_client: Client, settings: Settings, query: str) -> None:
    settings.GRAPHQL_INTROSPECTION = True
    told = post(alice_client, {"query": query})
    settings.GRAPHQL_INTROSPECTION = False
    refused = post(alice_client, {"query": query})

    assert "errors" not in told.json()
    assert [code for code, _message in errors_of(refused)] == ["GRAPHQL_VALIDATION_FAILED"]


def test_typename_works_where_introspection_does_not(alice_client: Client, settings: Settings) -> None:
    settings.GRAPHQL_INTROSPECTION = False

    response = post(alice_client, {"query": "{ __typename row { __typename } }"})

    assert response.json() == {"data": {"__typename": "Query", "row": {"__typename": "Row"}}}


def test_graphiql_is_shown_to_a_browser_where_it_is_allowed(alice_client: Client, settings: Settings) -> None:
    settings.GRAPHIQL = True

    response = alice_client.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.status_code == 200
    assert "graphiql" in response.content.decode()
    assert "csrftoken" in response.cookies


def test_graphiql_asks_a_stranger_to_log_in(client: Client, settings: Settings) -> None:
    settings.GRAPHIQL = True

    response = client.get("/graphql", headers={"Accept": "text/html"})

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/graphql"


def test_a_browser_gets_the_reason_in_json_where_graphiql_is_not_allowed(
    alice_client: Client, settings: Settings
) -> None:
    settings.GRAPHIQL = False

    response = alice_client.get("/graphql", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 400
    assert errors_of(response) == [("BAD_REQUEST", 'Give the operation in "query".')]


def test_who_has_spent_their_steps_waits_and_nothing_is_done(
    alice: User, alice_client: Client, bob_client: Client, settings: Settings
) -> None:
    settings.THROTTLING = {"api-person": read("10/m")}
    buckets.forget()
    rename = {"query": 'mutation { rename(name: "Alicia") { name } }'}
    costly = {"query": "{ row { number rows { number } } }"}  # 13 steps, which a full bucket is enough for
    assert post(alice_client, costly).status_code == 200

    for accept in ("application/json", GRAPHQL_RESPONSE):
        refused = post(alice_client, rename, accept)
        assert (refused.status_code, refused["Retry-After"]) == (429, "18")
        assert refused.json()["errors"][0]["extensions"] == {"code": "THROTTLED", "retryAfter": 18}

    alice.refresh_from_db()
    assert alice.name != "Alicia"
    assert post(bob_client, rename).status_code == 200
