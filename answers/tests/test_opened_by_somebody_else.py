"""A page that one person opened, sent while another one is signed in in the same browser."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from answers.models import Submission
from answers.submissions import submit
from answers.tests.addresses import page_of, section_url


def opened_by(person: User, **typed: str) -> dict[str, str]:
    """What a form sends that this person opened, whoever is signed in in the browser now."""
    return typed | {"person": str(person.pk)}


def test_a_page_that_somebody_else_opened_saves_nothing_in_the_name_of_who_is_signed_in_now(
    alice: User, bob_client: Client, draft: Submission
) -> None:
    typed = page_of(bob_client, draft) | {"mfa:value": "P", "mfa:note": "ours"}

    response = bob_client.post(section_url(draft), opened_by(alice, **typed))

    page = response.content.decode()
    assert response.status_code == 403
    assert "Somebody else is signed in now" in page
    assert "Bob" in page
    assert '<input type="hidden" name="mfa:value" value="P">' in page
    assert '<input type="hidden" name="mfa:note" value="ours">' in page
    assert f'<input type="hidden" name="person" value="{alice.pk}">' in page
    assert f'action="{section_url(draft)}"' in page
    assert not draft.answers.exists()


def test_what_that_page_held_is_saved_once_its_own_person_sends_it(
    alice: User, alice_client: Client, draft: Submission
) -> None:
    typed = page_of(alice_client, draft) | {"mfa:value": "P"}

    assert alice_client.post(section_url(draft), opened_by(alice, **typed)).status_code == 302
    assert draft.answers.get().updated_by == alice


@pytest.mark.parametrize("action", ["submit", "reopen", "delete"])
def test_a_button_that_somebody_else_left_open_does_nothing(
    alice: User, bob_client: Client, complete: Submission, action: str
) -> None:
    if action == "reopen":
        submit(complete.pk, alice)
    before = Submission.objects.get()

    response = bob_client.post(f"/submissions/{complete.pk}/{action}/", opened_by(alice))

    page = response.content.decode()
    after = Submission.objects.get()
    assert response.status_code == 403
    assert "Somebody else is signed in now" in page
    assert "What you wrote" not in page
    assert f'<a href="/submissions/{complete.pk}/{action}/">' in page
    assert (after.state, after.revision, after.submitted_by) == (before.state, before.revision, before.submitted_by)


def test_a_page_that_somebody_else_opened_tells_a_stranger_nothing(
    alice: User, charlie_client: Client, draft: Submission
) -> None:
    theirs = charlie_client.post(f"/submissions/{draft.pk}/submit/", opened_by(alice))
    nowhere = charlie_client.post(f"/submissions/{uuid4()}/submit/", opened_by(alice))

    assert theirs.status_code == nowhere.status_code == 403


def test_without_a_script_the_token_runs_out_as_well_and_who_is_signed_in_is_told_all_the_same(
    alice: User, bob: User, draft: Submission
) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"origin": "http://testserver"})
    browser.force_login(bob)

    response = browser.post(section_url(draft), opened_by(alice, **{"mfa:value": "P"}))

    page = response.content.decode()
    assert response.status_code == 403
    assert "Somebody else is signed in now" in page
    assert '<input type="hidden" name="mfa:value" value="P">' in page


def test_a_button_that_is_pressed_after_the_session_ran_out_leads_to_signing_in(
    alice: User, client: Client, complete: Submission
) -> None:
    response = client.post(f"/submissions/{complete.pk}/submit/", opened_by(alice))

    assert response["Location"] == f"/accounts/login/?next=/submissions/{complete.pk}/submit/"


def test_every_form_of_a_submission_says_who_opened_it(alice: User, alice_client: Client, complete: Submission) -> None:
    said = f'<input type="hidden" name="person" value="{alice.pk}">'
    address = f"/submissions/{complete.pk}/"

    start = "/questionnaires/small/start/"
    pages = (section_url(complete), address, f"{address}review/", f"{address}delete/", start, "/questionnaires/")
    for page in (*pages, None, *pages):
        if page is None:
            submit(complete.pk, alice)
            continue
        text = alice_client.get(page, follow=True).content.decode()
        forms = text[text.index("<main") : text.index("</main>")].count('<form method="post"')
        assert text.count(said) == forms > 0, page
