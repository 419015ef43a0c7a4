"""Submissions through GraphQL: the same life as on the pages, each refusal with a code and the way to its input."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from answers.models import Submission
from answers.submissions import submit
from answers.tests.asking import DELETE, REOPEN, START, SUBMIT, answer, codes, do, id_of, saved
from answers.tests.conftest import Save
from answers.tests.test_saving import published
from api import ids
from config.tests.whole_schema import data
from config.tests.world import deliver, give_up
from eventbus.dead_letters import redrive
from eventbus.models import Delivery
from questionnaires.definition import Questionnaire


def test_a_started_one_is_a_draft_of_the_persons_organisation(alice: User, small: Questionnaire) -> None:
    started = do(alice, START, questionnaire="small")

    draft = Submission.objects.get()
    assert started == {"submission": {"id": id_of(draft), "state": "DRAFT"}, "errors": []}
    assert draft.organisation == alice.organisation


@pytest.mark.parametrize("slug", ["nothing", "", "\0", "\ud800"])
def test_a_questionnaire_that_is_not_offered_can_not_be_started(alice: User, small: Questionnaire, slug: str) -> None:
    assert codes(do(alice, START, questionnaire=slug)) == [("NOT_FOUND", ["input", "questionnaire"])]


def test_who_belongs_to_no_organisation_is_told(alice: User, small: Questionnaire) -> None:
    alice.memberships.all().delete()

    assert codes(do(alice, START, questionnaire="small")) == [("NO_ORGANISATION", ["input"])]


def test_what_was_submitted_takes_no_answers_until_it_is_reopened(alice: User, complete: Submission) -> None:
    submit(complete.pk, alice)

    assert codes(saved(alice, complete, answer("mfa", {"choice": "P"}, expected=1))) == [
        ("SUBMITTED", ["input", "submission"])
    ]
    assert do(alice, REOPEN, submission=id_of(complete)) == {"submission": {"state": "DRAFT"}, "errors": []}
    assert codes(saved(alice, complete, answer("mfa", {"choice": "P"}, expected=1))) == []


def test_submitting_makes_a_revision_of_its_own(alice: User, complete: Submission) -> None:
    assert do(alice, SUBMIT, submission=id_of(complete)) == {
        "submission": {"state": "SUBMITTED", "revision": 2},
        "openQuestions": [],
        "errors": [],
    }


def test_submitting_again_changes_nothing(alice: User, complete: Submission) -> None:
    first = do(alice, SUBMIT, submission=id_of(complete))
    events = published(complete)

    assert do(alice, SUBMIT, submission=id_of(complete)) == first
    assert published(complete) == events


PROBLEM = "query ($id: ID!) { submission(id: $id) { revision evaluationProblem { message revision since } } }"


def problem_of(user: User, submission: Submission) -> Any:
    return data(user, PROBLEM, id=id_of(submission))["submission"]["evaluationProblem"]


def test_what_could_not_be_evaluated_says_so_until_a_report_is_there(
    alice: User, bob: User, complete: Submission
) -> None:
    submit(complete.pk, alice)
    assert problem_of(alice, complete) is None
    give_up(complete)

    told = problem_of(bob, complete)
    assert (told["revision"], told["message"][:32]) == (2, "Your report could not be made. Y")
    assert told["since"]

    redrive(Delivery.objects.all(), by="Ada")
    deliver()
    assert problem_of(bob, complete) is None


def test_submitting_once_more_is_another_attempt_where_the_last_one_came_to_nothing(
    alice: User, complete: Submission
) -> None:
    submit(complete.pk, alice)
    give_up(complete)

    again = do(alice, SUBMIT, submission=id_of(complete))

    assert again["submission"] == {"state": "SUBMITTED", "revision": 3}
    assert problem_of(alice, complete) is None
    deliver()
    assert problem_of(alice, complete) is None
    assert do(alice, SUBMIT, submission=id_of(complete))["submission"]["revision"] == 3


def test_a_draft_that_could_not_be_evaluated_says_so_until_the_next_save(
    alice: User, complete: Submission, save: Save
) -> None:
    give_up(complete)
    assert problem_of(alice, complete)["message"].startswith("Your answers could not be evaluated.")

    save(mfa="L")
    assert problem_of(alice, complete) is None


def test_what_was_reopened_and_not_changed_is_only_closed_again(alice: User, complete: Submission) -> None:
    first = do(alice, SUBMIT, submission=id_of(complete))
    events = published(complete)
    do(alice, REOPEN, submission=id_of(complete))

    assert do(alice, SUBMIT, submission=id_of(complete)) == first
    assert published(complete) == events


def test_a_draft_that_is_reopened_stays_one(alice: User, draft: Submission) -> None:
    assert do(alice, REOPEN, submission=id_of(draft)) == {"submission": {"state": "DRAFT"}, "errors": []}


def test_what_was_deleted_is_not_found_any_more(alice: User, draft: Submission) -> None:
    do(alice, DELETE, submission=id_of(draft))

    for document in (DELETE, SUBMIT, REOPEN):
        assert codes(do(alice, document, submission=id_of(draft))) == [("NOT_FOUND", ["input", "submission"])]
    assert codes(saved(alice, draft, answer("mfa", {"choice": "F"}))) == [("NOT_FOUND", ["input", "submission"])]


def test_starting_twice_gives_the_same_untouched_draft(alice: User, bob: User, draft: Submission) -> None:
    again = do(alice, START, questionnaire="small")["submission"]["id"]
    of_a_colleague = do(bob, START, questionnaire="small")["submission"]["id"]
    saved(alice, draft, answer("mfa", {"choice": "F"}))
    after_a_save = do(alice, START, questionnaire="small")["submission"]["id"]

    assert again == id_of(draft)
    assert len({again, of_a_colleague, after_a_save}) == 3


def test_a_colleague_may_do_what_the_one_who_started_it_may(alice: User, bob: User, complete: Submission) -> None:
    assert codes(saved(bob, complete, answer("mfa", {"choice": "P"}, expected=1))) == []
    assert do(bob, SUBMIT, submission=id_of(complete))["submission"]["state"] == "SUBMITTED"
    assert do(bob, REOPEN, submission=id_of(complete))["submission"]["state"] == "DRAFT"
    draft = do(alice, START, questionnaire="small")["submission"]["id"]
    assert do(bob, DELETE, submission=draft) == {"deletedSubmissionId": draft, "errors": []}


def test_an_administrator_of_the_installation_is_a_stranger_to_the_organisation(
    admin_user: User, complete: Submission
) -> None:
    for document in (SUBMIT, REOPEN, DELETE):
        assert codes(do(admin_user, document, submission=id_of(complete))) == [("NOT_FOUND", ["input", "submission"])]
    payload = saved(admin_user, complete, answer("mfa", {"choice": "P"}, expected=1))
    assert codes(payload) == [("NOT_FOUND", ["input", "submission"])]
    assert data(admin_user, "{ submissions { edges { cursor } } reports { edges { cursor } } }") == {
        "submissions": {"edges": []},
        "reports": {"edges": []},
    }


def test_an_incomplete_one_is_not_submitted_and_its_open_questions_are_told(
    alice: User, draft: Submission, save: Save
) -> None:
    save(exposed="no", mfa="F")

    assert do(alice, SUBMIT, submission=id_of(draft)) == {
        "submission": {"state": "DRAFT", "revision": 1},
        "openQuestions": [{"key": "backup"}, {"key": "plan"}],
        "errors": [{"code": "INCOMPLETE", "path": ["input", "submission"]}],
    }


def test_a_draft_is_deleted_and_what_was_submitted_once_is_kept(alice: User, complete: Submission) -> None:
    submit(complete.pk, alice)
    assert codes(do(alice, DELETE, submission=id_of(complete))) == [("KEPT", ["input", "submission"])]

    draft = Submission.objects.get(
        pk=ids.key_of("Submission", do(alice, START, questionnaire="small")["submission"]["id"])
    )

    assert do(alice, DELETE, submission=id_of(draft)) == {"deletedSubmissionId": id_of(draft), "errors": []}
    assert list(Submission.objects.all()) == [complete]


def test_a_submission_tells_what_is_asked_what_is_open_and_how_far_it_is(
    alice: User, draft: Submission, save: Save
) -> None:
    save(exposed="no", mfa="F")
    document = """
    query ($id: ID!) {
      submission(id: $id) {
        visibleQuestions { key } openQuestions { key }
        progress { answered visible optionalAnswered optional minutesLeft text }
        sections { key status answered visible optionalAnswered optional }
      }
    }
    """

    assert data(alice, document, id=id_of(draft)) == {
        "submission": {
            "visibleQuestions": [
                {"key": key} for key in ("exposed", "site", "people", "since", "mfa", "backup", "plan")
            ],
            "openQuestions": [{"key": "backup"}, {"key": "plan"}],
            "progress": {
                "answered": 2,
                "visible": 4,
                "optionalAnswered": 0,
                "optional": 3,
                "minutesLeft": 5,
                "text": "2 of 4 answered, about 5 minutes left",
            },
            "sections": [
                {"key": "about", "status": "COMPLETED", "answered": 1, "visible": 1}
                | {"optionalAnswered": 0, "optional": 3},
                {"key": "controls", "status": "IN_PROGRESS", "answered": 1, "visible": 3}
                | {"optionalAnswered": 0, "optional": 0},
            ],
        }
    }


def test_submissions_are_filtered_by_what_they_are(alice: User, charlie: User, complete: Submission) -> None:
    submit(complete.pk, alice)
    do(alice, START, questionnaire="small")
    wanted = {
        f'organisation: "{ids.encode("Organisation", alice.organisation.pk)}"': 2,
        f'organisation: "{ids.encode("Organisation", charlie.organisation.pk)}"': 0,
        'questionnaire: "small"': 2,
        'questionnaire: "another"': 0,
        "state: SUBMITTED": 1,
        "state: null": 2,
    }
    found = {each: data(alice, f"{{ submissions({each}) {{ edges {{ node {{ id }} }} }} }}") for each in wanted}

    assert {each: len(part["submissions"]["edges"]) for each, part in found.items()} == wanted


def test_an_organisation_whose_members_left_is_asked_for_in_vain(alice: User, draft: Submission) -> None:
    Organisation.objects.get().memberships.all().delete()

    assert codes(do(alice, SUBMIT, submission=id_of(draft))) == [("NOT_FOUND", ["input", "submission"])]


LINES = """
query ($organisation: ID, $questionnaire: String) {
  lines(organisation: $organisation, questionnaire: $questionnaire) {
    edges { node { id name questionnaireSlug organisation { name } } }
  }
}
"""


START_LINE = START.replace("submission { id state }", "submission { id organisation { name } line { id name } }")


RENAME = "mutation ($input: RenameLineInput!) { done: renameLine(input: $input) { line { id name } %s } }"


def started(user: User, **given: str | None) -> Any:
    return do(user, START_LINE, questionnaire="small", **given)


def test_a_submission_goes_on_in_a_line_or_begins_one(alice: User, small: Questionnaire) -> None:
    first = started(alice)["submission"]
    linz = started(alice, name="Linz")["submission"]
    again = started(alice, line=first["line"]["id"])["submission"]

    assert [each["line"]["name"] for each in (first, linz, again)] == ["", "Linz", ""]
    assert (again["id"], again["line"]["id"]) == (first["id"], first["line"]["id"])
    assert linz["line"]["id"] != first["line"]["id"]
    nodes = [edge["node"] for edge in data(alice, LINES, questionnaire="small")["lines"]["edges"]]
    assert [(node["id"], node["name"], node["questionnaireSlug"]) for node in nodes] == [
        (first["line"]["id"], "", "small"),
        (linz["line"]["id"], "Linz", "small"),
    ]
    assert data(alice, LINES, questionnaire="large")["lines"]["edges"] == []


def test_for_which_of_several_organisations_has_to_be_said(alice: User, charlie: User, small: Questionnaire) -> None:
    other = charlie.organisation
    alice.join(other)

    refused = started(alice)
    taken = started(alice, organisation=ids.encode("Organisation", other.pk))

    assert (refused["submission"], codes(refused)) == (None, [("INVALID", ["input", "organisation"])])
    assert (taken["errors"], taken["submission"]["organisation"]["name"]) == ([], other.name)
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"name": " "}, ("INVALID", ["input", "name"])),
        ({"name": "x" * 121}, ("INVALID", ["input", "name"])),
        ({"name": "\x00"}, ("INVALID", ["input", "name"])),
        ({"line": "nonsense"}, ("NOT_FOUND", ["input", "line"])),
        ({"organisation": "nonsense"}, ("NOT_FOUND", ["input", "organisation"])),
    ],
)
def test_what_can_not_be_started_says_why(
    alice: User, small: Questionnaire, given: dict[str, str], refusal: tuple[str, list[str]]
) -> None:
    payload = started(alice, **given)

    assert (payload["submission"], codes(payload)) == (None, [refusal])
    assert not Submission.objects.exists()


def test_a_line_is_renamed(alice: User, bob: User, draft: Submission) -> None:
    line = ids.encode("Line", draft.line_id)

    assert do(bob, RENAME, line=line, name=" Linz ") == {"line": {"id": line, "name": "Linz"}, "errors": []}


def test_a_name_that_is_taken_is_invalid(alice: User, small: Questionnaire) -> None:
    started(alice, name="Linz")
    wels = started(alice, name="Wels")["submission"]["line"]["id"]

    payload = do(alice, RENAME, line=wels, name="Linz")

    assert (payload["line"], codes(payload)) == (None, [("INVALID", ["input", "name"])])
