"""Starting: what there is already comes first, nothing begins twice by mistake, and a line has a name of its own."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from answers.lines import rename
from answers.models import Line, Submission
from answers.submissions import delete_draft, start, submit
from answers.tests.conftest import Save
from questionnaires.definition import Questionnaire

START = "/questionnaires/small/start/"


def asking(organisation: Organisation) -> str:
    return f"{START}?organisation={organisation.pk}"


def newest(page: str) -> str:
    """What the page knows of the drafts that there are."""
    found = re.search(r'name="newest" value="([^"]*)"', page)
    assert found
    return found[1]


class TestList:
    def test_it_begins_with_what_is_under_way(
        self, alice: User, bob_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")
        rename(draft.line_id, alice, "Shop in Linz")

        page = bob_client.get("/questionnaires/").content.decode()

        card = page[page.index('id="continue"') : page.index('id="offered"')]
        assert "Small check: <bdi>Shop in Linz</bdi>" in card
        assert "Next: About you" in card
        assert "1 of 4 answered, about 7 minutes left" in card
        assert re.search(r'Last change: <time datetime="[^"]+">[^<]+ UTC</time>, <bdi>Alice</bdi>', card)
        assert f'href="/submissions/{draft.pk}/sections/about/#q-exposed"' in card

    def test_continue_leads_to_the_review_when_nothing_is_open(
        self, alice_client: Client, complete: Submission
    ) -> None:
        page = alice_client.get("/questionnaires/").content.decode()

        assert "Everything is answered: review and submit" in page
        assert f'class="button" href="/submissions/{complete.pk}/review/"' in page

    def test_somebody_elses_untouched_draft_is_nothing_to_continue(
        self, alice_client: Client, bob_client: Client, draft: Submission
    ) -> None:
        assert 'id="continue"' in alice_client.get("/questionnaires/").content.decode()
        assert 'id="continue"' not in bob_client.get("/questionnaires/").content.decode()

    def test_what_was_submitted_is_not_under_way(self, alice: User, alice_client: Client, complete: Submission) -> None:
        submit(complete.pk, alice)

        assert 'id="continue"' not in alice_client.get("/questionnaires/").content.decode()


class TestStart:
    def test_where_there_is_nothing_it_starts_at_once(self, alice_client: Client, small: Questionnaire) -> None:
        response = alice_client.post(START)

        assert response.headers["Location"] == f"/submissions/{Submission.objects.get().pk}/"

    def test_where_there_is_a_draft_it_asks_first(
        self, alice: User, alice_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")

        response = alice_client.post(START, {"organisation": str(alice.organisation.pk)}, follow=True)

        page = response.content.decode()
        assert response.redirect_chain == [(asking(alice.organisation), 302)]
        assert Submission.objects.count() == 1
        assert page.index("Go on with what is there?") < page.index("Assess the same again")
        assert page.index("Assess the same again") < page.index("Assess something else")
        assert "Start another draft" in page

    def test_a_colleagues_untouched_draft_is_asked_about_too(self, bob_client: Client, draft: Submission) -> None:
        page = bob_client.post(START, follow=True).content.decode()

        assert f"/submissions/{draft.pk}/" in page
        assert Submission.objects.count() == 1

    def test_next_years_assessment_goes_on_in_its_line(
        self, alice: User, bob: User, alice_client: Client, complete: Submission
    ) -> None:
        submit(complete.pk, bob)

        page = alice_client.post(START, follow=True).content.decode()
        assert "Go on with what is there?" not in page
        assert re.search(r"Submitted last: <time [^>]+>[^<]+ UTC</time>, <bdi>Bob</bdi>", page)
        assert "Start the next one" in page
        alice_client.post(START, {"line": str(complete.line_id), "newest": newest(page)})

        started = Submission.objects.exclude(pk=complete.pk).get()
        assert started.line == complete.line

    def test_something_else_gets_a_name_and_a_line(self, alice_client: Client, draft: Submission, save: Save) -> None:
        save(mfa="F")
        page = alice_client.post(START, follow=True).content.decode()

        alice_client.post(START, {"name": "  Shop in   Wels ", "newest": newest(page)})

        started = Submission.objects.exclude(pk=draft.pk).get()
        assert started.line.name == "Shop in Wels"
        assert started.line != draft.line

    @pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 121])
    def test_a_new_line_needs_a_name_that_can_be_read(
        self, alice_client: Client, draft: Submission, save: Save, name: str
    ) -> None:
        save(mfa="F")

        response = alice_client.post(START, {"name": name})

        assert response.status_code == 400
        assert "Nothing was started" in response.content.decode()
        assert Submission.objects.count() == 1

    def test_the_name_of_a_line_that_is_there_is_that_line(
        self, alice: User, alice_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")
        rename(draft.line_id, alice, "Shop")

        alice_client.post(START, {"name": "Shop"})

        assert Line.objects.count() == 1

    @pytest.mark.parametrize("choice", ["line", "name"])
    def test_a_double_click_starts_one(self, alice_client: Client, draft: Submission, save: Save, choice: str) -> None:
        save(mfa="F")
        page = alice_client.post(START, follow=True).content.decode()
        chosen = {"line": str(draft.line_id)} if choice == "line" else {"name": "Shop"}

        first, second = (alice_client.post(START, {**chosen, "newest": newest(page)}) for _ in range(2))

        assert first.headers["Location"] == second.headers["Location"]
        assert Submission.objects.count() == 2

    def test_back_and_start_again_asks_again(
        self, alice: User, alice_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")
        page = alice_client.post(START, follow=True).content.decode()
        sent = {"line": str(draft.line_id), "newest": newest(page)}
        alice_client.post(START, sent)
        Submission.objects.exclude(pk=draft.pk).update(revision=1)  # an answer was given, then the person went back

        again = alice_client.post(START, sent, follow=True).content.decode()

        assert "Nothing was started: a draft was started after you opened the page." in again
        assert Submission.objects.count() == 2

    def test_what_a_colleague_started_since_is_asked_about(
        self, alice: User, bob: User, alice_client: Client, complete: Submission
    ) -> None:
        submit(complete.pk, alice)
        page = alice_client.post(START, follow=True).content.decode()
        bobs = start(bob, "small", line=complete.line_id)

        again = alice_client.post(START, {"line": str(complete.line_id), "newest": newest(page)}, follow=True)

        assert f"/submissions/{bobs.pk}/" in again.content.decode()
        assert Submission.objects.count() == 2

    @pytest.mark.parametrize("line", ["00000000-0000-4000-8000-000000000007", "nonsense", ""])
    def test_a_line_that_is_not_there_is_not_found(self, alice_client: Client, small: Questionnaire, line: str) -> None:
        assert alice_client.post(START, {"line": line}).status_code == 404

    def test_somebody_elses_line_is_not_found(self, alice_client: Client, charlie: User, small: Questionnaire) -> None:
        theirs = start(charlie, "small")

        assert alice_client.post(START, {"line": str(theirs.line_id)}).status_code == 404
        assert Submission.objects.count() == 1

    def test_after_the_only_draft_is_deleted_it_starts_at_once_again(
        self, alice: User, alice_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")
        delete_draft(draft.pk, alice)

        assert alice_client.post(START).headers["Location"].startswith("/submissions/")

    def test_its_queries_do_not_grow(self, alice: User, alice_client: Client, small: Questionnaire) -> None:
        counts = []
        for number in range(6):
            draft = start(alice, "small", name=f"Shop {number}")
            Submission.objects.filter(pk=draft.pk).update(revision=1)
            with CaptureQueriesContext(connection) as queries:
                alice_client.get(asking(alice.organisation))
            counts.append(len(queries))
        assert counts[1] == counts[-1]


class TestName:
    def test_it_is_given_on_the_overview_and_is_on_every_page_from_then_on(
        self, alice_client: Client, draft: Submission, save: Save
    ) -> None:
        save(mfa="F")
        page = alice_client.post(f"/submissions/{draft.pk}/name/", {"name": "Shop <1>"}, follow=True).content.decode()
        assert "The name is now “<bdi>Shop &lt;1&gt;</bdi>”." in page

        for path in (
            "/questionnaires/",
            asking(draft.organisation),
            *(f"/submissions/{draft.pk}/{each}" for each in ("", "sections/controls/", "review/", "delete/")),
        ):
            assert "<bdi>Shop &lt;1&gt;</bdi>" in alice_client.get(path).content.decode(), path

    def test_a_name_that_is_none_is_said_beside_it(self, alice_client: Client, draft: Submission) -> None:
        response = alice_client.post(f"/submissions/{draft.pk}/name/", {"name": " "})

        assert response.status_code == 400
        assert "Enter a name." in response.content.decode()

    def test_a_name_that_is_taken_is_refused(self, alice: User, alice_client: Client, draft: Submission) -> None:
        start(alice, "small", name="Shop")

        response = alice_client.post(f"/submissions/{draft.pk}/name/", {"name": "Shop"})

        assert response.status_code == 400
        assert "There is another one of this name." in response.content.decode()

    def test_a_stranger_finds_nothing_to_name(self, charlie_client: Client, draft: Submission) -> None:
        assert charlie_client.post(f"/submissions/{draft.pk}/name/", {"name": "Mine"}).status_code == 404
        assert charlie_client.get(f"/submissions/{draft.pk}/name/").status_code == 404
