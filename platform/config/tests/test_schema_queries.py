"""However many rows a list has, what is asked for about them costs the same number of statements.

The tests walk the schema: each relation of each type is followed, from five rows and from fifty.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from graphql import is_required_argument

from accounts.models import Membership, Organisation, User
from answers.models import Answer, Line, Submission
from config.tests.whole_schema import data, relations, relations_of, root_fields, root_selection
from config.tests.world import everything
from questionnaires.definition import Questionnaire
from reports.models import Feed, Report
from security.scoring import ENGINE, compare, evaluate

pytestmark = pytest.mark.thorough

EARLIER: dict[str, Any] = {"exposed": "yes", "mfa": "N", "backup": "N", "wall": "F", "drills": 0, "plan": "none"}
LATER: dict[str, Any] = {"exposed": "yes", "mfa": "P", "backup": "F", "wall": "P", "drills": 4, "plan": "dont_know"}
RELATIONS = relations()


def colleagues_of(person: User, organisations: int) -> None:
    """Organisations of which the person is a member, each with others, and a submission with its two reports."""
    questionnaire = everything()
    documents = _documents(questionnaire)
    for number in range(organisations):
        organisation = Organisation.objects.create(name=f"Organisation {number}")
        others = User.objects.bulk_create(User(email=f"{uuid4()}@example.org") for _ in range(3))
        Membership.objects.bulk_create(Membership(user=each, organisation=organisation) for each in (person, *others))
        submission = Submission.objects.create(**_submission(questionnaire, organisation, others))
        Answer.objects.bulk_create(
            Answer(submission=submission, question=key, value=value, updated_by=others[2], updated_at=timezone.now())
            for key, value in LATER.items()
        )
        Report.objects.bulk_create(_report(submission, place, each) for place, each in enumerate(documents, 1))
        Feed.objects.create(organisation=organisation, last_position=2)


def _submission(questionnaire: Questionnaire, organisation: Organisation, people: list[User]) -> dict[str, Any]:
    return {
        "organisation": organisation,
        "created_by": people[0],
        "submitted_by": people[1],
        "line": Line.objects.create(organisation=organisation, questionnaire_slug=questionnaire.slug),
        "questionnaire_slug": questionnaire.slug,
        "questionnaire_version": questionnaire.version,
        "questionnaire_digest": questionnaire.digest,
        "revision": 2,
    }


def _documents(questionnaire: Questionnaire) -> list[dict[str, object]]:
    earlier, later = evaluate(questionnaire, EARLIER), evaluate(questionnaire, LATER)
    return [earlier.to_document(), later.to_document(compare(earlier, later))]


def _report(submission: Submission, position: int, document: dict[str, object]) -> Report:
    return Report(
        organisation=submission.organisation,
        submission=submission.pk,
        line=submission.line_id,
        questionnaire_slug=submission.questionnaire_slug,
        questionnaire_version=submission.questionnaire_version,
        questionnaire_digest=submission.questionnaire_digest,
        questionnaire_title="Everything",
        revision=position,
        provisional=False,
        engine=ENGINE,
        values={key: {"value": value, "note": ""} for key, value in LATER.items()},
        evaluation=document,
        score=50,
        rating="C",
        position=position,
        event_id=uuid4(),
    )


def statements(person: User, document: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        data(User.objects.get(pk=person.pk), document)
    return [each["sql"] for each in captured.captured_queries]


@pytest.fixture
def few(db: None) -> User:
    """A person with five organisations, five submissions and ten reports."""
    person = User.objects.create(email="few@example.org")
    colleagues_of(person, 5)
    return person


@pytest.fixture
def many(few: User) -> User:
    """A person with ten times as many."""
    person = User.objects.create(email="many@example.org")
    colleagues_of(person, 50)
    return person


def test_each_relation_costs_the_same_from_five_rows_as_from_fifty(few: User, many: User) -> None:
    costs = {
        relation: [len(statements(each, document)) for each in (few, many)] for relation, document in RELATIONS.items()
    }

    assert {relation: cost for relation, cost in costs.items() if cost[0] != cost[1]} == {}


def test_everything_at_once_costs_the_same_from_five_rows_as_from_fifty(few: User, many: User) -> None:
    # Definitions come from memory; what they are made of is followed by the test above.
    pure = frozenset({"Questionnaire", "Question"})
    documents = [root_selection("query", name, without=pure) for name in ("organisations", "submissions", "reports")]

    costs = [[len(statements(each, document)) for document in documents] for each in (few, many)]

    assert costs[0] == costs[1]


def test_every_relation_of_every_type_is_followed() -> None:
    by_id = {
        ("Query", name)
        for name, field in root_fields("query").items()
        if any(map(is_required_argument, field.args.values()))
    }
    assert relations_of("query") - set(RELATIONS) == by_id


def test_the_rows_are_as_many_as_they_seem(few: User, many: User) -> None:
    document = (
        "{ organisations(first: 100) { edges { node { id } } } submissions(first: 100) { edges { node { id } } } }"
    )

    found = [data(each, document) for each in (few, many)]

    assert [[len(each[name]["edges"]) for name in ("organisations", "submissions")] for each in found] == [
        [5, 5],
        [50, 50],
    ]
