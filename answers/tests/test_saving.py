"""What a save stores, refuses and tells the others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from answers.models import Answer, Submission
from answers.saving import UNCHANGED, Change, InvalidChanges, SubmissionClosed, save_answers
from answers.submissions import submit
from answers.tests.conftest import Save
from eventbus.models import Event


def published(submission: Submission) -> list[dict[str, Any]]:
    """The data of the submission's events that were not erased, oldest first."""
    events = Event.objects.filter(key=str(submission.pk), type="AnswerEvent", erased_at=None).order_by("id")
    return [event.payload["data"] for event in events]


def test_the_first_save_is_published_as_new_with_everything_in_it(draft: Submission, alice: User) -> None:
    save_answers(draft.pk, alice, [Change(question="mfa", value="F", note=" ours ")])

    assert published(draft) == [
        {
            "answer": {
                "submission": str(draft.pk),
                "organisation": str(alice.organisation.pk),
                "questionnaire": {"slug": "small", "version": "1.0", "digest": draft.questionnaire_digest},
                "revision": 1,
                "values": {"mfa": {"value": "F", "note": "ours"}},
                "line": str(draft.line_id),
                "line_name": "",
            },
            "state": "new",
        }
    ]


def test_a_later_save_is_published_as_changed_with_the_next_revision(draft: Submission, save: Save) -> None:
    save(mfa="F")
    save(mfa="P", backup="dont_know")

    event = published(draft)[-1]
    assert (event["state"], event["answer"]["revision"]) == ("changed", 2)
    assert event["answer"]["values"] == {
        "backup": {"value": "dont_know", "note": ""},
        "mfa": {"value": "P", "note": ""},
    }


def test_a_save_that_changes_nothing_is_none(draft: Submission, save: Save) -> None:
    save(mfa="F")
    save(mfa="F")
    save(backup=None)

    draft.refresh_from_db()
    assert draft.revision == 1
    assert len(published(draft)) == 1
    assert draft.answers.get().version == 1


def test_each_answer_counts_its_own_versions(draft: Submission, save: Save) -> None:
    save(mfa="F", backup="F")
    save(mfa="P")

    assert dict(draft.answers.values_list("question", "version")) == {"mfa": 2, "backup": 1}


def test_a_version_that_is_not_the_current_one_is_a_conflict_and_the_others_merge(
    draft: Submission, save: Save, alice: User, bob: User
) -> None:
    save(mfa="N")
    save(bob, mfa="F")

    saved = save_answers(
        draft.pk, alice, [Change(question="mfa", value="P", base_version=1), Change(question="backup", value="L")]
    )

    (conflict,) = saved.conflicts
    assert (conflict.current.value, conflict.current.version, conflict.current.updated_by) == ("F", 2, bob)
    assert draft.values == {"mfa": "F", "backup": "L"}
    assert saved.submission.revision == 3


def test_a_save_with_nothing_but_conflicts_publishes_nothing(draft: Submission, save: Save, alice: User) -> None:
    save(mfa="N")

    saved = save_answers(draft.pk, alice, [Change(question="mfa", value="P")])

    assert len(saved.conflicts) == 1
    assert len(published(draft)) == 1


def test_sending_a_save_again_whose_reply_got_lost_is_no_conflict(draft: Submission, alice: User) -> None:
    change = Change(question="mfa", value="P")
    save_answers(draft.pk, alice, [change])

    again = save_answers(draft.pk, alice, [change])

    assert again.conflicts == ()
    assert again.answers["mfa"].version == 1


def test_an_answer_is_taken_back_with_none_and_leaves_the_event(draft: Submission, save: Save) -> None:
    save(mfa="F")
    save(mfa=None)

    assert published(draft)[-1]["answer"]["values"] == {}
    assert draft.answers.get().version == 2


def test_answers_to_questions_hidden_since_are_kept_and_published(draft: Submission, save: Save) -> None:
    save(exposed="yes", wall="P")
    save(exposed="no")

    assert draft.values == {"exposed": "no", "wall": "P"}
    assert published(draft)[-1]["answer"]["values"]["wall"] == {"value": "P", "note": ""}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(question="unheard-of", value="F"), "This questionnaire has no such question."),
        (Change(question="mfa", value="X"), "Choose one of the offered answers: N, P, L, F."),
        (Change(question="mfa", value={"not_applicable": " "}), "Say why this does not apply to you."),
        (
            Change(question="mfa", value="F", note="x" * 4001),
            "The note is 4001 characters long, and 4000 can be kept. Shorten it by 1.",
        ),
    ],
)
def test_one_invalid_answer_and_nothing_of_the_save_is_stored(
    draft: Submission, alice: User, change: Change, words: str
) -> None:
    with pytest.raises(InvalidChanges) as refused:
        save_answers(draft.pk, alice, [Change(question="backup", value="F"), change])

    assert refused.value.errors == {change.question: words}
    assert not Answer.objects.exists()
    assert published(draft) == []


def test_one_question_twice_in_a_save_is_refused(draft: Submission, alice: User) -> None:
    with pytest.raises(InvalidChanges):
        save_answers(draft.pk, alice, [Change(question="mfa", value="F"), Change(question="mfa", value="N")])


def test_a_note_of_4000_characters_is_kept(draft: Submission, alice: User) -> None:
    save_answers(draft.pk, alice, [Change(question="mfa", value=None, note="x" * 4000)])

    assert published(draft)[0]["answer"]["values"]["mfa"] == {"value": None, "note": "x" * 4000}


def test_a_submitted_one_takes_no_answers(complete: Submission, save: Save, alice: User) -> None:
    submit(complete.pk, alice)

    with pytest.raises(SubmissionClosed):
        save(mfa="N")
    assert complete.values["mfa"] == "F"


def test_a_stranger_can_not_save(draft: Submission, charlie: User) -> None:
    with pytest.raises(Submission.DoesNotExist):
        save_answers(draft.pk, charlie, [Change(question="mfa", value="F")])


def test_a_rollback_leaves_neither_answers_nor_event(draft: Submission, save: Save) -> None:
    with transaction.atomic():
        save(mfa="F")
        transaction.set_rollback(True)

    draft.refresh_from_db()
    assert (draft.revision, draft.values, published(draft)) == (0, {}, [])


def test_saving_many_answers_costs_as_many_queries_as_saving_one(draft: Submission, alice: User, save: Save) -> None:
    save(exposed="no")
    counts = []
    for values in ({"mfa": "F"}, {"mfa": "P", "backup": "P", "wall": "P", "plan": "full", "site": "x"}):
        versions = dict(draft.answers.values_list("question", "version"))
        changes = [Change(question=q, value=v, base_version=versions.get(q, 0)) for q, v in values.items()]
        with CaptureQueriesContext(connection) as queries:
            save_answers(draft.pk, alice, changes)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_an_unknown_submission_does_not_exist(alice: User) -> None:
    with pytest.raises(Submission.DoesNotExist):
        save_answers(UUID(int=0), alice, [])


def stored(draft: Submission, question: str = "mfa") -> tuple[object, str, int, int, int]:
    answer = draft.answers.get(question=question)
    return answer.value, answer.note, answer.version, answer.value_version, answer.note_version


def by_part(value: object = UNCHANGED, note: object = UNCHANGED, *, of: tuple[int, int]) -> Change:
    """A change of MFA on top of these versions of value and note."""
    return Change(question="mfa", value=value, note=note, base_value_version=of[0], base_note_version=of[1])  # type: ignore[arg-type]


def test_value_and_note_know_with_which_version_when_and_by_whom_they_changed_last(
    draft: Submission, alice: User, bob: User
) -> None:
    save_answers(draft.pk, alice, [by_part("F", of=(0, 0))])
    save_answers(draft.pk, bob, [by_part(note="ours", of=(1, 0))])

    answer = draft.answers.get()
    assert stored(draft) == ("F", "ours", 2, 1, 2)
    assert (answer.value_by, answer.note_by, answer.updated_by) == (alice, bob, bob)
    assert answer.value_at is not None
    assert answer.value_at < answer.updated_at == answer.note_at


def test_what_only_notes_never_touches_the_value_of_somebody_else(draft: Submission, alice: User, bob: User) -> None:
    save_answers(draft.pk, alice, [by_part("N", of=(0, 0))])
    save_answers(draft.pk, bob, [by_part("F", of=(1, 0))])

    saved = save_answers(draft.pk, alice, [by_part(note="in place since May", of=(1, 0))])

    assert saved.conflicts == ()
    assert stored(draft) == ("F", "in place since May", 3, 2, 3)


def test_what_only_answers_never_touches_the_note_of_somebody_else(draft: Submission, alice: User, bob: User) -> None:
    save_answers(draft.pk, alice, [by_part("N", of=(0, 0))])
    save_answers(draft.pk, bob, [by_part(note="in place since May", of=(1, 0))])

    saved = save_answers(draft.pk, alice, [by_part("F", of=(1, 0))])

    assert saved.conflicts == ()
    assert stored(draft) == ("F", "in place since May", 3, 3, 2)
    assert published(draft)[-1]["answer"]["values"] == {"mfa": {"value": "F", "note": "in place since May"}}


@pytest.mark.parametrize(
    ("theirs", "outcome", "parts"),
    [
        (by_part("L", of=(1, 1)), ("L", "mine", 3, 2, 3), ("value",)),
        (by_part(note="theirs", of=(1, 1)), ("F", "theirs", 3, 3, 2), ("note",)),
        (by_part("L", "theirs", of=(1, 1)), ("L", "theirs", 2, 2, 2), ("value", "note")),
    ],
)
def test_each_part_is_stored_or_in_conflict_by_itself(
    draft: Submission, alice: User, bob: User, theirs: Change, outcome: object, parts: tuple[str, ...]
) -> None:
    save_answers(draft.pk, alice, [by_part("N", "first", of=(0, 0))])
    save_answers(draft.pk, bob, [theirs])

    (conflict,) = save_answers(draft.pk, alice, [by_part("F", "mine", of=(1, 1))]).conflicts

    assert stored(draft) == outcome
    assert conflict.parts == parts
    assert (conflict.value, conflict.note) == ("value" in parts, "note" in parts)
    assert (conflict.current.value, conflict.current.note, conflict.current.version) == outcome[:3]


def test_the_version_of_the_whole_answer_guards_both_parts(draft: Submission, alice: User, bob: User) -> None:
    save_answers(draft.pk, alice, [Change(question="mfa", value="N", note="")])
    save_answers(draft.pk, bob, [by_part(note="theirs", of=(1, 0))])

    (conflict,) = save_answers(draft.pk, alice, [Change(question="mfa", value="F", note="", base_version=1)]).conflicts

    assert (conflict.value, conflict.note) == (True, True)
    assert stored(draft) == ("N", "theirs", 2, 1, 2)


def test_the_version_of_the_whole_answer_guards_the_part_without_a_version_of_its_own(
    draft: Submission, alice: User, bob: User
) -> None:
    save_answers(draft.pk, alice, [Change(question="mfa", value="N", note="")])
    save_answers(draft.pk, bob, [by_part("L", of=(1, 0))])
    change = Change(question="mfa", value="F", note="mine", base_version=1, base_note_version=0)

    (conflict,) = save_answers(draft.pk, alice, [change]).conflicts

    assert conflict.parts == ("value",)
    assert stored(draft) == ("L", "mine", 3, 2, 3)


@pytest.mark.parametrize("base", [-1, 1, 99])
@pytest.mark.parametrize("is_by_part", [True, False])
def test_a_version_of_an_answer_that_there_is_not_is_a_conflict(
    draft: Submission, alice: User, base: int, *, is_by_part: bool
) -> None:
    whole = Change(question="mfa", value="F", note="", base_version=base)

    saved = save_answers(draft.pk, alice, [by_part("F", of=(base, 0)) if is_by_part else whole])

    (conflict,) = saved.conflicts
    assert (conflict.current.value, conflict.current.note, conflict.current.version) == (None, "", 0)
    assert conflict.parts == ("value",)
    assert not Answer.objects.exists()
    assert published(draft) == []


def test_the_very_same_part_is_no_change_whatever_its_version(draft: Submission, alice: User, bob: User) -> None:
    save_answers(draft.pk, alice, [by_part("N", of=(0, 0))])
    save_answers(draft.pk, bob, [by_part("F", of=(1, 0))])

    saved = save_answers(draft.pk, alice, [by_part("F", "ours", of=(1, 0))])

    assert saved.conflicts == ()
    assert stored(draft) == ("F", "ours", 3, 2, 3)
