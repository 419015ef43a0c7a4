"""What is refused says so on a page, and loses nothing of what was typed."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Answer, Submission
from answers.submissions import start
from questionnaires.definition import Questionnaire

NOTE = 'first line\r\n<b>"second"</b>'
TYPED = {"QC-06:value": "N", "QC-06:note": NOTE, "then": "overview"}
ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def draft(alice: User, quick_check: Questionnaire) -> Submission:
    return start(alice, "quick-check")


@pytest.fixture
def section(draft: Submission, quick_check: Questionnaire) -> str:
    """Where QC-06 is asked."""
    asked = next(each for each in quick_check.sections if "QC-06" in {question.id for question in each.questions})
    return f"/submissions/{draft.pk}/sections/{asked.id}/"


def form_in(page: str) -> tuple[str, dict[str, str]]:
    """Where the page's own form leads, and what it sends."""
    form = page[page.index("<form", page.index("<h1>")) :]
    action = re.search(r'action="([^"]+)"', form)
    assert action
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return unescape(action[1]), {unescape(name): unescape(value) for name, value in fields}


def test_what_is_typed_while_the_session_ends_is_saved_after_signing_in(
    section: str, draft: Submission, alice: User
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    _action, hidden = form_in(browser.get(section).content.decode())
    del browser.cookies["sessionid"]

    refused = browser.post(section, {**hidden, **TYPED}, headers=ORIGIN)

    assert refused.status_code == 403
    assert "no-store" in refused["Cache-Control"]
    assert b"You were signed out before this was sent." in refused.content
    action, sent = form_in(refused.content.decode())
    assert action == section
    token = sent.pop("csrfmiddlewaretoken")
    assert sent == {name: value for name, value in (hidden | TYPED).items() if name != "csrfmiddlewaretoken"}

    browser.force_login(alice)  # in another tab: signing in makes tokens anew
    browser.cookies["csrftoken"] = "x" * 32
    again = browser.post(action, {**sent, "csrfmiddlewaretoken": token}, headers=ORIGIN)
    assert again.status_code == 403
    assert b"You were signed out before this was sent." not in again.content
    action, sent = form_in(again.content.decode())

    assert browser.post(action, sent, headers=ORIGIN).status_code == 302
    answer = Answer.objects.get(submission=draft, question="QC-06")
    assert (answer.value, answer.note) == ("N", NOTE.replace("\r\n", "\n"))


def test_another_sites_form_gets_no_token_of_ours(section: str, alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        refused = browser.post(section, TYPED, headers=headers)
        assert refused.status_code == 403
        assert b"csrfmiddlewaretoken" not in refused.content.partition(b"<h1>")[2]
        assert b"first line" not in refused.content


def test_a_program_is_led_to_the_sign_in_as_before(section: str, client: Client) -> None:
    refused = client.post(section, TYPED, headers={"Accept": "application/json"})
    assert refused.status_code == 302
    assert refused["Location"].startswith("/accounts/login/")


def test_a_form_with_passwords_is_never_shown_again(client: Client) -> None:
    typed = {"oldpassword": "hunter2", "password1": "hunter3", "password2": "hunter3"}
    refused = client.post("/accounts/password/change/", typed)
    assert refused.status_code == 302
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/accounts/login/", {"login": "a@example.org", "password": "hunter2"}, headers=ORIGIN)
    assert refused.status_code == 403
    assert b"hunter2" not in refused.content


def test_a_form_without_anything_in_it_leads_to_the_sign_in(draft: Submission, client: Client) -> None:
    assert client.post(f"/submissions/{draft.pk}/submit/").status_code == 302


def test_more_than_is_read_at_once_is_refused_with_the_limit_and_what_to_do(section: str, alice_client: Client) -> None:
    refused = alice_client.post(section, {"QC-06:note": "x" * 3_000_000})

    assert refused.status_code == 413
    page = unescape(refused.content.decode()).replace("\xa0", " ")
    assert "What was sent is larger than 2.5 MB. Go back: what you typed is still there. Shorten the longest" in page


def test_a_method_that_an_address_does_not_take_is_refused_on_a_page(client: Client, db: None) -> None:
    refused = client.delete("/")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
    assert "It only takes what a button or a form on one of our pages sends." in refused.content.decode()


def test_a_method_that_an_address_does_not_take_is_refused_in_json_to_a_program(client: Client) -> None:
    refused = client.post("/health/ready", headers={"Accept": "application/json"})
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")
    assert refused.json() == {"error": "Only GET, HEAD is possible here."}
