"""The pages, as they work without JavaScript."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from answers.models import Line, Submission
from answers.saving import Change, save_answers
from answers.submissions import delete_draft, submit
from answers.tests.conftest import Save
from answers.tests.small import DEFINITION
from questionnaires import library
from questionnaires.definition import Questionnaire, from_canonical


def section_url(submission: Submission, section: str = "controls") -> str:
    return reverse("submission-section", args=[submission.pk, section])


def page_of(client: Client, submission: Submission, section: str = "controls") -> dict[str, str]:
    """What a browser would send back from the page as it stands, without what is hidden."""
    fields = client.get(section_url(submission, section)).context["fields"]
    posted: dict[str, str] = {}
    for field in fields:
        if field.visible:
            posted[f"{field.question.id}:version"] = str(field.version)
            posted[f"{field.question.id}:seen"] = field.seen
            posted[f"{field.question.id}:note"] = field.note
            if isinstance(field.value, str):
                posted[f"{field.question.id}:value"] = field.value
    return posted


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


def test_colleagues_on_different_questions_of_one_page_merge(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="N", backup="N")
    alices, bobs = page_of(alice_client, draft), page_of(bob_client, draft)

    bob_client.post(section_url(draft), bobs | {"backup:value": "F"})
    response = alice_client.post(section_url(draft), alices | {"mfa:value": "P"})

    assert response.status_code == 302
    assert draft.values == {"mfa": "P", "backup": "F"}


@pytest.fixture
def conflict(alice_client: Client, bob_client: Client, draft: Submission, save: Save) -> dict[str, str]:
    """Bob changed MFA to F after Alice opened the page, where she then chose P; and she answered backups too."""
    save(mfa="N")
    alices = page_of(alice_client, draft)
    bob_client.post(section_url(draft), page_of(bob_client, draft) | {"mfa:value": "F"})
    return alices | {"mfa:value": "P", "backup:value": "L"}


def test_a_stale_page_shows_both_answers_and_saves_the_others(
    alice_client: Client, draft: Submission, conflict: dict[str, str]
) -> None:
    response = alice_client.post(section_url(draft), conflict)

    page = response.content.decode()
    assert response.status_code == 409
    stamp = r"<time [^>]+>\d\d? \w{3} \d{4}, \d\d:\d\d UTC</time>"
    assert re.search(rf"<bdi>Bob</bdi> changed the answer on {stamp}\.", page)
    assert '<dt>Theirs</dt><dd><bdi class="by-hand">Fully</bdi></dd>' in page
    assert '<dt>Yours</dt><dd><bdi class="by-hand">Partly</bdi></dd>' in page
    assert draft.values == {"mfa": "F", "backup": "L"}


@pytest.mark.parametrize(("choice", "outcome"), [("mine", "P"), ("theirs", "F")])
def test_a_conflict_is_settled_by_a_choice(
    alice_client: Client, draft: Submission, conflict: dict[str, str], choice: str, outcome: str
) -> None:
    alice_client.post(section_url(draft), conflict)

    settled = conflict | {"mfa:theirs": "2", "mfa:resolve": choice}
    response = alice_client.post(section_url(draft), settled)

    assert response.status_code == 302
    assert draft.values["mfa"] == outcome


def test_a_conflict_without_a_choice_stays_one(
    alice_client: Client, draft: Submission, conflict: dict[str, str]
) -> None:
    alice_client.post(section_url(draft), conflict)

    assert alice_client.post(section_url(draft), conflict | {"mfa:theirs": "2"}).status_code == 409
    assert draft.values["mfa"] == "F"


def test_a_refused_answer_hides_no_conflict(alice_client: Client, draft: Submission, conflict: dict[str, str]) -> None:
    wrong = conflict | {"backup:value": "not_applicable", "backup:reason": ""}
    response = alice_client.post(section_url(draft), wrong)

    page = response.content.decode()
    assert response.status_code == 400
    assert "Nothing is saved yet: please look at these answers again" in page
    assert "Somebody changed this, too: choose below which answer counts." in page
    assert '<dt>Theirs</dt><dd><bdi class="by-hand">Fully</bdi></dd>' in page
    assert draft.values == {"mfa": "F"}
    right = conflict | {"mfa:theirs": "2", "mfa:resolve": "mine"}
    assert alice_client.post(section_url(draft), right).status_code == 302
    assert draft.values == {"mfa": "P", "backup": "L"}


def by_part(client: Client, submission: Submission, section: str = "controls") -> dict[str, str]:
    """The same as `page_of`, with the hidden facts about each part of an answer."""
    posted = {name: value for name, value in page_of(client, submission, section).items() if ":version" not in name}
    for field in client.get(section_url(submission, section)).context["fields"]:
        if field.visible:
            for name in ("value_version", "note_version", "seen_value", "seen_note"):
                posted[f"{field.question.id}:{name}"] = str(getattr(field, name))
    return posted


@pytest.mark.parametrize(
    ("theirs", "mine", "outcome"),
    [
        ({"mfa:note": "theirs"}, {"mfa:value": "P"}, ("P", "theirs")),
        ({"mfa:value": "F"}, {"mfa:note": "mine"}, ("F", "mine")),
    ],
)
def test_colleagues_on_value_and_note_of_one_question_merge(
    alice_client: Client,
    bob_client: Client,
    draft: Submission,
    save: Save,
    theirs: dict[str, str],
    mine: dict[str, str],
    outcome: tuple[str, str],
) -> None:
    save(mfa="N")
    alices, bobs = by_part(alice_client, draft), by_part(bob_client, draft)

    bob_client.post(section_url(draft), bobs | theirs)
    response = alice_client.post(section_url(draft), alices | mine)

    assert response.status_code == 302
    answer = draft.answers.get()
    assert (answer.value, answer.note) == outcome


@pytest.mark.parametrize(
    ("choices", "outcome"),
    [
        ({"value": "mine", "note": "mine"}, ("P", "mine")),
        ({"value": "mine", "note": "theirs"}, ("P", "theirs")),
        ({"value": "theirs", "note": "mine"}, ("F", "mine")),
        ({"value": "theirs", "note": "theirs"}, ("F", "theirs")),
    ],
)
def test_a_conflict_of_both_parts_shows_both_sides_of_each_and_is_settled_for_each(
    alice_client: Client,
    bob_client: Client,
    draft: Submission,
    save: Save,
    choices: dict[str, str],
    outcome: tuple[str, str],
) -> None:
    save(mfa="N")
    alices = by_part(alice_client, draft) | {"mfa:value": "P", "mfa:note": "mine"}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F", "mfa:note": "theirs"})

    response = alice_client.post(section_url(draft), alices)
    field = next(field for field in response.context["fields"] if field.conflict)
    settled = alices | {f"mfa:theirs_{part}": "2" for part in choices}
    settled |= {f"mfa:resolve_{part}": choice for part, choice in choices.items()}
    after = alice_client.post(section_url(draft), settled)

    assert (response.status_code, after.status_code) == (409, 302)
    assert (field.theirs_in_words, field.in_words) == ("Fully", "Partly")
    assert (field.conflict.current.note, field.note) == ("theirs", "mine")
    answer = draft.answers.get()
    assert (answer.value, answer.note) == outcome


@pytest.mark.parametrize("names", [("resolve",), ("resolve_value", "resolve_note")])
def test_what_is_left_for_a_colleagues_answer_is_shown_whole_on_the_next_page(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save, names: tuple[str, ...]
) -> None:
    save(mfa="N")
    note = "<b>mine</b> " + "x" * 3_900
    typed = page_of(alice_client, draft) if names == ("resolve",) else by_part(alice_client, draft)
    alices = typed | {"mfa:value": "P", "mfa:note": note}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F", "mfa:note": "theirs"})
    alice_client.post(section_url(draft), alices)

    after = alice_client.post(section_url(draft), alices | {f"mfa:{name}": "theirs" for name in names}, follow=True)

    page = after.content.decode()
    assert 'Is there MFA?<br>Your answer was: <bdi class="by-hand">Partly</bdi>' in page
    assert f'Your note was: <bdi class="by-hand">&lt;b&gt;mine&lt;/b&gt; {"x" * 3_900}</bdi>' in page
    assert (draft.answers.get().value, draft.answers.get().note) == ("F", "theirs")


def test_of_a_conflict_in_one_part_the_other_is_stored_and_shown_as_it_is(
    alice_client: Client, bob_client: Client, draft: Submission, save: Save
) -> None:
    save(mfa="N")
    alices = by_part(alice_client, draft) | {"mfa:value": "P", "mfa:note": "mine"}
    bob_client.post(section_url(draft), by_part(bob_client, draft) | {"mfa:value": "F"})

    response = alice_client.post(section_url(draft), alices)

    field = next(field for field in response.context["fields"] if field.conflict)
    assert (field.conflict.value, field.conflict.note) == (True, False)
    assert (field.value_version, field.note_version) == (1, 3)
    page = response.content.decode()
    assert 'name="mfa:resolve_value"' in page
    assert 'name="mfa:resolve_note"' not in page
    assert draft.answers.get().note == "mine"


@pytest.mark.parametrize("said", ["99", "1", "-1", "", "x", "9" * 30])
@pytest.mark.parametrize("name", ["version", "value_version"])
def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(
    alice_client: Client, draft: Submission, name: str, said: str
) -> None:
    page = page_of(alice_client, draft) if name == "version" else by_part(alice_client, draft)

    response = alice_client.post(section_url(draft), page | {"mfa:value": "P", f"mfa:{name}": said})

    assert response.status_code == 409
    assert draft.values == {}


def test_a_page_of_the_version_before_is_taken_with_its_own_fingerprints(
    alice_client: Client, draft: Submission, save: Save, bob: User
) -> None:
    save(mfa="N", backup="N")
    page = page_of(alice_client, draft)
    for name, value in (("mfa", "N"), ("backup", "N")):
        page[f"{name}:seen"] = sha256(json.dumps([value, ""]).encode()).hexdigest()[:16]
    save(bob, mfa="F")

    response = alice_client.post(section_url(draft), page | {"backup:value": "L"})

    assert response.status_code == 302
    assert draft.values == {"mfa": "F", "backup": "L"}


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
    assert f'<a href="{section_url(draft)}#q-mfa">Change' in page
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


def test_the_tile_says_how_many_questions_there_can_be(alice_client: Client, small: Questionnaire) -> None:
    page = alice_client.get("/questionnaires/").content.decode()

    assert "About 9 minutes · up to 9 questions" in page


def test_a_tile_without_conditions_says_how_many_questions_there_are(alice_client: Client, db: None) -> None:
    definition = deepcopy(DEFINITION)
    for section in definition["sections"]:
        section["questions"] = [question for question in section["questions"] if "when" not in question]
    library.store(from_canonical(definition))

    assert "About 9 minutes · 7 questions" in alice_client.get("/questionnaires/").content.decode()


def test_before_the_first_answer_as_much_time_is_left_as_the_tile_says(alice_client: Client, draft: Submission) -> None:
    page = alice_client.get(f"/submissions/{draft.pk}/").content.decode()

    assert "0 of 4 answered, about 9 minutes left" in page


def test_the_page_asks_for_all_its_modules_at_once(alice_client: Client, draft: Submission) -> None:
    page = alice_client.get(section_url(draft)).content.decode()

    modules = {path.name for path in (Path(__file__).parents[2] / "static/js/answering").glob("*.js")}
    assert set(re.findall(r'<link rel="modulepreload" href="/static/js/answering/([^"]+)">', page)) == modules
