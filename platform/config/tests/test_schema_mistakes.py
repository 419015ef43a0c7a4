"""Whatever a client sends, it is told what is wrong with it: nothing of ours or of the code, and nothing is logged."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db

LONG = "9" * 5000
STATE = "query ($given: ReportState) { reports(state: $given) { position } }"
RATINGS = "query ($given: [Rating!]) { reports(rating: $given) { position } }"
FIRST = "query ($given: Int) { reports(first: $given) { position } }"
VALUE = """
mutation ($given: AnswerValueInput) {
  saveAnswers(input: {submission: "x", answers: [{question: "a", note: "", expectedVersion: 0, value: $given}]}) {
    errors { code }
  }
}
"""
PARTS_OF_PYTHON = ("Did you mean", "Traceback", "set_int_max_str_digits", "OverflowError", "ValueError", "isoformat")


def answered(client: Client, query: str, given: Any = None) -> Any:
    body = json.dumps({"query": query, "variables": {"given": given}})
    response = client.post("/graphql", body, content_type="application/json")
    assert response.status_code == 200
    return response.json()


def errors_of(answer: Any) -> set[tuple[str, str]]:
    return {(error["extensions"]["code"], error["message"]) for error in answer["errors"]}


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Any:
    with caplog.at_level(logging.INFO):
        yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("query", "given"),
    [
        (STATE, "FINAl"),
        (STATE, "final"),
        (STATE, {"a": 1}),
        (RATINGS, ["A", "Z"]),
        (RATINGS, [["A"]]),
        (RATINGS, [None]),
        (RATINGS, ["Z"] * 1000),
        (FIRST, 2**31),
        (FIRST, 10**4000),
        (FIRST, "10"),
        (FIRST, 1.5),
        (VALUE, {"number": 10**4000}),
        (VALUE, {"number": True}),
        (VALUE, {"number": "12"}),
        (VALUE, {"date": "yesterday"}),
        (VALUE, {"date": "2026-02-30"}),
        (VALUE, {"date": "2026-05-31T00:00:00"}),
        (VALUE, {"date": "\ud800"}),
        (VALUE, {"date": "\0"}),
        (VALUE, {"date": 20260531}),
        (VALUE, {"choices": [[["vpn"]]]}),
        (VALUE, {"choices": [None]}),
        (VALUE, {"dontKnow": "true"}),
        (VALUE, {"choise": "F"}),
        (VALUE, []),
        (VALUE, "F"),
    ],
)
def test_a_variable_that_does_not_fit_its_type_is_the_clients_mistake(
    alice_client: Client, query: str, given: Any
) -> None:
    answer = answered(alice_client, query, given)

    assert {code for code, _message in errors_of(answer)} == {"BAD_USER_INPUT"}
    assert [part for part in PARTS_OF_PYTHON if part in json.dumps(answer)] == []
    assert len(answer["errors"]) <= 21


def test_a_variable_that_does_not_fit_is_told_by_its_place(alice_client: Client) -> None:
    assert errors_of(answered(alice_client, STATE, "FINAl")) == {
        (
            "BAD_USER_INPUT",
            "Variable '$given' got invalid value 'FINAl'; Value 'FINAl' does not exist in 'ReportState' enum.",
        )
    }


def test_what_a_type_raises_by_accident_is_not_told(alice_client: Client) -> None:
    assert errors_of(answered(alice_client, VALUE, {"number": 10**4000})) == {
        ("BAD_USER_INPUT", "A value does not fit its type.")
    }


@pytest.mark.parametrize(
    "query",
    [
        f"{{ reports(first: {LONG}) {{ position }} }}",
        f"{{ reports(first: -{LONG}) {{ position }} }}",
        f"query ($given: Int = {LONG}) {{ reports(first: $given) {{ position }} }}",
        "{ reports(first: 1e99999) { position } }",
        "{ reports(state: FINA) { position } }",
        '{ reports(state: "FINAL") { position } }',
        "{ reports(frist: 1) { position } }",
        "{ reprots { position } }",
        "{ ... on Reprot { id } }",
        'mutation { deleteDraft(input: {submission: "a", submission: "b"}) { errors { code } } }',
        'mutation { deleteDraft(input: {submision: "a"}) { errors { code } } }',
        "type Report { id: ID } query { __typename }",
        "extend type Report { id: ID }",
        "subscription { reportChanged { kind } evaluationProgress { state } }",
        "subscription { __typename }",
        "subscription { reportChanged @skip(if: true) { kind } }",
        "subscription ($given: Boolean!) { reportChanged @include(if: $given) { kind } }",
        "subscription ($given: Boolean!) { ... @include(if: $given) { reportChanged { kind } } }",
        "subscription { ...A } fragment A on Subscription { ...B } "
        "fragment B on Subscription { reportChanged @include(if: false) { kind } }",
    ],
)
def test_an_operation_that_does_not_fit_the_schema_is_the_clients_mistake(alice_client: Client, query: str) -> None:
    answer = answered(alice_client, query)

    assert {code for code, _message in errors_of(answer)} == {"GRAPHQL_VALIDATION_FAILED"}
    assert [part for part in PARTS_OF_PYTHON if part in json.dumps(answer)] == []


@pytest.mark.parametrize("condition", ["@skip(if: false)", "@include(if: true)"])
def test_what_is_below_the_field_of_a_subscription_may_have_conditions(alice_client: Client, condition: str) -> None:
    answer = answered(alice_client, f"subscription {{ reportChanged {{ kind report {condition} {{ id }} }} }}")

    assert {code for code, _message in errors_of(answer)} == {"SUBSCRIPTION_OVER_HTTP"}


@pytest.mark.parametrize(
    "query", ["{ me \0 }", "{ me \ud800 }", '{ node(id: "\ud800") { id } }', "{ me } # \ud800", "{" * 900, "[" * 900]
)
def test_what_is_no_text_of_an_operation_is_the_clients_mistake(alice_client: Client, query: str) -> None:
    assert {code for code, _message in errors_of(answered(alice_client, query))} == {"GRAPHQL_PARSE_FAILED"}


ODD = ["", "\0", "\ud800", "\ud800:x", "a:b", "=", "é", LONG, "9" * 60_000, "-1", "null", "UmVwb3J0Og", "Tm9kZTox"]
BY_ID = {
    "node": "query ($given: ID!) { node(id: $given) { id } }",
    "questionnaire": "query ($given: ID!) { questionnaire(id: $given) { id } }",
    "report": "query ($given: ID!) { report(id: $given) { id } }",
    "submission": "query ($given: ID!) { submission(id: $given) { id } }",
}
BY_FILTER = {
    "reports of": "query ($given: ID) { reports(organisation: $given) { edges { cursor } } }",
    "reports from": "query ($given: ID) { reports(submission: $given) { edges { cursor } } }",
    "reports on": "query ($given: String) { reports(questionnaire: $given) { edges { cursor } } }",
    "submissions of": "query ($given: ID) { submissions(organisation: $given) { edges { cursor } } }",
    "submissions on": "query ($given: String) { submissions(questionnaire: $given) { edges { cursor } } }",
}
BY_CURSOR = {
    f"{name} {argument}": f"query ($given: String) {{ {name}({argument}: $given) {{ edges {{ cursor }} }} }}"
    for name in ("organisations", "submissions", "reports")
    for argument in ("after", "before")
}
BY_INPUT = {
    name: f"mutation ($given: ID!) {{ {name}(input: {{submission: $given{rest}}}) {{ errors {{ code path }} }} }}"
    for name, rest in [
        ("saveAnswers", ", answers: []"),
        ("submitSubmission", ""),
        ("reopenSubmission", ""),
        ("deleteDraft", ""),
    ]
}


@pytest.mark.parametrize("query", BY_ID.values(), ids=BY_ID)
def test_an_odd_id_names_nothing(alice_client: Client, query: str) -> None:
    for given in [*ODD, 7, 10**400]:
        assert [*answered(alice_client, query, given)["data"].values()] == [None]


@pytest.mark.parametrize("query", BY_FILTER.values(), ids=BY_FILTER)
def test_an_odd_filter_finds_nothing(alice_client: Client, query: str) -> None:
    for given in ODD:
        assert [*answered(alice_client, query, given)["data"].values()] == [{"edges": []}]


@pytest.mark.parametrize("query", BY_CURSOR.values(), ids=BY_CURSOR)
def test_an_odd_cursor_is_none(alice_client: Client, query: str) -> None:
    for given in ODD:
        assert {code for code, _message in errors_of(answered(alice_client, query, given))} == {"BAD_CURSOR"}


@pytest.mark.parametrize("query", BY_INPUT.values(), ids=BY_INPUT)
def test_an_odd_id_in_an_input_names_nothing(alice_client: Client, query: str) -> None:
    for given in ODD:
        (payload,) = answered(alice_client, query, given)["data"].values()
        assert payload == {"errors": [{"code": "NOT_FOUND", "path": ["input", "submission"]}]}


def test_the_messages_of_the_standard_rules_name_no_place_in_the_code(alice_client: Client) -> None:
    answer = answered(alice_client, "{ reports { nothing } }")

    assert str(settings.ROOT) not in json.dumps(answer)
    assert errors_of(answer) == {
        ("GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing' on type 'ReportConnection'.")
    }
