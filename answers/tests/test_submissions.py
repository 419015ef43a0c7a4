"""Starting, submitting, reopening and throwing away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import User
from answers.models import Submission
from answers.submissions import Incomplete, NotDeletable, delete_draft, reopen, start, submit, try_again
from answers.tests.conftest import Save
from answers.tests.test_saving import published
from config.tests.world import deliver, give_up
from eventbus.dead_letters import redrive
from eventbus.models import Delivery, Event
from questionnaires.definition import Questionnaire


def states(submission: Submission) -> list[tuple[str, int]]:
    return [(event["state"], event["answer"]["revision"]) for event in published(submission)]


def at_once(first: Callable[[], object], second: Callable[[], object]) -> list[BaseException]:
    """Run both at the same time, each with a database connection of its own; give what they raised."""
    barrier, raised = threading.Barrier(2), []

    def run(action: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=10)
            action()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return raised


def test_a_started_one_belongs_to_the_persons_organisation_and_keeps_the_edition(
    alice: User, small: Questionnaire
) -> None:
    draft = start(alice, "small")

    assert draft.organisation == alice.organisation
    assert (draft.questionnaire_version, draft.questionnaire_digest) == ("1.0", small.digest)
    assert (draft.state, draft.revision) == ("draft", 0)


def test_starting_again_after_the_first_answer_makes_another(draft: Submission, save: Save, alice: User) -> None:
    assert start(alice, "small") == draft
    save(mfa="F")
    assert start(alice, "small") != draft


def test_submitting_is_a_revision_of_its_own(complete: Submission, alice: User) -> None:
    submit(complete.pk, alice)

    complete.refresh_from_db()
    assert (complete.state, complete.revision, complete.submitted_by) == ("submitted", 2, alice)
    assert complete.first_submitted_at == complete.submitted_at
    assert states(complete) == [("new", 1), ("submitted", 2)]
    assert published(complete)[1]["answer"]["values"] == published(complete)[0]["answer"]["values"]


def test_an_incomplete_one_is_refused_with_what_is_open_in_order(draft: Submission, save: Save, alice: User) -> None:
    save(exposed="yes", backup="P")

    with pytest.raises(Incomplete) as refused:
        submit(draft.pk, alice)

    assert [question.id for question in refused.value.open] == ["mfa", "wall", "plan"]
    assert states(draft) == [("new", 1)]


def test_submitting_twice_is_submitting_once(complete: Submission, alice: User, bob: User) -> None:
    submit(complete.pk, alice)
    submit(complete.pk, bob)

    complete.refresh_from_db()
    assert (complete.revision, complete.submitted_by) == (2, alice)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_gives_one_submission(complete: Submission, alice: User) -> None:
    raised = at_once(lambda: submit(complete.pk, alice), lambda: submit(complete.pk, alice))

    assert raised == []
    assert states(complete) == [("new", 1), ("submitted", 2)]


@pytest.mark.django_db(transaction=True)
def test_colleagues_who_save_at_the_same_time_both_get_through(draft: Submission, save: Save, bob: User) -> None:
    raised = at_once(lambda: save(mfa="F"), lambda: save(bob, backup="P"))

    assert raised == []
    assert draft.values == {"mfa": "F", "backup": "P"}
    assert states(draft) == [("new", 1), ("changed", 2)]


def test_reopening_publishes_nothing_and_the_next_save_goes_on(complete: Submission, save: Save, alice: User) -> None:
    submit(complete.pk, alice)
    reopen(complete.pk, alice)
    assert states(complete) == [("new", 1), ("submitted", 2)]

    save(mfa="L")
    submit(complete.pk, alice)
    assert states(complete)[2:] == [("changed", 3), ("submitted", 4)]


def test_a_reopened_one_without_changes_is_only_closed_again(complete: Submission, alice: User, bob: User) -> None:
    submit(complete.pk, alice)
    reopen(complete.pk, bob)
    submit(complete.pk, bob)

    complete.refresh_from_db()
    assert (complete.state, complete.revision, complete.submitted_by) == ("submitted", 2, alice)
    assert states(complete) == [("new", 1), ("submitted", 2)]


def test_deleting_a_draft_empties_its_events_and_tells_the_others(complete: Submission, alice: User) -> None:
    delete_draft(complete.pk, alice)

    assert not Submission.objects.exists()
    newest = published(complete)[-1]
    assert (newest["state"], newest["answer"]["revision"], newest["answer"]["values"]) == ("deleted", 2, {})
    assert not any("mfa" in str(event.payload) for event in Event.objects.filter(key=str(complete.pk)))


@pytest.mark.parametrize("is_reopened", [False, True])
def test_what_was_submitted_once_is_kept(complete: Submission, alice: User, is_reopened: bool) -> None:
    submit(complete.pk, alice)
    if is_reopened:
        reopen(complete.pk, alice)

    with pytest.raises(NotDeletable):
        delete_draft(complete.pk, alice)
    assert Submission.objects.exists()


@pytest.mark.parametrize("is_reopened", [False, True])
def test_what_came_to_nothing_is_handed_in_once_more_though_no_answer_changed(
    complete: Submission, alice: User, bob: User, is_reopened: bool
) -> None:
    submit(complete.pk, alice)
    give_up(complete)
    if is_reopened:
        reopen(complete.pk, bob)

    submit(complete.pk, bob)
    submit(complete.pk, alice)

    complete.refresh_from_db()
    assert (complete.state, complete.revision, complete.submitted_revision) == ("submitted", 3, 3)
    assert complete.submitted_by == bob
    assert states(complete) == [("new", 1), ("submitted", 2), ("submitted", 3)]
    deliver()
    submit(complete.pk, alice)
    assert len(states(complete)) == 3


def test_what_an_operator_has_delivered_again_is_not_handed_in_once_more(complete: Submission, alice: User) -> None:
    submit(complete.pk, alice)
    give_up(complete)
    redrive(Delivery.objects.all(), by="Ada")

    submit(complete.pk, alice)
    assert not try_again(complete.pk, alice)

    assert states(complete) == [("new", 1), ("submitted", 2)]


def test_a_draft_whose_evaluation_came_to_nothing_can_be_tried_again(complete: Submission, bob: User) -> None:
    give_up(complete)

    assert try_again(complete.pk, bob)
    assert not try_again(complete.pk, bob)

    complete.refresh_from_db()
    assert (complete.state, complete.revision) == ("draft", 2)
    assert states(complete) == [("new", 1), ("changed", 2)]
    deliver()
    assert not try_again(complete.pk, bob)


def test_trying_again_keeps_what_is_submitted_submitted(complete: Submission, bob: User) -> None:
    submit(complete.pk, bob)
    give_up(complete)

    assert try_again(complete.pk, bob)

    complete.refresh_from_db()
    assert (complete.state, states(complete)[-1]) == ("submitted", ("submitted", 3))


def test_there_is_nothing_to_try_again_without_an_answer_or_for_a_stranger(
    draft: Submission, complete: Submission, alice: User, charlie: User
) -> None:
    assert not try_again(start(alice, "small").pk, alice)
    give_up(complete)
    with pytest.raises(Submission.DoesNotExist):
        try_again(complete.pk, charlie)
