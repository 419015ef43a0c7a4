"""A colleague was faster: each press on a page that is older than that says who did what, and does nothing else."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from answers.models import Submission
from answers.submissions import reopen, submit
from answers.tests.conftest import Save

STAMP = r'<time datetime="[^"]+">\d\d? \w{3} \d{4}, \d\d:\d\d UTC</time>'
BOB_SUBMITTED = rf"<bdi>Bob</bdi> submitted this on {STAMP}\."


def press(client: Client, submission: Submission, what: str, **fields: str) -> str:
    return client.post(f"/submissions/{submission.pk}/{what}/", fields, follow=True).content.decode()


def test_submit_after_a_colleague_says_who_submitted_and_when(
    alice_client: Client, bob: User, complete: Submission
) -> None:
    submit(complete.pk, bob)

    page = press(alice_client, complete, "submit")

    assert re.search(BOB_SUBMITTED + " You pressed Submit after that, so nothing was submitted a second time", page)
    assert Submission.objects.get().submitted_revision == 2


def test_submitting_twice_oneself_leads_to_the_report_both_times(alice_client: Client, complete: Submission) -> None:
    for _ in range(2):
        response = alice_client.post(f"/submissions/{complete.pk}/submit/")
        assert response.headers["Location"] == f"/submissions/{complete.pk}/?submitted=1"


def test_handing_in_again_what_a_colleague_submitted_and_nobody_changed_is_ones_own_doing(
    alice_client: Client, alice: User, bob: User, complete: Submission
) -> None:
    submit(complete.pk, bob)
    reopen(complete.pk, alice)

    assert "nothing was submitted a second time" not in press(alice_client, complete, "submit")


@pytest.mark.parametrize("path", ["sections/controls/", "", "review/"])
def test_every_page_of_what_was_submitted_says_by_whom_and_when(
    alice_client: Client, bob: User, complete: Submission, path: str
) -> None:
    submit(complete.pk, bob)

    page = alice_client.get(f"/submissions/{complete.pk}/{path}", follow=True).content.decode()

    assert re.search(BOB_SUBMITTED, page)


def test_what_one_submitted_oneself_is_said_to_oneself(alice_client: Client, alice: User, complete: Submission) -> None:
    submit(complete.pk, alice)

    page = alice_client.get(reverse("submission-review", args=[complete.pk])).content.decode()

    assert re.search(rf"You submitted this on {STAMP}\.", page)


def test_of_a_person_who_is_gone_it_says_somebody(alice_client: Client, bob: User, complete: Submission) -> None:
    submit(complete.pk, bob)
    bob.delete()

    page = alice_client.get(reverse("submission", args=[complete.pk])).content.decode()

    assert "<bdi>Somebody</bdi> submitted this on" in page


def test_delete_after_a_colleague_submitted_says_so_and_deletes_nothing(
    alice_client: Client, bob: User, complete: Submission
) -> None:
    submit(complete.pk, bob)

    page = press(alice_client, complete, "delete", revision="1")

    assert re.search(BOB_SUBMITTED + " What was submitted once is kept", page)
    assert Submission.objects.exists()


def test_delete_after_a_colleague_answered_asks_again(
    alice_client: Client, bob: User, draft: Submission, save: Save
) -> None:
    page = alice_client.get(f"/submissions/{draft.pk}/delete/").content.decode()
    assert '<input type="hidden" name="revision" value="0">' in page
    save(user=bob, mfa="F")

    response = alice_client.post(f"/submissions/{draft.pk}/delete/", {"revision": "0"})

    assert response.status_code == 409
    assert "Not deleted: somebody changed answers after you opened this page" in response.content.decode()
    assert Submission.objects.exists()
    assert "The draft is deleted." in press(alice_client, draft, "delete", revision="1")


def test_reopen_after_a_colleague_says_that_it_was_open(
    alice_client: Client, alice: User, bob: User, complete: Submission
) -> None:
    submit(complete.pk, alice)
    reopen(complete.pk, bob)

    assert "This was open already: somebody else reopened it." in press(alice_client, complete, "reopen")


def test_a_name_in_a_message_is_text(alice_client: Client, bob: User, complete: Submission) -> None:
    User.objects.filter(pk=bob.pk).update(name="<i>Bob</i> {time}")
    bob.refresh_from_db()
    submit(complete.pk, bob)

    page = press(alice_client, complete, "submit")

    assert "<bdi>&lt;i&gt;Bob&lt;/i&gt; {time}</bdi> submitted this on" in page
