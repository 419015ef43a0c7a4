"""What pages say while an evaluation is not there: what it waits for, that it failed, and what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from answers.models import Submission
from answers.saving import Change, save_answers
from answers.submissions import reopen, start, submit
from config.tests.world import deliver, give_up
from eventbus.dead_letters import redrive
from eventbus.models import Delivery, Event
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.tests.makers import GOLDEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def complete(alice: User, quick_check: Questionnaire) -> Submission:
    """A draft of Alice's with every answer, saved and not evaluated yet."""
    draft = start(alice, "quick-check")
    given = {"exposed": "no", "provider": "no"} | GOLDEN
    save_answers(draft.pk, alice, [Change(question=key, value=value) for key, value in given.items()])
    draft.refresh_from_db()
    return draft


@pytest.fixture
def submitted(complete: Submission, alice: User) -> Submission:
    return submit(complete.pk, alice)


def words(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200, address
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode())).replace("&#x27;", "'")


def let_pass(seconds: int, submission: Submission) -> None:
    """As if all that happened had happened so long ago."""
    ago = Now() - timedelta(seconds=seconds)
    Submission.objects.filter(pk=submission.pk).update(submitted_at=timezone.now() - timedelta(seconds=seconds))
    Delivery.objects.filter(key=str(submission.pk)).update(created_at=ago)


PAGES = ["", "?submitted=1", "review/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_report_that_is_on_its_way_is_being_made(alice_client: Client, submitted: Submission, path: str) -> None:
    shown = words(alice_client, f"/submissions/{submitted.pk}/{path}")
    assert "Your report is being made" in shown
    assert "reload it" in shown


@pytest.mark.parametrize("path", PAGES)
def test_the_page_says_what_a_report_waits_for_that_takes_long(
    alice_client: Client, submitted: Submission, path: str
) -> None:
    let_pass(31, submitted)
    shown = words(alice_client, f"/submissions/{submitted.pk}/{path}")
    assert "Your report takes longer than usual" in shown
    assert "They wait for the worker that evaluates them" in shown
    assert "tell the person who runs Plumbline" in shown
    assert "being made" not in shown


@pytest.mark.parametrize("path", PAGES)
def test_the_page_says_that_a_report_could_not_be_made_and_what_to_do(
    alice_client: Client, submitted: Submission, path: str
) -> None:
    give_up(submitted)
    shown = words(alice_client, f"/submissions/{submitted.pk}/{path}")
    assert "Your report could not be made" in shown
    assert "Your answers are saved: nothing is lost." in shown
    assert "Try again" in shown
    assert "being made" not in shown


@pytest.mark.parametrize("path", PAGES)
def test_a_finished_report_is_waited_for_no_longer(alice_client: Client, submitted: Submission, path: str) -> None:
    deliver()
    let_pass(31, submitted)
    shown = words(alice_client, f"/submissions/{submitted.pk}/{path}")
    assert "Read the report" in shown
    for wait in ("being made", "reload", "longer than usual", "could not"):
        assert wait not in shown


def test_an_event_that_nobody_can_read_leaves_no_wait_either(alice_client: Client, submitted: Submission) -> None:
    Event.objects.filter(key=str(submitted.pk)).update(payload={"type": "unknown"})
    deliver()
    assert "Your report is being made" in words(alice_client, f"/submissions/{submitted.pk}/")
    let_pass(31, submitted)
    assert "Your report could not be made" in words(alice_client, f"/submissions/{submitted.pk}/")


def test_trying_again_makes_the_report(alice_client: Client, submitted: Submission) -> None:
    give_up(submitted)
    answer = alice_client.post(f"/submissions/{submitted.pk}/again/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/submissions/{submitted.pk}/?submitted=1")
    shown = words(alice_client, answer.headers["Location"])
    assert "Your answers are being evaluated again." in shown
    assert "Your report is being made" in shown
    assert "could not be made" not in shown

    deliver()
    assert "Read the report" in words(alice_client, f"/submissions/{submitted.pk}/")
    assert Report.objects.get().revision == 3


def test_what_an_operator_has_redriven_is_being_made_again(alice_client: Client, submitted: Submission) -> None:
    give_up(submitted)
    redrive(Delivery.objects.all(), by="Ada")
    assert "Your report is being made" in words(alice_client, f"/submissions/{submitted.pk}/")
    answer = alice_client.post(f"/submissions/{submitted.pk}/again/", follow=True)
    assert "There was nothing to do" in answer.content.decode()
    deliver()
    shown = words(alice_client, f"/submissions/{submitted.pk}/")
    assert "Read the report" in shown
    assert "could not" not in shown


@pytest.mark.parametrize("path", ["", "review/", "sections/{}/"])
def test_a_draft_says_that_its_answers_could_not_be_evaluated(
    alice_client: Client, complete: Submission, path: str
) -> None:
    address = f"/submissions/{complete.pk}/{path.format(complete.questionnaire.sections[0].id)}"
    give_up(complete)
    shown = words(alice_client, address)
    assert "Your answers could not be evaluated." in shown
    assert "Try again" in shown

    answer = alice_client.post(f"/submissions/{complete.pk}/again/")
    assert answer.headers["Location"] == f"/submissions/{complete.pk}/"
    assert "Your answers are being evaluated again." in words(alice_client, address)
    deliver()
    shown = words(alice_client, address)
    assert "could not be evaluated" not in shown
    assert "50 of 100" in shown


def test_a_draft_says_what_its_evaluation_waits_for(alice_client: Client, complete: Submission) -> None:
    assert "longer than usual" not in words(alice_client, f"/submissions/{complete.pk}/")
    let_pass(31, complete)
    assert "The evaluation takes longer than usual." in words(alice_client, f"/submissions/{complete.pk}/")


def test_the_panel_says_it_to_a_page_that_is_open(
    alice_client: Client, bob_client: Client, submitted: Submission
) -> None:
    address = f"/reports/panel/{submitted.pk}/?wait=2"
    assert "Your report is being made" in words(alice_client, address)
    let_pass(31, submitted)
    assert "Your report takes longer than usual" in words(bob_client, f"{address}&late=")
    give_up(submitted)
    assert "Your report could not be made" in words(bob_client, address)
    assert bob_client.get(f"/reports/changes/?submission={submitted.pk}&after=0").json()["problem"] == 2


def test_nobody_else_learns_of_a_problem(charlie_client: Client, submitted: Submission) -> None:
    for state in (lambda submission: None, give_up):
        state(submitted)
        for address in (
            f"/reports/panel/{submitted.pk}/?wait=2&late=",
            f"/reports/panel/{uuid4()}/?wait=2&late=",
            f"/submissions/{submitted.pk}/again/",
        ):
            assert charlie_client.get(address).status_code == 404
        assert charlie_client.post(f"/submissions/{submitted.pk}/again/").status_code == 404
        changes = charlie_client.get(f"/reports/changes/?submission={submitted.pk}&after=0").json()
        assert changes == {"position": 0, "more": False, "changes": []}


def test_a_panel_without_a_problem_asks_for_nothing_more(alice_client: Client, complete: Submission) -> None:
    deliver()
    with CaptureQueriesContext(connection) as asked:
        alice_client.get(f"/reports/panel/{complete.pk}/")
    about = [query["sql"] for query in asked if "reports_" in query["sql"] or "eventbus_" in query["sql"]]
    assert len(about) == 1


def test_a_report_says_that_newer_answers_could_not_be_evaluated(
    alice: User, alice_client: Client, submitted: Submission
) -> None:
    deliver()
    address = Report.objects.get().get_absolute_url()
    assert "Newer answers" not in words(alice_client, address)
    reopen(submitted.pk, alice)
    save_answers(submitted.pk, alice, [Change(question="QC-01", value="N", base_version=1)])
    give_up(submitted)

    assert "Newer answers could not be evaluated. See what to do" in words(alice_client, address)

    assert alice_client.post(f"/submissions/{submitted.pk}/again/").status_code == 302
    deliver()
    assert "Newer answers" not in words(alice_client, address)


def test_the_lists_say_that_answers_were_not_evaluated_until_they_are(
    alice_client: Client, charlie_client: Client, submitted: Submission
) -> None:
    give_up(submitted)

    assert "Submitted Not evaluated" in words(alice_client, "/questionnaires/")
    reports = alice_client.get("/reports/").content.decode()
    assert f'<a href="/submissions/{submitted.pk}/">See what to do' in reports
    assert "Answers could not be evaluated on" in reports
    assert "Answers could not be evaluated" not in words(charlie_client, "/reports/")
    alice_client.post(f"/submissions/{submitted.pk}/again/")
    deliver()
    assert "Not evaluated" not in words(alice_client, "/questionnaires/")
    assert "Answers could not be evaluated" not in words(alice_client, "/reports/")


def test_a_draft_that_could_not_be_evaluated_says_so_where_it_is_continued(
    alice_client: Client, complete: Submission
) -> None:
    give_up(complete)

    assert words(alice_client, "/questionnaires/").count("Not evaluated") == 2  # its tile and its row


def test_the_start_page_says_that_a_draft_was_not_evaluated_until_it_is(
    alice_client: Client, complete: Submission
) -> None:
    address = "/questionnaires/quick-check/start/"
    give_up(complete)
    assert "Not evaluated" in words(alice_client, address)

    alice_client.post(f"/submissions/{complete.pk}/again/")
    deliver()
    assert "Not evaluated" not in words(alice_client, address)
