"""Who waits for an evaluation gets a result or an advice, with and without JavaScript, whatever the workers do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.conftest import Person, Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

ANSWERED = """
from accounts.models import User
from answers import saving, submissions
person = User.objects.get(email={email!r})
draft = submissions.start(person, "quick-check")
answers = {{question.id: "F" for question in draft.questionnaire.questions if question.id.startswith("QC-")}}
answers |= {{"exposed": "no", "provider": "no"}}
changes = [saving.Change(question=name, value=value) for name, value in answers.items()]
saving.save_answers(draft.pk, person, changes)
print(draft.pk)
"""
# As if every attempt had killed its worker.
GIVEN_UP = """
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from eventbus.models import Delivery
Delivery.objects.undelivered().filter(key={submission!r}).update(
    status="leased", attempts=15, lease_token=uuid4(), leased_until=timezone.now() - timedelta(seconds=9))
"""
A_WHILE_LATER = """
from datetime import timedelta
from django.utils import timezone
from answers.models import Submission
from eventbus.models import Delivery
ago = timezone.now() - timedelta(seconds=40)
Submission.objects.filter(pk={submission!r}).update(submitted_at=ago)
Delivery.objects.filter(key={submission!r}).update(created_at=ago)
"""


def shell(server: Server, script: str, **given: str) -> str:
    """Run a script beside the server; gives what it printed."""
    result = server.manage("shell", "--no-imports", "-c", script.format(**given))
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def evaluate(server: Server, action: str) -> None:
    assert server.manage("bus", action, "security.evaluate").returncode == 0


@pytest.fixture
def alice(server: Server) -> Person:
    return server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}")


@pytest.fixture
def submission(server: Server, alice: Person) -> Iterator[str]:
    """A complete draft of Alice's, while nothing is evaluated."""
    evaluate(server, "pause")
    yield shell(server, ANSWERED, email=alice.email)
    server.manage("bus", "resume", "security.evaluate")


def hand_in(page: Page, submission: str) -> None:
    page.goto(f"/submissions/{submission}/review/")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/?submitted=1")


def panel(page: Page, name: str) -> None:
    """The panel says this, and nothing that contradicts it."""
    titles = ("Your report is being made", "Your report takes longer than usual", "Your report could not be made")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    for other in set(titles) - {name}:
        expect(page.get_by_role("heading", name=other)).to_have_count(0)


def look_until(page: Page, wanted: Locator) -> None:
    """Load the page anew, as a person would, until this is there."""
    for _ in range(200):
        page.reload()
        if wanted.count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.content())


def test_a_waiting_page_says_that_the_evaluation_failed_and_trying_again_leads_to_the_report(
    server: Server, alice: Person, submission: str, context: BrowserContext, page: Page
) -> None:
    alice.sign_in(context)
    hand_in(page, submission)
    panel(page, "Your report is being made")
    expect(page.locator("[data-live-status]")).to_have_text("Live")

    shell(server, GIVEN_UP, submission=submission)
    evaluate(server, "resume")

    panel(page, "Your report could not be made")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(re.compile("/reports/[0-9a-f-]{36}/"))
    expect(page.get_by_text("100", exact=True).first).to_be_visible()


def test_a_page_that_waits_for_a_worker_says_so_and_goes_on_by_itself(
    server: Server, alice: Person, submission: str, context: BrowserContext, page: Page
) -> None:
    alice.sign_in(context)
    page.clock.install()
    hand_in(page, submission)
    panel(page, "Your report is being made")
    shell(server, A_WHILE_LATER, submission=submission)

    page.clock.fast_forward(32_000)

    panel(page, "Your report takes longer than usual")
    expect(page.get_by_text("They wait for the worker that evaluates them")).to_be_visible()
    evaluate(server, "resume")
    page.clock.resume()
    page.wait_for_url(re.compile("/reports/[0-9a-f-]{36}/"))


def test_without_javascript_each_look_ends_the_wait_where_it_is_over(
    server: Server, alice: Person, submission: str, browser: Browser
) -> None:
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    alice.sign_in(context)
    page = context.new_page()
    hand_in(page, submission)
    panel(page, "Your report is being made")

    shell(server, A_WHILE_LATER, submission=submission)
    page.reload()
    panel(page, "Your report takes longer than usual")

    shell(server, GIVEN_UP, submission=submission)
    evaluate(server, "resume")
    look_until(page, page.get_by_role("button", name="Try again"))
    panel(page, "Your report could not be made")
    with page.expect_navigation():  # a page that is just going can't be loaded once more
        page.get_by_role("button", name="Try again").click()
    look_until(page, page.get_by_role("link", name="Read the report"))
    expect(page.get_by_text("Your report is being made")).to_have_count(0)
    expect(page.get_by_text("reload it")).to_have_count(0)
    context.close()


def test_a_page_that_gets_no_answer_says_so_until_it_gets_one(
    server: Server, alice: Person, context: BrowserContext, page: Page
) -> None:
    alice.sign_in(context)
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    page.goto("/reports/")
    expect(page.locator("[data-live-status]")).to_have_text("Checking every 5 seconds")

    page.route("**/reports/changes/**", lambda route: route.abort())
    expect(page.locator("[data-live-status]")).to_contain_text("No answer from Plumbline")

    page.unroute("**/reports/changes/**")
    expect(page.locator("[data-live-status]")).to_have_text("Checking every 5 seconds")
