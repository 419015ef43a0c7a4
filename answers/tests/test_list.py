"""The list of questionnaires and submissions."""

from __future__ import annotations

from copy import deepcopy

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from answers.models import Line, Submission
from answers.saving import Change, save_answers
from answers.tests.conftest import Save
from answers.tests.small import DEFINITION
from questionnaires import library
from questionnaires.definition import Questionnaire, from_canonical


def test_the_list_offers_questionnaires_and_shows_drafts_with_their_progress(
    alice_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="F")

    page = alice_client.get("/questionnaires/").content.decode()

    assert "Small check" in page
    assert "1 of 4 answered, about 7 minutes left" in page
    assert "Continue" in page


def test_the_list_costs_the_same_number_of_queries_with_10_and_60_submissions(
    alice_client: Client, alice: User, small: Questionnaire
) -> None:
    counts = []
    for wanted in (10, 60):
        _make_submissions(alice, small, wanted - Submission.objects.count())
        counts.append(_count_queries(alice_client, "/questionnaires/"))

    assert counts[0] == counts[1]


def _make_submissions(user: User, questionnaire: Questionnaire, number: int) -> None:
    organisation = user.organisation
    line, _made = Line.objects.get_or_create(organisation=organisation, questionnaire_slug=questionnaire.slug, name="")
    for _ in range(number):
        submission = Submission.objects.create(
            organisation=organisation,
            created_by=user,
            line=line,
            questionnaire_slug=questionnaire.slug,
            questionnaire_version=questionnaire.version,
            questionnaire_digest=questionnaire.digest,
        )
        save_answers(submission.pk, user, [Change(question="mfa", value="F")])


def _count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_more_than_fifty_submissions_go_to_a_second_page(
    alice_client: Client, alice: User, small: Questionnaire
) -> None:
    _make_submissions(alice, small, 51)

    assert len(alice_client.get("/questionnaires/").context["mine"]) == 50
    assert len(alice_client.get("/questionnaires/?page=2").context["mine"]) == 1


def test_the_tile_says_how_many_questions_there_can_be(alice_client: Client, small: Questionnaire) -> None:
    page = alice_client.get("/questionnaires/").content.decode()

    assert "About 9 minutes · up to 9 questions" in page


def test_a_tile_without_conditions_says_how_many_questions_there_are(alice_client: Client, db: None) -> None:
    definition = deepcopy(DEFINITION)
    for section in definition["sections"]:
        section["questions"] = [question for question in section["questions"] if "when" not in question]
    library.store(from_canonical(definition))

    assert "About 9 minutes · 7 questions" in alice_client.get("/questionnaires/").content.decode()
