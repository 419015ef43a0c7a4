"""The pages, as they work without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Submission
from answers.submissions import delete_draft
from answers.tests.addresses import page_of, section_url
from answers.tests.conftest import Save
from questionnaires.definition import Questionnaire


def test_starting_leads_to_the_task_list_and_twice_to_the_same_untouched_draft(
    alice_client: Client, small: Questionnaire
) -> None:
    first = alice_client.post("/questionnaires/small/start/")
    second = alice_client.post("/questionnaires/small/start/")

    draft = Submission.objects.get()
    assert first["Location"] == second["Location"] == f"/submissions/{draft.pk}/"


def test_starting_what_is_not_offered_is_not_found(alice_client: Client, small: Questionnaire) -> None:
    assert alice_client.post("/questionnaires/unheard-of/start/").status_code == 404


def test_before_the_first_answer_one_begins_at_the_top(alice_client: Client, draft: Submission) -> None:
    response = alice_client.get(f"/submissions/{draft.pk}/")

    assert response.context["resume_url"] == section_url(draft, "about")


def test_the_task_list_resumes_at_the_first_open_question(alice_client: Client, draft: Submission, save: Save) -> None:
    save(exposed="no", mfa="F")

    response = alice_client.get(f"/submissions/{draft.pk}/")

    assert response.context["resume_url"] == f"{section_url(draft)}#q-backup"
    assert [part.status for part in response.context["sections"]] == ["completed", "in_progress"]


def test_saving_a_section_goes_on_to_the_next_and_from_the_last_to_the_review(
    alice_client: Client, draft: Submission
) -> None:
    about = page_of(alice_client, draft, "about") | {"exposed:value": "no"}
    first = alice_client.post(section_url(draft, "about"), about)
    last = alice_client.post(section_url(draft), page_of(alice_client, draft) | {"mfa:value": "F"})

    assert first["Location"] == section_url(draft)
    assert last["Location"] == f"/submissions/{draft.pk}/review/"
    assert draft.values == {"exposed": "no", "mfa": "F"}


def test_every_kind_of_answer_comes_through_the_form(alice_client: Client, draft: Submission, save: Save) -> None:
    save(exposed="yes")
    typed: dict[str, object] = {
        "vpn:value": ["rdp", "vpn"],
        "site:value": " example.org ",
        "people:value": "12",
        "since:value": "2026-05-31",
    }
    alice_client.post(section_url(draft, "about"), page_of(alice_client, draft, "about") | typed)
    answers = {"mfa:value": "not_applicable", "mfa:reason": "No accounts", "backup:value": "dont_know"}
    alice_client.post(section_url(draft), page_of(alice_client, draft) | answers | {"plan:note": "Ask Bob"})

    assert draft.values == {
        "exposed": "yes",
        "vpn": ["vpn", "rdp"],
        "site": "example.org",
        "people": 12,
        "since": "2026-05-31",
        "mfa": {"not_applicable": "No accounts"},
        "backup": "dont_know",
    }
    assert draft.answers.get(question="plan").note == "Ask Bob"


def test_dont_know_beside_a_written_answer_comes_through(alice_client: Client, draft: Submission) -> None:
    posted = page_of(alice_client, draft, "about") | {"people:special": "dont_know"}

    alice_client.post(section_url(draft, "about"), posted)

    assert draft.values == {"people": "dont_know"}


def test_an_answer_that_brings_up_a_question_shows_the_page_again(alice_client: Client, draft: Submission) -> None:
    posted = page_of(alice_client, draft, "about") | {"exposed:value": "yes"}

    response = alice_client.post(section_url(draft, "about"), posted, follow=True)

    assert response.redirect_chain[-1][0] == f"{section_url(draft, 'about')}#q-vpn"
    assert "1 more question on this page" in response.content.decode()


def test_a_hidden_question_is_on_the_page_but_can_not_be_sent(alice_client: Client, draft: Submission) -> None:
    page = alice_client.get(section_url(draft)).content.decode()

    assert 'id="q-wall" tabindex="-1" data-question="wall" data-kind="nplf" hidden disabled' in page


def test_a_wrong_answer_saves_nothing_and_keeps_all_that_was_typed(alice_client: Client, draft: Submission) -> None:
    typed = {"people:value": "many", "site:value": "example.org", "site:note": "ours"}

    response = alice_client.post(section_url(draft, "about"), page_of(alice_client, draft, "about") | typed)

    page = response.content.decode()
    assert response.status_code == 400
    assert 'value="many"' in page
    assert ">example.org</textarea>" in page
    assert ">ours</textarea>" in page
    assert '<a href="#q-people">How many people?</a><br>Enter a number, for example 12 or 2.5.' in page
    assert not draft.answers.exists()


def test_not_applicable_without_a_reason_is_refused(alice_client: Client, draft: Submission) -> None:
    posted = page_of(alice_client, draft) | {"mfa:value": "not_applicable", "mfa:reason": " "}

    response = alice_client.post(section_url(draft), posted)

    assert response.status_code == 400
    page = response.content.decode()
    assert '<li><a href="#q-mfa">Is there MFA?</a><br>Say why this does not apply to you.</li>' in page


def test_a_page_sent_after_a_colleague_submitted_keeps_what_was_typed(
    alice_client: Client, bob_client: Client, complete: Submission
) -> None:
    posted = page_of(alice_client, complete) | {"mfa:value": "N"}
    bob_client.post(f"/submissions/{complete.pk}/submit/")

    response = alice_client.post(section_url(complete), posted)

    page = response.content.decode()
    assert response.status_code == 409
    assert re.search(r"Bob submitted this on <time [^>]+>\d\d? \w{3} \d{4}, \d\d:\d\d UTC</time>\.", page)
    assert 'name="mfa:value" value="N" checked' in page
    assert complete.values["mfa"] == "F"


def test_the_review_lists_what_is_open_and_how_to_change_what_is_not(
    alice_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="P")

    page = alice_client.get(f"/submissions/{draft.pk}/review/").content.decode()

    assert "3 questions still need an answer" in page
    assert "Partly" in page
    assert f'<a href="{section_url(draft)}#q-mfa" aria-label="Change: ' in page
    assert "Is there a firewall?" not in page


def test_submitting_what_is_incomplete_is_refused_with_the_open_questions(
    alice_client: Client, draft: Submission, save: Save
) -> None:
    save(exposed="no", mfa="P")

    response = alice_client.post(f"/submissions/{draft.pk}/submit/")

    page = response.content.decode()
    assert response.status_code == 400
    assert f'<a href="{section_url(draft)}#q-backup">Are there backups?</a>' in page
    assert Submission.objects.get().state == "draft"


def test_submitting_leads_to_the_page_that_waits_for_the_report(alice_client: Client, complete: Submission) -> None:
    response = alice_client.post(f"/submissions/{complete.pk}/submit/", follow=True)

    page = response.content.decode()
    assert "You submitted this on" in page
    assert 'data-live-wait="2"' in page


def test_a_submitted_one_is_read_and_reopened_not_edited(alice_client: Client, complete: Submission) -> None:
    alice_client.post(f"/submissions/{complete.pk}/submit/")

    refused = alice_client.get(section_url(complete), follow=True)
    reopened = alice_client.post(f"/submissions/{complete.pk}/reopen/", follow=True)

    assert "Reopen it to change answers." in refused.content.decode()
    assert "Review and submit" in reopened.content.decode()


def test_a_draft_is_deleted_after_asking(alice_client: Client, complete: Submission) -> None:
    address = f"/submissions/{complete.pk}/delete/"

    assert "Delete this draft?" in alice_client.get(address).content.decode()
    response = alice_client.post(address, follow=True)

    assert "The draft is deleted." in response.content.decode()
    assert not Submission.objects.exists()


def test_what_was_submitted_can_not_be_deleted(alice_client: Client, complete: Submission) -> None:
    alice_client.post(f"/submissions/{complete.pk}/submit/")

    response = alice_client.post(f"/submissions/{complete.pk}/delete/", follow=True)

    assert "What was submitted once is kept" in response.content.decode()
    assert Submission.objects.exists()


def test_an_unknown_section_is_not_found(alice_client: Client, draft: Submission) -> None:
    assert alice_client.get(section_url(draft, "unheard-of")).status_code == 404


@pytest.mark.parametrize("address", ["submit", "reopen", "review", "delete", "sections/controls", "sections/nowhere"])
def test_reading_an_address_never_changes_anything(alice_client: Client, complete: Submission, address: str) -> None:
    response = alice_client.get(f"/submissions/{complete.pk}/{address}/")

    complete.refresh_from_db()
    assert response.status_code in (200, 302, 404)
    assert (complete.state, complete.revision) == ("draft", 1)


def test_the_submissions_are_read_only_in_the_admin(client: Client, admin_user: User, complete: Submission) -> None:
    client.force_login(admin_user)

    assert client.get("/admin/answers/submission/").status_code == 200
    page = client.get(f"/admin/answers/submission/{complete.pk}/change/").content.decode()
    assert 'name="_save"' not in page


@pytest.mark.parametrize("action", ["submit", "reopen", "delete", "sections/controls"])
def test_what_was_deleted_elsewhere_is_not_found_with_the_words_that_a_stranger_reads(
    alice: User, alice_client: Client, charlie_client: Client, draft: Submission, action: str
) -> None:
    theirs = charlie_client.post(f"/submissions/{draft.pk}/{action}/")
    delete_draft(draft.pk, alice)
    gone = alice_client.post(f"/submissions/{draft.pk}/{action}/")

    sentence = (
        "The address may be mistyped. Or what was here was deleted, or belongs to an organisation that you are not in."
    )
    assert gone.status_code == theirs.status_code == 404
    assert sentence in gone.content.decode()
    assert sentence in theirs.content.decode()


def test_before_the_first_answer_as_much_time_is_left_as_the_tile_says(alice_client: Client, draft: Submission) -> None:
    page = alice_client.get(f"/submissions/{draft.pk}/").content.decode()

    assert "0 of 4 answered, about 9 minutes left" in page


def test_the_page_asks_for_all_its_modules_at_once(alice_client: Client, draft: Submission) -> None:
    page = alice_client.get(section_url(draft)).content.decode()

    modules = {path.name for path in (Path(__file__).parents[2] / "static/js/answering").glob("*.js")}
    assert set(re.findall(r'<link rel="modulepreload" href="/static/js/answering/([^"]+)">', page)) == modules
