"""Submissions in the administration."""

from __future__ import annotations

import html

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, User
from answers.models import Submission
from answers.submissions import start
from questionnaires.definition import Questionnaire


@pytest.fixture
def desk(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def namesakes(alice: User, small: Questionnaire) -> list[Submission]:
    """One of Alice's, and one of another Alice in another Acme."""
    other = User.objects.create_user(
        "alice@example.net", name="Alice", organisation=Organisation.objects.create(name="Acme")
    )
    return [start(alice, "small"), start(other, "small")]


def test_submissions_of_organisations_of_one_name_differ(desk: Client, namesakes: list[Submission]) -> None:
    rows = html.unescape(desk.get("/admin/answers/submission/").content.decode())

    for submission in namesakes:
        label = str(Organisation.objects.described().get(pk=submission.organisation_id))
        assert submission.created_by
        person = User.objects.told_apart().get(pk=submission.created_by.pk)
        page = html.unescape(desk.get(f"/admin/answers/submission/{submission.pk}/change/").content.decode())
        assert label in rows
        assert label in page
        assert str(person) in rows
        assert str(person) in page
        for text in (rows, page):
            assert f"small ({str(submission.line_id)[:8]})" in text


def test_a_submission_is_found_by_how_the_id_of_its_organisation_begins(
    desk: Client, namesakes: list[Submission]
) -> None:
    theirs, strangers = namesakes

    rows = desk.get("/admin/answers/submission/", {"q": str(theirs.organisation_id)[:8]}).content.decode()

    assert str(theirs.pk) in rows
    assert str(strangers.pk) not in rows


def test_the_list_costs_the_same_however_many_organisations_there_are(
    desk: Client, namesakes: list[Submission], small: Questionnaire, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as few:
        desk.get("/admin/answers/submission/")
    statements = len(few)
    for number in range(5):
        start(User.objects.create_user(f"{number}@example.org"), "small")

    with django_assert_num_queries(statements):
        desk.get("/admin/answers/submission/")
