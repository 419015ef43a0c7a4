"""Operations made from the schema alone: whatever they ask, none fails on our side.

`make fuzz` asks more of them; FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.embedded import ROOT, Person, Server
from tests.unlimited import WITHOUT_BUCKETS

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
"""Of each field of Query and Mutation, and as many that do not fit the schema."""
SEED = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**32))
SAVE = """
mutation ($input: SaveAnswersInput!) { saveAnswers(input: $input) { errors { message } } }
"""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose limits let nearly everything through that the schema allows."""
    limits = {"LENGTH": "1000000", "TOKENS": "50000", "DEPTH": "40", "ALIASES": "1000", "FIELDS": "5000"}
    limits |= {"DIRECTIVES": "500", "OVERLAPS": "20000", "COST": "2000000"}
    given: dict[str, Any] = {f"GRAPHQL_MAX_{name}": value for name, value in limits.items()}
    given |= {"GRAPHQL_MAX_BODY": "4000000", "MAX_BODY": "4000000"} | WITHOUT_BUCKETS
    server = Server(tmp_path_factory.mktemp("fuzzed") / "data", None, **given)
    server.start()
    yield server
    server.stop()


def ask(server: Server, person: Person, query: str, **variables: Any) -> Any:
    answer = post(server, person, json.dumps({"query": query, "variables": variables}))
    assert answer[0] == 200, answer
    document = json.loads(answer[1])
    assert "errors" not in document, document
    return document["data"]


def post(server: Server, person: Person, body: str) -> tuple[int, str]:
    return server.post("/graphql", body, {"Authorization": f"Bearer {person.session_key}"})


def ids_of(server: Server, person: Person) -> list[str]:
    """Ids of the person's own things."""
    started = ask(
        server, person, 'mutation { startSubmission(input: {questionnaire: "quick-check"}) { submission { id } } }'
    )
    draft = started["startSubmission"]["submission"]["id"]
    answers = [{"question": "QC-01", "value": {"choice": "P"}, "note": "", "expectedVersion": 0}]
    ask(server, person, SAVE, input={"submission": draft, "answers": answers})
    seen = ask(
        server, person, "{ me { id } organisations { edges { node { id } } } reports { edges { node { id } } } }"
    )
    found = [draft, seen["me"]["id"]]
    for name in ("organisations", "reports"):
        found += [edge["node"]["id"] for edge in seen[name]["edges"]]
    return found


def test_no_operation_fails_on_our_side(fuzzed: Server) -> None:
    alice, charlie = fuzzed.person("alice@example.org"), fuzzed.person("charlie@example.org", "Contoso")
    known = ids_of(fuzzed, alice) + ids_of(fuzzed, charlie)
    schemathesis.graphql.scalar(
        "ID", (st.sampled_from(known) | st.text(max_size=40)).map(schemathesis.graphql.nodes.String)
    )
    schema = schemathesis.graphql.from_path(ROOT / "schema.graphql")
    outcomes: Counter[str] = Counter()
    print(f"FUZZ_SEED={SEED}")  # noqa: T201  (shown where the test fails)

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = found.ok().as_strategy(generation_mode=mode)
            outcomes += asked(fuzzed, alice, strategy)

    assert outcomes["executed"] > sum(outcomes.values()) / 4, outcomes


def asked(server: Server, person: Person, strategy: Any) -> Counter[str]:
    """What became of each operation; fails for one that failed on our side."""
    outcomes: Counter[str] = Counter()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        status, body = post(server, person, json.dumps({"query": case.body}))
        document = json.loads(body)
        assert status == 200, (SEED, case.body, body)
        codes = {error["extensions"]["code"] for error in document.get("errors", ())}
        assert "INTERNAL_SERVER_ERROR" not in codes, (SEED, case.body, body)
        outcomes["executed" if document.get("data") else "refused: " + ", ".join(sorted(codes))] += 1

    check()
    return outcomes
