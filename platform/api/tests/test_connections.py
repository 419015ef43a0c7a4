"""Pages by keyset: stable whatever comes on top, the same from both ends, and clear about bad arguments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organisation, User
from answers.models import Line, Submission
from api import ids
from api.connections import MAX_SIZE
from config.tests.whole_schema import ask, data

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  submissions(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
OTHER_LISTS = ["organisations", "reports"]


@pytest.fixture
def acme(alice: User) -> Organisation:
    return alice.organisation


def start(organisation: Organisation, count: int = 1) -> list[Submission]:
    fields = {"questionnaire_slug": "any", "questionnaire_version": "1.0", "questionnaire_digest": "0" * 64}
    line, _made = Line.objects.get_or_create(organisation=organisation, questionnaire_slug="any", name="")
    return [Submission.objects.create(organisation=organisation, line=line, **fields) for _ in range(count)]


def page(user: User, **arguments: Any) -> Any:
    return data(user, PAGE, **arguments)["submissions"]


def rows(found: Any) -> list[str]:
    return [edge["node"]["id"] for edge in found["edges"]]


def refusals(user: User, **arguments: Any) -> list[tuple[str, str]]:
    """Code and sentence of each error."""
    return [((each.extensions or {})["code"], each.message) for each in ask(user, PAGE, **arguments).errors or ()]


def turn(user: User, size: int, *, backwards: bool = False) -> list[list[str]]:
    """All pages, from one end to the other."""
    argument, cursor, more = ("last", "before", "hasPreviousPage") if backwards else ("first", "after", "hasNextPage")
    pages, arguments = [], {argument: size}
    while True:
        found = page(user, **arguments)
        pages.append(rows(found))
        if not found["pageInfo"][more]:
            return pages
        arguments[cursor] = found["pageInfo"]["startCursor" if backwards else "endCursor"]


def test_turning_the_pages_gives_each_row_once_in_order(alice: User, acme: Organisation) -> None:
    start(acme, 7)
    everything = rows(page(alice))

    assert turn(alice, 3) == [everything[:3], everything[3:6], everything[6:]]
    assert len(set(everything)) == 7


def test_turning_backwards_gives_the_same_rows_from_the_end(alice: User, acme: Organisation) -> None:
    start(acme, 7)
    everything = rows(page(alice))

    assert turn(alice, 3, backwards=True) == [everything[4:], everything[1:4], everything[:1]]


def test_rows_of_the_very_same_moment_have_an_order_too(alice: User, acme: Organisation) -> None:
    start(acme, 5)
    Submission.objects.update(created_at=timezone.now())

    pages = turn(alice, 2)

    assert [len(each) for each in pages] == [2, 2, 1]
    assert len({row for each in pages for row in each}) == 5


def test_a_new_row_on_top_shifts_no_page(alice: User, acme: Organisation) -> None:
    start(acme, 4)
    everything = rows(page(alice))
    first = page(alice, first=2)

    start(acme)

    second = page(alice, first=2, after=first["pageInfo"]["endCursor"])
    assert rows(first) + rows(second) == everything


def test_a_row_that_went_does_not_spoil_its_cursor(alice: User, acme: Organisation) -> None:
    start(acme, 4)
    everything = rows(page(alice))
    first = page(alice, first=2)

    Submission.objects.order_by("-created_at", "-id")[1].delete()

    assert rows(page(alice, after=first["pageInfo"]["endCursor"])) == everything[2:]


def test_what_is_touched_keeps_its_place(alice: User, acme: Organisation) -> None:
    oldest = start(acme, 3)[0]
    everything = rows(page(alice))

    oldest.save()

    assert rows(page(alice)) == everything


def test_after_and_before_cut_out_a_part(alice: User, acme: Organisation) -> None:
    start(acme, 5)
    found = page(alice)
    cursors = [edge["cursor"] for edge in found["edges"]]

    part = page(alice, after=cursors[0], before=cursors[4])

    assert rows(part) == rows(found)[1:4]
    assert (part["pageInfo"]["startCursor"], part["pageInfo"]["endCursor"]) == (cursors[1], cursors[3])


def test_a_list_without_rows_has_no_cursors(alice: User) -> None:
    assert page(alice) == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


def test_twenty_rows_come_where_nobody_says_how_many(alice: User, acme: Organisation) -> None:
    start(acme, 21)

    found = page(alice)

    assert (len(rows(found)), found["pageInfo"]["hasNextPage"]) == (20, True)


def test_a_nested_list_is_cut_for_each_row_by_itself(alice: User, charlie: User, acme: Organisation) -> None:
    alice.join(charlie.organisation)
    start(acme, 3)
    start(charlie.organisation, 1)
    document = """
    query ($after: String) {
      organisations { edges { node { name submissions(first: 2, after: $after) {
        edges { cursor } pageInfo { hasNextPage }
      } } } }
    }
    """

    found = data(alice, document)["organisations"]["edges"]
    lists = [(each["node"]["name"], each["node"]["submissions"]) for each in found]
    assert [(name, len(part["edges"]), part["pageInfo"]["hasNextPage"]) for name, part in lists] == [
        ("Acme", 2, True),
        ("Contoso", 1, False),
    ]
    rest = data(alice, document, after=lists[0][1]["edges"][1]["cursor"])["organisations"]["edges"]
    assert [len(each["node"]["submissions"]["edges"]) for each in rest] == [1, 0]


def test_a_nested_list_is_cut_from_its_end_too(alice: User, charlie: User, acme: Organisation) -> None:
    alice.join(charlie.organisation)
    start(acme, 3)
    start(charlie.organisation, 1)
    document = """
    query ($last: Int, $before: String) {
      organisations { edges { node { submissions(last: $last, before: $before) {
        edges { cursor } pageInfo { hasPreviousPage }
      } } } }
    }
    """

    def lists(**arguments: Any) -> list[Any]:
        return [each["node"]["submissions"] for each in data(alice, document, **arguments)["organisations"]["edges"]]

    everything = [[edge["cursor"] for edge in each["edges"]] for each in lists(last=100)]
    cut = lists(last=2)
    rest = lists(last=2, before=cut[0]["edges"][0]["cursor"])

    assert [[edge["cursor"] for edge in each["edges"]] for each in cut] == [everything[0][1:], everything[1]]
    assert [each["pageInfo"]["hasPreviousPage"] for each in cut] == [True, False]
    assert [edge["cursor"] for edge in rest[0]["edges"]] == everything[0][:1]


def test_rows_that_come_and_go_while_somebody_turns_the_pages_spoil_nothing(alice: User, acme: Organisation) -> None:
    start(acme, 12)
    everything = rows(page(alice))
    seen, arguments, more = [], {"first": 2}, True
    while more:
        found = page(alice, **arguments)
        seen += rows(found)
        more = found["pageInfo"]["hasNextPage"]
        arguments["after"] = found["pageInfo"]["endCursor"]
        start(acme)
        ordered = Submission.objects.order_by("created_at")
        # The one on which the cursor stands goes, and the last one of all.
        Submission.objects.filter(pk__in=[ids.key_of("Submission", seen[-1]), ordered[0].pk]).delete()

    assert seen == everything[: len(seen)]
    assert len(seen) == 8


def test_a_strangers_cursor_cuts_ones_own_list(alice: User, charlie: User, acme: Organisation) -> None:
    (oldest,) = start(acme)
    start(charlie.organisation)
    start(acme)
    cursor = page(charlie)["pageInfo"]["endCursor"]

    assert rows(page(alice, after=cursor)) == [ids.encode("Submission", oldest.pk)]


@pytest.mark.parametrize("cursor", ["", "nonsense", "WyJzdWJtaXNzaW9ucyJd", "\0", "\ud800", "\ud800:a"])
@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_cursor_that_is_none_is_refused(alice: User, argument: str, cursor: str) -> None:
    assert refusals(alice, **{argument: cursor}) == [("BAD_CURSOR", f"“{argument}” is not a cursor of this list.")]


@pytest.mark.parametrize("name", OTHER_LISTS)
def test_a_cursor_of_another_list_is_refused(alice: User, acme: Organisation, name: str) -> None:
    start(acme)
    cursor = page(alice)["pageInfo"]["endCursor"]

    result = ask(alice, f"query ($after: String) {{ {name}(after: $after) {{ edges {{ cursor }} }} }}", after=cursor)

    assert [error.extensions for error in result.errors or ()] == [{"code": "BAD_CURSOR"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": 0}, "“first” has to be from 1 to 100."),
        ({"first": -1}, "“first” has to be from 1 to 100."),
        ({"first": MAX_SIZE + 1}, "“first” has to be from 1 to 100."),
        ({"last": MAX_SIZE + 1}, "“last” has to be from 1 to 100."),
        ({"first": 1, "last": 1}, "Give either “first” or “last”."),
    ],
)
def test_a_page_that_makes_no_sense_is_refused(alice: User, arguments: dict[str, int], message: str) -> None:
    assert refusals(alice, **arguments) == [("BAD_PAGE", message)]


def test_a_moment_is_told_apart_to_the_microsecond(alice: User, acme: Organisation) -> None:
    for number, each in enumerate(start(acme, 3)):
        Submission.objects.filter(pk=each.pk).update(created_at=timezone.now() + timedelta(microseconds=number))

    assert [len(each) for each in turn(alice, 1)] == [1, 1, 1]
