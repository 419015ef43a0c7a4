"""Submissions through GraphQL: the same life as on the pages, each refusal with a code and the way to its input."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from answers.models import MAX_NOTE, Submission
from answers.mutations.saving import MAX_CHANGES
from answers.submissions import submit
from answers.tests.conftest import Save
from answers.tests.test_saving import published
from api import ids
from config.tests.whole_schema import data
from config.tests.world import deliver, give_up
from eventbus.dead_letters import redrive
from eventbus.models import Delivery
from questionnaires.answers import MAX_NUMBER, MAX_TEXT
from questionnaires.definition import Questionnaire

ERRORS = "errors { code path message }"
START = (
    "mutation ($input: StartSubmissionInput!) { done: startSubmission(input: $input) { submission { id state } %s } }"
)
SAVE = """
mutation ($input: SaveAnswersInput!) {
  done: saveAnswers(input: $input) {
    submission {
      revision answers { key value { choice choices number date text dontKnow notApplicable } note version }
    }
    conflicts { key current { label version updatedBy { name } } }
    errors { code path message }
  }
}
"""
SUBMIT = """
mutation ($input: SubmissionInput!) {
  done: submitSubmission(input: $input) { submission { state revision } openQuestions { key } errors { code path } }
}
"""
REOPEN = "mutation ($input: SubmissionInput!) { done: reopenSubmission(input: $input) { submission { state } %s } }"
DELETE = "mutation ($input: SubmissionInput!) { done: deleteDraft(input: $input) { deletedSubmissionId %s } }"


def do(user: User, document: str, **given: Any) -> Any:
    return data(user, document.replace("%s", ERRORS), input=given)["done"]


def id_of(submission: Submission) -> str:
    return ids.encode("Submission", submission.pk)


def answer(question: str, value: Any, *, note: str = "", expected: int = 0) -> dict[str, Any]:
    return {"question": question, "value": value, "note": note, "expectedVersion": expected}


def saved(user: User, draft: Submission, *answers: dict[str, Any]) -> Any:
    return do(user, SAVE, submission=id_of(draft), answers=list(answers))


def codes(payload: Any) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


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


@pytest.mark.parametrize(
    ("question", "value", "stored"),
    [
        ("exposed", {"choice": "yes"}, "yes"),
        ("mfa", {"choice": "F"}, "F"),
        ("plan", {"choice": "full"}, "full"),
        ("vpn", {"choices": ["rdp", "vpn"]}, ["vpn", "rdp"]),
        ("site", {"text": " example.org "}, "example.org"),
        ("people", {"number": 12}, 12),
        ("people", {"number": 2.5}, 2.5),
        ("since", {"date": "2026-05-31"}, "2026-05-31"),
        ("mfa", {"dontKnow": True}, "dont_know"),
        ("mfa", {"notApplicable": "No accounts."}, {"not_applicable": "No accounts."}),
    ],
)
def test_each_kind_of_answer_is_stored_and_comes_back_as_it_can_be_sent_again(
    alice: User, draft: Submission, question: str, value: dict[str, Any], stored: Any
) -> None:
    payload = saved(alice, draft, answer(question, value, note="as agreed"))

    assert payload["errors"] == []
    assert draft.values == {question: stored}
    (back,) = payload["submission"]["answers"]
    assert (back["note"], back["version"]) == ("as agreed", 1)
    again = {name: part for name, part in back["value"].items() if part is not None}
    assert saved(alice, draft, answer(question, again, note="as agreed"))["submission"]["revision"] == 1
    assert draft.values == {question: stored}


@pytest.mark.parametrize(
    ("question", "value", "stored"),
    [
        ("site", {"text": "x" * MAX_TEXT}, "x" * MAX_TEXT),
        ("people", {"number": MAX_NUMBER}, MAX_NUMBER),
        ("people", {"number": -MAX_NUMBER}, -MAX_NUMBER),
        ("people", {"number": 0}, 0),
        ("since", {"date": "0001-01-01"}, "0001-01-01"),
        ("since", {"date": "9999-12-31"}, "9999-12-31"),
        ("vpn", {"choices": ["vpn", "vpn"]}, ["vpn"]),
        ("mfa", {"notApplicable": "x" * MAX_TEXT}, {"not_applicable": "x" * MAX_TEXT}),
    ],
)
def test_the_largest_and_the_smallest_answer_are_taken(
    alice: User, draft: Submission, question: str, value: dict[str, Any], stored: Any
) -> None:
    assert saved(alice, draft, answer(question, value, note="x" * MAX_NOTE))["errors"] == []
    assert draft.values == {question: stored}


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("site", {"text": "x" * (MAX_TEXT + 1)}),
        ("people", {"number": MAX_NUMBER + 1}),
        ("people", {"number": -MAX_NUMBER - 1}),
        ("vpn", {"choices": ["vpn", "modem"]}),
        ("mfa", {"notApplicable": "x" * (MAX_TEXT + 1)}),
        ("mfa", {"notApplicable": "\0"}),
    ],
)
def test_an_answer_beyond_that_is_invalid(alice: User, draft: Submission, question: str, value: dict[str, Any]) -> None:
    assert codes(saved(alice, draft, answer(question, value))) == [("INVALID", ["input", "answers", "0"])]


@pytest.mark.parametrize("unseen", ["\0", "\ud800", "\x1b"], ids=ascii)
def test_what_no_database_keeps_is_taken_out_of_texts_reasons_and_notes(
    alice: User, draft: Submission, unseen: str
) -> None:
    text = f"as{unseen} agreed"

    payload = saved(
        alice,
        draft,
        answer("site", {"text": text}, note=text),
        answer("mfa", {"notApplicable": text}),
    )

    assert payload["errors"] == []
    assert draft.values == {"site": "as agreed", "mfa": {"not_applicable": "as agreed"}}
    assert draft.answers.get(question="site").note == "as agreed"


def test_a_text_of_the_letters_of_dont_know_is_stored_shown_and_sent_again_as_a_text(
    alice: User, draft: Submission
) -> None:
    payload = saved(alice, draft, answer("site", {"text": "dont_know"}))

    (back,) = payload["submission"]["answers"]
    assert (back["value"]["text"], back["value"]["dontKnow"]) == ("dont_know", None)
    assert saved(alice, draft, answer("site", {"text": "dont_know"}))["submission"]["revision"] == 1

    payload = saved(alice, draft, answer("site", {"dontKnow": True}, expected=1))

    (back,) = payload["submission"]["answers"]
    assert (back["value"]["text"], back["value"]["dontKnow"]) == (None, True)
    assert draft.values == {"site": "dont_know"}


def test_an_answer_that_is_taken_back_keeps_its_version(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}))

    payload = saved(alice, draft, answer("mfa", None, expected=1))

    assert [(each["value"], each["version"]) for each in payload["submission"]["answers"]] == [(None, 2)]
    assert draft.values == {}


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("nothing", {"choice": "F"}),
        ("mfa", {}),
        ("mfa", {"choice": None}),
        ("mfa", {"choice": "F", "text": "F"}),
        ("mfa", {"text": "F"}),
        ("mfa", {"choice": "yes"}),
        ("mfa", {"dontKnow": False}),
        ("mfa", {"notApplicable": " "}),
        ("exposed", {"notApplicable": "profile questions take none"}),
        ("vpn", {"choices": ["modem"]}),
        ("people", {"number": 1e300}),
        ("people", {"text": "12"}),
        ("since", {"text": "2026-05-31"}),
        ("since", {"date": None}),
    ],
)
def test_an_answer_that_the_question_does_not_take_is_invalid_and_nothing_is_stored(
    alice: User, draft: Submission, question: str, value: dict[str, Any]
) -> None:
    payload = saved(alice, draft, answer("backup", {"choice": "P"}), answer(question, value))

    assert codes(payload) == [("INVALID", ["input", "answers", "1"])]
    assert payload["errors"][0]["message"]
    assert payload["submission"] is None
    assert draft.values == {}


def test_every_mistake_of_a_save_is_told_at_once(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"text": "F"}), answer("plan", {"number": 3}))

    assert codes(payload) == [("INVALID", ["input", "answers", "0"]), ("INVALID", ["input", "answers", "1"])]


def test_a_question_that_is_answered_twice_is_invalid(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"choice": "F"}), answer("mfa", {"choice": "P"}))

    assert codes(payload) == [("INVALID", ["input", "answers", "1"])]


def test_a_value_that_is_left_out_is_taken_back_unless_only_the_version_of_the_note_is_said(
    alice: User, draft: Submission
) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}), answer("backup", {"choice": "F"}))

    payload = saved(
        alice,
        draft,
        {"question": "mfa", "note": "only a note", "expectedNoteVersion": 0},
        {"question": "backup", "expectedValueVersion": 1},
    )

    assert payload["errors"] == []
    assert draft.values == {"mfa": "F"}
    assert draft.answers.get(question="mfa").note == "only a note"


def test_a_note_that_is_left_out_stays(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}, note="ours"))

    saved(alice, draft, {"question": "mfa", "value": {"choice": "P"}, "expectedVersion": 1})

    assert (draft.values, draft.answers.get().note) == ({"mfa": "P"}, "ours")


PARTS = """
query ($id: ID!) { submission(id: $id) { answers { version valueVersion noteVersion value { choice } note } } }
"""


def test_value_and_note_have_versions_of_their_own(alice: User, bob: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "N"}))
    saved(bob, draft, {"question": "mfa", "note": "theirs", "expectedNoteVersion": 0})

    payload = saved(alice, draft, {"question": "mfa", "value": {"choice": "F"}, "expectedValueVersion": 1})

    assert payload["errors"] == []
    (found,) = data(alice, PARTS, id=id_of(draft))["submission"]["answers"]
    assert found == {
        "version": 3,
        "valueVersion": 3,
        "noteVersion": 2,
        "value": {"choice": "F"},
        "note": "theirs",
    }


def test_of_a_conflict_in_one_part_the_other_is_stored(alice: User, bob: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "N"}))
    saved(bob, draft, {"question": "mfa", "value": {"choice": "L"}, "expectedValueVersion": 1})
    both = {"value": {"choice": "F"}, "expectedValueVersion": 1, "note": "mine", "expectedNoteVersion": 0}

    payload = do(
        alice,
        SAVE.replace("conflicts { key", "conflicts { key value note"),
        submission=id_of(draft),
        answers=[{"question": "mfa", **both}],
    )

    assert codes(payload) == [("CONFLICT", ["input", "answers", "0"])]
    (conflict,) = payload["conflicts"]
    assert (conflict["value"], conflict["note"], conflict["current"]["label"]) == (True, False, "Mostly")
    assert (draft.values, draft.answers.get().note) == ({"mfa": "L"}, "mine")


@pytest.mark.parametrize("base", [99, -1, 1])
@pytest.mark.parametrize("guard", ["expectedVersion", "expectedValueVersion"])
def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(
    alice: User, draft: Submission, guard: str, base: int
) -> None:
    payload = saved(alice, draft, {"question": "mfa", "value": {"choice": "F"}, guard: base})

    assert codes(payload) == [("CONFLICT", ["input", "answers", "0"])]
    assert payload["conflicts"] == [{"key": "mfa", "current": {"label": "No answer", "version": 0, "updatedBy": None}}]
    assert payload["errors"][0]["message"] == "This is no longer the answer that the change was made to."
    assert draft.values == {}


@pytest.mark.parametrize(
    "unguarded",
    [
        {"value": {"choice": "F"}},
        {"value": None},
        {"note": "ours"},
        {"value": {"choice": "F"}, "expectedNoteVersion": 0},
        {"value": {"choice": "F"}, "note": "ours", "expectedValueVersion": 0},
        {"value": {"choice": "F"}, "note": "ours", "expectedNoteVersion": 0},
        {"value": {"choice": "F"}, "expectedVersion": None, "expectedValueVersion": None},
    ],
)
def test_a_part_without_the_version_that_it_is_made_to_is_invalid(
    alice: User, draft: Submission, unguarded: dict[str, Any]
) -> None:
    payload = saved(alice, draft, {"question": "mfa", **unguarded})

    assert codes(payload) == [("INVALID", ["input", "answers", "0"])]
    assert draft.values == {}
    assert payload["errors"][0]["message"].endswith("which version the change is made to.")


def test_a_note_that_is_too_long_is_invalid(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, answer("mfa", {"choice": "F"}, note="x" * (MAX_NOTE + 1)))

    assert codes(payload) == [("INVALID", ["input", "answers", "0"])]


def test_more_answers_than_are_taken_at_once_are_refused(alice: User, draft: Submission) -> None:
    payload = saved(alice, draft, *[answer("mfa", {"choice": "F"})] * (MAX_CHANGES + 1))

    assert codes(payload) == [("TOO_MUCH", ["input", "answers"])]


def test_a_conflict_is_given_back_and_the_others_are_stored(
    alice: User, bob: User, draft: Submission, save: Save
) -> None:
    save(user=bob, mfa="P")

    payload = saved(alice, draft, answer("backup", {"choice": "F"}), answer("mfa", {"choice": "F"}))

    assert codes(payload) == [("CONFLICT", ["input", "answers", "1"])]
    assert payload["conflicts"] == [
        {"key": "mfa", "current": {"label": "Partly", "version": 1, "updatedBy": {"name": "Bob"}}}
    ]
    assert payload["submission"]["revision"] == 2
    assert draft.values == {"mfa": "P", "backup": "F"}


def test_a_conflict_is_overwritten_with_the_version_that_it_gives_back(
    alice: User, bob: User, draft: Submission, save: Save
) -> None:
    save(user=bob, mfa="P")
    (conflict,) = saved(alice, draft, answer("mfa", {"choice": "F"}))["conflicts"]

    payload = saved(alice, draft, answer("mfa", {"choice": "F"}, expected=conflict["current"]["version"]))

    assert (payload["errors"], payload["conflicts"]) == ([], [])
    assert draft.values == {"mfa": "F"}


def test_a_save_whose_answer_got_lost_can_be_sent_again(alice: User, draft: Submission) -> None:
    change = answer("mfa", {"choice": "F"}, note="ours")
    first = saved(alice, draft, change)

    assert saved(alice, draft, change) == first
    assert len(published(draft)) == 1


def test_a_save_publishes_the_event_that_the_pages_publish(alice: User, draft: Submission) -> None:
    saved(alice, draft, answer("mfa", {"choice": "F"}, note="ours"))

    (event,) = published(draft)
    assert (event["state"], event["answer"]["values"]) == ("new", {"mfa": {"value": "F", "note": "ours"}})


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
