"""Whatever is somebody else's does not exist, wherever in the GraphQL schema it is asked for.

The tests walk the schema. What a person has covers every field (else the first tests fail), and nothing of it turns up
when a stranger asks for everything; each id of it is answered like the id of nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql import is_required_argument

from accounts.models import User
from answers.models import Answer, Line, Submission
from answers.saving import Change, save_answers
from api import ids
from config.tests.whole_schema import (
    Seen,
    ask,
    data,
    id_arguments,
    id_arguments_below_the_roots,
    node_types,
    reachable,
    root_fields,
    root_selection,
    texts_in,
)
from config.tests.world import World, everything, world_of
from reports.models import Report

pytestmark = pytest.mark.thorough

NOBODYS = UUID(int=7)

# What the ids in arguments name. An argument that is missing here fails the tests.
QUERIED: dict[tuple[str, str], tuple[str, ...]] = {
    ("node", "id"): ("Organisation", "Me", "Line", "Submission", "Report", "Questionnaire"),
    ("lines", "organisation"): ("Organisation",),
    ("questionnaire", "id"): ("Questionnaire",),
    ("report", "id"): ("Report",),
    ("reports", "organisation"): ("Organisation",),
    ("reports", "submission"): ("Submission",),
    ("submission", "id"): ("Submission",),
    ("submissions", "organisation"): ("Organisation",),
}
# Definitions belong to the installation, not to an organisation.
PUBLIC = {"Questionnaire"}
WITHOUT_ARGUMENTS = [
    name for name, field in root_fields("query").items() if not any(map(is_required_argument, field.args.values()))
]
CASES = [(name, argument, kind) for (name, argument), kinds in QUERIED.items() for kind in kinds]
ANSWER = {"question": "mfa", "value": {"choice": "F"}, "note": "changed", "expectedVersion": 1}
# What to do with a submission, by mutation: the rest of its input, as it should be and as not. Without: it takes none.
MUTATIONS: dict[str, list[dict[str, Any]]] = {
    "startSubmission": [],
    "saveAnswers": [
        {"answers": [ANSWER]},
        {"answers": [ANSWER | {"question": "nonsense"}]},
        {"answers": [ANSWER] * 201},
    ],
    "submitSubmission": [{}],
    "reopenSubmission": [{}],
    "deleteDraft": [{}],
    "renameLine": [],
}
# What else is named by an id in the input of a mutation: the type of it, and the rest of the input.
ELSE_NAMED: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("startSubmission", "organisation"): ("Organisation", {"questionnaire": "everything"}),
    ("startSubmission", "line"): ("Line", {"questionnaire": "everything"}),
    ("renameLine", "line"): ("Line", {"name": "Mine"}),
}


@pytest.fixture
def theirs(alice: User) -> World:
    return world_of(alice)


@pytest.fixture
def mine(charlie: User) -> World:
    return world_of(charlie)


def by_id(user: Any, name: str, argument: str, global_id: str, seen: Seen | None = None) -> Any:
    return data(user, root_selection("query", name, argument), seen=seen, **{argument: global_id})


def everything_of(world: World, seen: Seen | None = None) -> list[Any]:
    """The answers to every query that there is, with the person's own ids."""
    found = [data(world.person, root_selection("query", name), seen=seen) for name in WITHOUT_ARGUMENTS]
    return found + [by_id(world.person, name, argument, world.ids[kind], seen) for name, argument, kind in CASES]


def marks_of(world: World) -> list[str]:
    organisation = world.person.organisation
    kept = [
        ids.encode(name, pk)
        for name, rows in (
            ("Line", organisation.lines),
            ("Submission", organisation.submissions),
            ("Report", organisation.reports),
        )
        for pk in rows.values_list("pk", flat=True)
    ]
    return [world.mark, world.person.email, world.ids["Me"], world.ids["Organisation"], *kept]


def leaked(world: World, found: Any) -> list[str]:
    """What of a person's world is in an answer."""
    told = list(texts_in(found))
    return [mark for mark in marks_of(world) if any(mark in text for text in told)]


def mutate(user: Any, mutation: str, /, **given: Any) -> Any:
    return ask(user, root_selection("mutation", mutation, "input"), input=given)


def test_every_id_in_an_argument_is_covered() -> None:
    assert set(id_arguments("query")) == set(QUERIED)
    assert set(root_fields("mutation")) == set(MUTATIONS)
    assert id_arguments_below_the_roots() == []


def test_every_type_with_an_id_is_covered(theirs: World) -> None:
    assert node_types() == set(theirs.ids) == set(QUERIED["node", "id"])


def test_what_a_person_has_gives_every_field_that_can_be_queried(theirs: World) -> None:
    seen = Seen()

    found = everything_of(theirs, seen)

    assert reachable("query") - seen.fields == set()
    assert leaked(theirs, found) == marks_of(theirs)


def test_a_stranger_who_asks_for_everything_sees_nothing_of_it(theirs: World, mine: World) -> None:
    found = everything_of(mine)

    assert leaked(mine, found) == marks_of(mine)
    assert leaked(theirs, found) == []


def test_a_stranger_with_nothing_sees_nothing_of_it(theirs: World, charlie: User) -> None:
    found = [data(charlie, root_selection("query", name)) for name in WITHOUT_ARGUMENTS]

    assert leaked(theirs, found) == []


@pytest.mark.parametrize(("name", "argument", "kind"), [case for case in CASES if case[2] not in PUBLIC])
def test_the_id_of_a_strangers_object_is_answered_like_that_of_nothing(
    theirs: World, mine: World, name: str, argument: str, kind: str
) -> None:
    nothing = ids.encode(kind, NOBODYS)

    refused = by_id(mine.person, name, argument, theirs.ids[kind])

    assert refused == by_id(mine.person, name, argument, nothing)
    assert refused == by_id(mine.person, name, argument, "nonsense")
    assert refused == by_id(mine.person, name, argument, ids.encode("Nonsense", NOBODYS))
    assert leaked(mine, refused) == []
    assert by_id(theirs.person, name, argument, theirs.ids[kind]) != refused


def statements(function: Callable[[], Any]) -> list[str]:
    """What the database is asked, without the values and the numbers of savepoints."""
    with CaptureQueriesContext(connection) as captured:
        function()
    return [re.sub(r"'[^']*'|_x\d+", "?", each["sql"]) for each in captured.captured_queries]


@pytest.mark.parametrize(("name", "argument", "kind"), [case for case in CASES if case[2] not in PUBLIC])
def test_looking_for_a_strangers_object_does_what_looking_for_nothing_does(
    theirs: World, mine: World, name: str, argument: str, kind: str
) -> None:
    """Else the time that it takes would tell."""
    found, nothing = (
        statements(partial(by_id, mine.person, name, argument, given))
        for given in (theirs.ids[kind], ids.encode(kind, NOBODYS))
    )

    assert found == nothing


@pytest.mark.parametrize("kind", sorted(PUBLIC))
def test_what_is_public_has_nothing_of_anybody(theirs: World, charlie: User, kind: str) -> None:
    for name, argument in [(name, argument) for name, argument, of in CASES if of == kind]:
        found = by_id(charlie, name, argument, theirs.ids[kind])

        assert found["found"] is not None
        assert leaked(theirs, found) == []


def test_reports_and_submissions_are_linked_within_an_organisation_only(theirs: World, mine: World) -> None:
    """They know one another by a UUID alone, which says nothing about who may see what it names."""
    mine_of_theirs, theirs_of_mine = (Report.objects.get(submission=each.draft.pk) for each in (mine, theirs))
    Submission.objects.filter(pk__in=[mine.draft.pk, theirs.draft.pk]).delete()
    drafts = Report.objects.filter(provisional=True)
    drafts.exclude(pk__in=[mine_of_theirs.pk, theirs_of_mine.pk]).delete()
    drafts.filter(pk=mine_of_theirs.pk).update(submission=theirs.submitted.pk, revision=99)
    drafts.filter(pk=theirs_of_mine.pk).update(submission=mine.submitted.pk, revision=99)

    found = everything_of(mine)
    which = "query ($id: ID!) { report(id: $id) { submission { id } } }"
    linked = data(mine.person, which, id=ids.encode("Report", mine_of_theirs.pk))

    # It is my own report that says of which submission it is.
    assert leaked(theirs, found) == [theirs.ids["Submission"]]
    assert ids.encode("Report", mine_of_theirs.pk) in json.dumps(found)
    assert linked == {"report": {"submission": None}}


@pytest.mark.parametrize("name", [name for name, given in MUTATIONS.items() if given])
def test_a_mutation_of_a_strangers_submission_is_answered_like_that_of_none(
    theirs: World, mine: World, name: str
) -> None:
    before = [list(model.objects.order_by("pk").values()) for model in (Submission, Answer, Report)]

    for each, given in product((theirs.draft, theirs.submitted), MUTATIONS[name]):
        refused = mutate(mine.person, name, submission=ids.encode("Submission", each.pk), **given)
        nothing = mutate(mine.person, name, submission=ids.encode("Submission", NOBODYS), **given)
        assert refused.formatted == nothing.formatted
        asked = [
            statements(partial(mutate, mine.person, name, submission=ids.encode("Submission", pk), **given))
            for pk in (each.pk, NOBODYS)
        ]
        assert asked[0] == asked[1]
        assert [error["UserError_code"] for error in _errors(refused.data)] == ["NOT_FOUND"]

    assert [list(model.objects.order_by("pk").values()) for model in (Submission, Answer, Report)] == before


@pytest.mark.parametrize(("name", "argument"), ELSE_NAMED)
def test_a_mutation_of_something_else_of_a_strangers_is_answered_like_that_of_none(
    theirs: World, mine: World, name: str, argument: str
) -> None:
    kind, given = ELSE_NAMED[name, argument]
    before = [list(model.objects.order_by("pk").values()) for model in (Line, Submission)]

    refused = mutate(mine.person, name, **{argument: theirs.ids[kind]}, **given)
    nothing = mutate(mine.person, name, **{argument: ids.encode(kind, NOBODYS)}, **given)
    asked = [
        statements(partial(mutate, mine.person, name, **{argument: each}, **given))
        for each in (theirs.ids[kind], ids.encode(kind, NOBODYS))
    ]

    assert refused.formatted == nothing.formatted
    assert asked[0] == asked[1]
    assert [error["UserError_code"] for error in _errors(refused.data)] == ["NOT_FOUND"]
    assert [list(model.objects.order_by("pk").values()) for model in (Line, Submission)] == before
    assert _errors(mutate(theirs.person, name, **{argument: theirs.ids[kind]}, **given).data) == []


def _errors(found: Any) -> list[Any]:
    return next(value for key, value in found["found"].items() if key.endswith("_errors"))


def test_what_a_person_does_gives_every_field_of_every_payload(alice: User, bob: User) -> None:
    seen = Seen()
    everything()

    def do(mutation: str, /, **given: Any) -> Any:
        return data(alice, root_selection("mutation", mutation, "input"), seen=seen, input=given)

    do("startSubmission", questionnaire="nonsense")
    draft = Submission.objects.get(pk=_started(do("startSubmission", questionnaire="everything")))
    submission = ids.encode("Submission", draft.pk)
    do("submitSubmission", submission=submission)
    do("saveAnswers", submission=submission, answers=[ANSWER | {"expectedVersion": 0}])
    save_answers(draft.pk, bob, [Change(question="mfa", value="N", base_version=1)])
    do("saveAnswers", submission=submission, answers=[ANSWER])
    do("renameLine", line=ids.encode("Line", draft.line_id), name="Main street")
    do("renameLine", line="nonsense", name="Main street")
    do("reopenSubmission", submission="nonsense")
    do("reopenSubmission", submission=submission)
    do("deleteDraft", submission="nonsense")
    do("deleteDraft", submission=submission)

    only_here = {name for name, _field in reachable("mutation")} - {name for name, _field in reachable("query")}
    assert {pair for pair in reachable("mutation") if pair[0] in only_here} - seen.fields == set()


def _started(found: Any) -> UUID:
    return ids.key_of("Submission", found["found"]["StartSubmissionPayload_submission"]["Submission_id"])


@pytest.mark.parametrize("name", sorted({*WITHOUT_ARGUMENTS, *(name for name, _argument in QUERIED)}))
def test_who_is_not_signed_in_is_told_so(theirs: World, name: str) -> None:
    cases = [(argument, theirs.ids[kind]) for field, argument, kind in CASES if field == name]

    for argument, given in cases or [("", "")]:
        variables: dict[str, Any] = {argument: given} if argument else {}
        result = ask(AnonymousUser(), root_selection("query", name, argument), **variables)
        codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
        assert codes == ["UNAUTHENTICATED"]
        assert list(texts_in(result.data)) == []


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_who_is_not_signed_in_changes_nothing(theirs: World, name: str) -> None:
    if MUTATIONS[name]:
        given = {"submission": ids.encode("Submission", theirs.draft.pk), **MUTATIONS[name][0]}
    else:
        argument, kind, rest = next((key[1], *found) for key, found in ELSE_NAMED.items() if key[0] == name)
        given = {argument: theirs.ids[kind], **rest}

    result = mutate(AnonymousUser(), name, **given)

    assert [(error.extensions or {}).get("code") for error in result.errors or ()] == ["UNAUTHENTICATED"]
    assert Submission.objects.get(pk=theirs.draft.pk).revision == theirs.draft.revision + 1
