"""An operation that is too large is refused before anything costly, with the limit that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch
from uuid import uuid4

import pytest
from graphql import get_introspection_query, parse
from pytest_django import Settings

from accounts.models import User
from api import execution, limits
from api.context import Context
from api.cost import values_in
from api.errors import Refused
from api.execution import prepare, run
from api.limits import Limits
from api.parameters import Parameters

pytestmark = pytest.mark.usefixtures("small_schema")

WIDE = Limits(
    length=10**6, tokens=10**6, depth=10**6, aliases=10**6, directives=10**6, fields=10**6, overlaps=10**6, cost=10**6
)


def asker() -> Context:
    """Alice, whom nobody has stored."""
    return Context(user=User(email="alice@example.org"), request=None, correlation_id=uuid4())


def broken(text: str, allowed: Limits) -> str | None:
    """The limit that a text breaks."""
    try:
        execution.read(text, allowed)
    except Refused as refused:
        extensions = refused.errors[0].extensions or {}
        # Without one it was refused by a standard rule: those come after the limits.
        return extensions.get("limit")
    return None


SPREADS = "{ ...A ...A } fragment A on Query { row { ...B } } fragment B on Row { number rows { number } }"
EXAMPLES: list[tuple[str, str, int]] = [
    ("length", "{ email }", 9),
    ("tokens", '{ echo(text: "a long text is one token") }', 8),
    ("depth", "{ row { rows { number } } }", 3),
    ("depth", SPREADS, 3),
    ("depth", "{ ...on Query { row { ...on Row { number } } } }", 2),
    ("aliases", "{ a: email b: email row { c: number } }", 3),
    ("aliases", "{ email } fragment A on Query { a: email }", 1),
    ("directives", "{ email @skip(if: false) @include(if: true) }", 2),
    ("directives", "query ($a: Boolean @x) @x { ...A @x } fragment A on Query @x { ...on Query @x { email @x } }", 6),
    ("fields", "{ email row { number } }", 3),
    ("fields", SPREADS, 8),
    ("fields", "query A { email } query B { email }", 2),
    ("fields", "{ email } fragment A on Query { row { number } }", 3),
    ("depth", "{ email } fragment A on Query { row { rows { number } } }", 3),
    ("overlaps", "{ email email email }", 3),
    ("overlaps", "{ email } fragment A on Query { email email email }", 3),
    ("overlaps", "{ row { number } row { number } ...A } fragment A on Query { row { number } }", 6),
    ("overlaps", "{ a: email email: viaHttp email }", 1),
]


@pytest.mark.parametrize(("limit", "text", "found"), EXAMPLES)
def test_each_limit_lets_through_what_it_says_and_no_more(limit: str, text: str, found: int) -> None:
    assert broken(text, replace(WIDE, **{limit: found})) is None
    assert broken(text, replace(WIDE, **{limit: found - 1})) == limit


def test_fragments_that_double_each_other_are_counted_and_not_walked() -> None:
    doubling = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))

    assert broken(f"{{ ...F0 }} {doubling} fragment F60 on Query {{ email }}", limits.current()) == "fields"


def test_a_fragment_that_spreads_itself_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        execution.read("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", WIDE)

    assert refused.value.errors[0].message == "The fragment A spreads itself."


@pytest.mark.parametrize(
    "make",
    [
        lambda: "{ " + "email " * 1900 + "}",
        lambda: "{ " + " ".join(f"a{n}: email" for n in range(600)) + " }",
        lambda: "{ row { rows { " * 1 + "rows { " * 300 + "number" + " }" * 302 + " }",
        lambda: "{ email } fragment A on Query { " + "row { number } " * 400 + "}",
        lambda: (
            "{ email } fragment A60 on Query { email } "
            + "".join(f"fragment A{n} on Query {{ ...A{n + 1} ...A{n + 1} }} " for n in range(60))
        ),
        lambda: "{ email " + "@skip(if: false) " * 200 + "}",
        lambda: "{" * 40_000,
        lambda: "{ email }" + " " * 3_000_000,
        lambda: "{ email }" + "#" * 3_000_000,
        lambda: "{ echo(text: " + "[" * 900 + "]" * 900 + ") }",
    ],
)
def test_what_is_too_large_never_reaches_the_standard_rules(make: Callable[[], str]) -> None:
    with patch.object(execution, "validate") as validate, pytest.raises(Refused):
        execution.read(make(), limits.current())

    assert not validate.called


def test_the_query_by_which_tools_read_the_schema_is_within_the_limits() -> None:
    text = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )

    assert prepare(Parameters(query=text)).name == "IntrospectionQuery"


def test_a_query_that_reads_the_schema_in_circles_is_refused() -> None:
    circle = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"

    with pytest.raises(Refused) as refused:
        prepare(Parameters(query=circle))

    assert refused.value.errors[0].message == "Maximum introspection depth exceeded"


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ email }", {}, 1),
        ("{ row { number rows { number } } }", {}, 1 + 1 + 1 + 10),
        ("{ rows(first: 5) { nodes { number } } }", {}, 2 + 5 * (1 + 1)),
        ("{ rows { nodes { number } } }", {}, 1 + 20 * (1 + 1)),
        ("query ($n: Int) { rows(first: $n) { nodes { number } } }", {"n": 7}, 1 + 2 + 7 * 2),
        ("query ($n: Int = 3) { rows(first: $n) { nodes { number } } }", {}, 2 + 3 * 2),
        ("query ($n: Int) { rows(first: $n) { nodes { number } } }", {"n": None}, 1 + 2 + 20 * 2),
        ("{ rows(first: -5) { nodes { number } } }", {}, 2),
        ("{ ...A ...on Query { email } } fragment A on Query { row { number } }", {}, 3),
        ("{ rows(first: 5) { nodes { rows { rows { number } } } } }", {}, 2 + 5 * (1 + 1 + 10 * (1 + 10))),
        ("{ __typename __schema { queryType { name } } }", {}, 4),
        ("subscription { count(to: 3) }", {}, 2),
        ('mutation { rename(name: "x") { name } }', {}, 3),
        # Three values, which make a list with it: read once, and once more at each of the two places.
        ("query ($of: [Int!]) { sum(of: $of) b: sum(of: $of) }", {"of": [1, 2, 3]}, 4 + 2 * (1 + 4)),
        ("query ($of: [Int!] = [1, 2, 3]) { sum(of: $of) }", {}, 1 + 4),
        ("{ sum(of: [1, 2, 3]) }", {}, 1 + 4),
        ("{ sum(in: { of: [1, 2], more: { of: [3] } }) }", {}, 1 + 7),
        ("query ($in: Numbers) { sum(in: { more: $in }) }", {"in": {"of": [1, 2]}}, 4 + 1 + 1 + 4),
        ("query ($of: [Int!]) { row { rows { sum(of: $of) } } }", {"of": [1, 2, 3]}, 4 + 1 + 1 + 10 * (1 + 4)),
        # What no operation asks for was sent all the same.
        ("{ email }", {"unknown": [[], [{"a": None}]]}, 1 + 5),
    ],
)
def test_the_cost_counts_what_is_given_and_what_is_looked_up_as_if_lists_were_full(
    text: str, variables: dict[str, object], cost: int
) -> None:
    assert prepare(Parameters(query=text, variables=variables)).cost == cost


def test_variables_are_refused_by_their_number_before_they_are_read() -> None:
    text = "query ($of: [Int!]) { sum(of: $of) }"
    with patch.object(execution, "get_variable_values") as coercing, pytest.raises(Refused) as refused:
        prepare(Parameters(query=text, variables={"of": [1] * 20_000}))

    assert not coercing.called
    assert refused.value.errors[0].extensions == {"code": "LIMIT_EXCEEDED", "limit": "cost", "maximum": 20_000}


def test_variables_count_for_each_place_that_uses_them() -> None:
    uses = " ".join(f"s{n}: sum(of: $of)" for n in range(100))
    text = f"query ($of: [Int!]) {{ {uses} }}"

    assert prepare(Parameters(query=text, variables={"of": [1] * 196})).cost == 197 + 100 * 198 == 19_997
    with pytest.raises(Refused) as refused:
        prepare(Parameters(query=text, variables={"of": [1] * 197}))

    assert refused.value.errors[0].message == "The operation is too large: its cost may be 20000 at most."


def test_values_of_any_depth_are_counted() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert values_in(deep) == 100_001


def test_rows_that_no_text_tells_count_while_they_are_looked_up(settings: Settings) -> None:
    settings.GRAPHQL_MAX_COST = 1_000
    prepared = prepare(Parameters(query="{ email many(count: 400) { number text(length: 1) } sum(of: [1]) }"))
    assert prepared.cost == 1 + 2 + 10 * (1 + 2) + 3

    answer = run(prepared, asker())

    assert answer["data"] == {"email": "alice@example.org", "many": None, "sum": None}
    assert [(error["path"], error["extensions"]) for error in answer["errors"]] == [
        (["many"], {"code": "LIMIT_EXCEEDED", "limit": "cost", "maximum": 1_000}),
        (["sum"], {"code": "LIMIT_EXCEEDED", "limit": "cost", "maximum": 1_000}),
    ]


def test_an_operation_may_take_as_many_steps_as_there_are() -> None:
    prepared = prepare(Parameters(query="{ many(count: 6665) { number text(length: 1) } }"))

    # 2 for the field and its argument, 1 + 2 for each row.
    assert "errors" not in run(prepared, asker())


def test_of_thousands_of_errors_a_hundred_are_told_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    answer = run(prepare(Parameters(query="{ many(count: 500) { broken } }")), asker())

    assert len(answer["errors"]) == 101
    assert answer["errors"][100] == {
        "message": "400 more errors are left out. Ask for less at once to see them.",
        "extensions": {"code": "TOO_MANY_ERRORS"},
    }
    assert len(caplog.records) == 100


def test_a_costly_operation_is_refused_by_what_its_variables_ask_for(settings: Settings) -> None:
    settings.GRAPHQL_MAX_COST = 100
    text = "query ($n: Int!) { rows(first: $n) { nodes { number } } }"

    assert prepare(Parameters(query=text, variables={"n": 48})).variables == {"n": 48}
    with pytest.raises(Refused) as refused:
        prepare(Parameters(query=text, variables={"n": 49}))

    assert refused.value.errors[0].extensions == {"code": "LIMIT_EXCEEDED", "limit": "cost", "maximum": 100}
    assert refused.value.errors[0].message == "The operation is too large: its cost may be 100 at most."


@pytest.mark.parametrize("name", sorted(WIDE.__dataclass_fields__))
def test_each_limit_is_a_setting(settings: Settings, name: str) -> None:
    setattr(settings, f"GRAPHQL_MAX_{name.upper()}", 7)

    assert getattr(limits.current(), name) == 7


def test_a_text_is_parsed_once_and_again_when_the_limits_change(settings: Settings) -> None:
    text = "{ row { rows { number } } }"
    with patch.object(execution, "parse", wraps=parse) as parsing:
        first = prepare(Parameters(query=text)).document
        second = prepare(Parameters(query=text)).document
        settings.GRAPHQL_MAX_DEPTH = 2
        with pytest.raises(Refused):
            prepare(Parameters(query=text))

    assert first is second
    assert parsing.call_count == 2


def test_a_long_text_is_not_kept() -> None:
    text = '{ echo(text: "' + "x" * execution.CACHED_LENGTH + '") }'

    assert prepare(Parameters(query=text)).document is not prepare(Parameters(query=text)).document
