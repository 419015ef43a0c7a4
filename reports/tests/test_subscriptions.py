"""Subscriptions: what was missed comes first, then what happens; nothing twice, nothing lost, nothing of strangers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser

from accounts.models import Membership, Organisation, User
from api import ids
from config.tests.listening import listening, nobody_else, refusal
from config.tests.whole_schema import data
from questionnaires.definition import Questionnaire
from reports import following
from reports.live import group_of
from reports.models import Feed, Report
from reports.tests.makers import GOLDEN, evaluated, failed, handled, stored, withdrawn

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

CHANGED = """
subscription ($organisation: ID, $submission: ID, $questionnaire: String, $rating: [Rating!], $after: String) {
  reportChanged(
    organisation: $organisation submission: $submission questionnaire: $questionnaire rating: $rating after: $after
  ) { position kind reportId submissionId report { id revision state rating organisation { name } } }
}
"""
PROGRESS = """
subscription ($organisation: ID, $submission: ID, $questionnaire: String, $rating: [Rating!], $after: String) {
  evaluationProgress(
    organisation: $organisation submission: $submission questionnaire: $questionnaire rating: $rating after: $after
  ) {
    position state submissionId revision rating evaluation { answered visible score findings { severity } }
  }
}
"""
ALL_GOOD = dict.fromkeys(GOLDEN, "F")


@pytest.fixture(autouse=True)
async def _alone() -> AsyncIterator[None]:
    async with nobody_else():
        yield


@pytest.fixture
def acme(alice: User) -> Organisation:
    return alice.organisation


@sync_to_async
def make(*given: Any, **options: Any) -> Report:
    return stored(evaluated(*given, **options))


@sync_to_async
def position_of(user: User) -> str:
    found: str = data(user, "{ reports { position } }")["reports"]["position"]
    return found


def report_id(report: Report) -> str:
    return ids.encode("Report", report.pk)


def submission_id(report: Report) -> str:
    return ids.encode("Submission", report.submission)


async def heard(listener: Any) -> tuple[str, str]:
    """Kind and report of the next change."""
    change = (await listener.hear())["reportChanged"]
    return change["kind"], change["reportId"]


async def test_a_colleague_hears_of_a_new_report(bob: User, acme: Organisation, quick_check: Questionnaire) -> None:
    async with listening(bob, CHANGED) as listener:
        report = await make(quick_check, acme)

        change = (await listener.hear())["reportChanged"]
        assert change.pop("position")
        assert change == {
            "kind": "STORED",
            "reportId": report_id(report),
            "submissionId": submission_id(report),
            "report": {
                "id": report_id(report),
                "revision": 1,
                "state": "PROVISIONAL",
                "rating": "D",
                "organisation": {"name": "Acme"},
            },
        }


async def test_a_message_that_only_a_newer_version_knows_ends_no_subscription(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    async with listening(alice, CHANGED) as listener:
        layer = get_channel_layer()
        assert layer is not None
        await layer.group_send(group_of(acme.pk), {"type": "section.changed", "section": 7})
        report = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(report))


async def test_what_was_missed_comes_first_in_its_order_and_then_what_happens(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    await make(quick_check, acme)
    seen = await position_of(alice)
    missed = [await make(quick_check, acme) for _ in range(3)]

    async with listening(alice, CHANGED, after=seen) as listener:
        assert [await heard(listener) for _ in missed] == [("STORED", report_id(each)) for each in missed]
        live = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(live))
        assert await listener.is_silent()


async def test_each_message_says_where_to_go_on(alice: User, acme: Organisation, quick_check: Questionnaire) -> None:
    seen = await position_of(alice)
    reports = [await make(quick_check, acme) for _ in range(3)]
    async with listening(alice, CHANGED, after=seen) as listener:
        await listener.hear()
        last = (await listener.hear())["reportChanged"]["position"]

    async with listening(alice, CHANGED, after=last) as listener:
        assert await heard(listener) == ("STORED", report_id(reports[2]))
        assert await listener.is_silent()


async def test_a_report_that_changed_several_times_meanwhile_comes_once_as_it_is_now(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    seen = await position_of(alice)
    report = await make(quick_check, acme)
    for revision in (2, 3):
        await make(quick_check, acme, submission=report.submission, revision=revision)

    async with listening(alice, CHANGED, after=seen) as listener:
        assert (await listener.hear())["reportChanged"]["report"]["revision"] == 3
        assert await listener.is_silent()


async def test_without_a_position_only_what_happens_from_now_on_comes(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    await make(quick_check, acme)

    async with listening(alice, CHANGED) as listener:
        assert await listener.is_silent()
        report = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(report))


async def test_what_is_stored_between_joining_and_catching_up_comes_once(
    alice: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very gap that loses a message where one first looks and then listens."""
    made: list[Report] = []

    async def look_late(*given: Any) -> Any:
        if not made:
            made.append(await make(quick_check, acme))
        return await look(*given)

    look = following._next
    monkeypatch.setattr(following, "_next", look_late)
    async with listening(alice, CHANGED) as listener:
        assert await heard(listener) == ("STORED", report_id(made[0]))
        assert await listener.is_silent()


async def test_what_is_stored_between_catching_up_and_waiting_comes(
    alice: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Report] = []

    async def wait_late(ear: Any, seen: Any) -> None:
        if not made:
            made.append(await make(quick_check, acme))
        await wait(ear, seen)

    wait = following.Ear.wait
    monkeypatch.setattr(following.Ear, "wait", wait_late)
    async with listening(alice, CHANGED) as listener:
        assert await heard(listener) == ("STORED", report_id(made[0]))


async def test_a_hint_that_got_lost_is_made_up_for_by_the_next_one(
    alice: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(alice, CHANGED) as listener:
        first = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(first))  # what is asked for at the beginning is over
        with monkeypatch.context() as without_hints:
            without_hints.setattr("reports.handlers.send_hint", lambda report, state, event: None)
            silent = await make(quick_check, acme)

        loud = await make(quick_check, acme)

        assert await heard(listener) == ("STORED", report_id(silent))
        assert await heard(listener) == ("STORED", report_id(loud))


async def test_a_hint_that_got_lost_is_made_up_for_without_another_one(
    alice: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr("reports.handlers.send_hint", lambda report, state, event: None)
    async with listening(alice, CHANGED) as listener:
        report = await make(quick_check, acme)

        assert await heard(listener) == ("STORED", report_id(report))


async def test_a_channel_that_its_layer_dropped_joins_again(
    alice: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.05)
    layer: Any = get_channel_layer()
    async with listening(alice, CHANGED) as listener:
        layer.groups.clear()
        while not layer.groups:
            assert await listener.is_silent(0.01)


async def test_more_hints_than_a_channel_holds_lose_nothing(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    layer: Any = get_channel_layer()
    layer.capacity = 3
    async with listening(alice, CHANGED) as listener:
        reports = [await make(quick_check, acme) for _ in range(8)]

        assert [await heard(listener) for _ in reports] == [("STORED", report_id(each)) for each in reports]


async def test_a_deleted_draft_is_told_without_its_report(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    report = await make(quick_check, acme)
    async with listening(alice, CHANGED) as changes, listening(alice, PROGRESS) as progress:
        await sync_to_async(stored)(withdrawn(quick_check, acme, report.submission, revision=2))

        change = (await changes.hear())["reportChanged"]
        assert (change["kind"], change["reportId"], change["report"]) == ("REMOVED", report_id(report), None)
        told = (await progress.hear())["evaluationProgress"]
        assert (told["state"], told["rating"], told["evaluation"]) == ("WITHDRAWN", None, None)


async def test_the_filters_let_through_what_they_name(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    seen = await position_of(alice)
    first, second = await make(quick_check, acme), await make(quick_check, acme, ALL_GOOD)
    both = [("STORED", report_id(first)), ("STORED", report_id(second))]
    expected: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
        ({}, both),
        ({"organisation": ids.encode("Organisation", acme.pk)}, both),
        ({"submission": submission_id(second)}, both[1:]),
        ({"questionnaire": "quick-check"}, both),
        ({"questionnaire": "another"}, []),
        ({"rating": ["A", "B"]}, [("REMOVED", report_id(first)), both[1]]),
    ]
    for filters, changes in expected:
        async with listening(alice, CHANGED, after=seen, **filters) as listener:
            assert [await heard(listener) for _ in changes] == changes
            assert await listener.is_silent(0.05)


async def test_a_report_that_loses_the_rating_asked_for_is_removed(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    async with listening(alice, CHANGED, rating=["D"]) as listener:
        report = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(report))
        await make(quick_check, acme, ALL_GOOD, submission=report.submission, revision=2)
        assert await heard(listener) == ("REMOVED", report_id(report))


async def test_an_evaluation_proceeds_from_the_drafts_answers_to_the_final_one(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    async with listening(alice, PROGRESS) as listener:
        report = await make(quick_check, acme, {"QC-01": "F"})
        told = [(await listener.hear())["evaluationProgress"]]
        await make(quick_check, acme, submission=report.submission, revision=2, provisional=False)
        told.append((await listener.hear())["evaluationProgress"])

        assert [each["submissionId"] for each in told] == [submission_id(report)] * 2
        assert [(each["state"], each["revision"], each["rating"]) for each in told] == [
            ("PROVISIONAL", 1, "A"),
            ("FINAL", 2, "D"),
        ]
        assert [each["evaluation"]["answered"] for each in told] == [1, 12]


async def test_only_evaluations_with_the_rating_asked_for_are_told(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    async with listening(alice, PROGRESS, rating=["A"]) as listener:
        await make(quick_check, acme)
        report = await make(quick_check, acme, ALL_GOOD)

        assert (await listener.hear())["evaluationProgress"]["submissionId"] == submission_id(report)


async def test_evaluations_take_the_filters_and_go_on_after_a_position(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    await make(quick_check, acme)
    seen = await position_of(alice)
    first, second = await make(quick_check, acme), await make(quick_check, acme, ALL_GOOD)
    both = [submission_id(first), submission_id(second)]
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, both),
        ({"organisation": ids.encode("Organisation", acme.pk)}, both),
        ({"submission": both[1]}, both[1:]),
        ({"questionnaire": "quick-check"}, both),
        ({"questionnaire": "another"}, []),
        ({"questionnaire": "\0"}, []),
        ({"rating": ["A", "B"]}, both[1:]),
        ({"rating": []}, []),
        ({"submission": both[0], "rating": ["A"]}, []),
    ]
    for filters, submissions in expected:
        async with listening(alice, PROGRESS, after=seen, **filters) as listener:
            told = [(await listener.hear())["evaluationProgress"] for _ in submissions]
            assert [each["submissionId"] for each in told] == submissions
            assert await listener.is_silent(0.05)


FAILED = """
subscription ($submission: ID, $rating: [Rating!], $after: String) {
  evaluationProgress(submission: $submission rating: $rating after: $after) {
    position state submissionId revision rating evaluation { answered } problem { message revision since }
  }
}
"""


@sync_to_async
def fail(*given: Any, **options: Any) -> None:
    handled(failed(*given, **options))


@pytest.mark.parametrize(("provisional", "state"), [(True, "PROVISIONAL"), (False, "FINAL")])
async def test_who_waits_for_an_evaluation_hears_that_it_failed(
    bob: User, acme: Organisation, quick_check: Questionnaire, provisional: bool, state: str
) -> None:
    report = await make(quick_check, acme)
    async with listening(bob, FAILED, submission=submission_id(report)) as listener:
        await fail(quick_check, acme, report.submission, revision=2, provisional=provisional)

        told = (await listener.hear())["evaluationProgress"]
        assert told.pop("position")
        problem = told.pop("problem")
        assert told == {
            "state": state,
            "submissionId": submission_id(report),
            "revision": 2,
            "rating": None,
            "evaluation": None,
        }
        assert (problem["revision"], "tell the person who runs" in problem["message"], bool(problem["since"])) == (
            2,
            True,
            True,
        )
        assert await listener.is_silent()

        await make(quick_check, acme, submission=report.submission, revision=3)
        told = (await listener.hear())["evaluationProgress"]
        assert (told["revision"], told["problem"], told["evaluation"]) == (3, None, {"answered": 12})


async def test_what_failed_meanwhile_comes_in_its_place_unless_it_is_over(
    bob: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    seen = await position_of(bob)
    over, first = await make(quick_check, acme), await make(quick_check, acme)
    await fail(quick_check, acme, over.submission, revision=2, provisional=True)
    await fail(quick_check, acme, first.submission, revision=2, provisional=True)
    await make(quick_check, acme, submission=over.submission, revision=3)
    expected = [(submission_id(first), 1), (submission_id(first), 2), (submission_id(over), 3)]
    async with listening(bob, FAILED, after=seen) as listener:
        told = [(await listener.hear())["evaluationProgress"] for _ in expected]
        assert [(each["submissionId"], each["revision"]) for each in told] == expected
        assert await listener.is_silent(0.05)
    async with listening(bob, FAILED, after=told[0]["position"]) as listener:
        again = [(await listener.hear())["evaluationProgress"] for _ in expected[1:]]
        assert [(each["submissionId"], each["revision"]) for each in again] == expected[1:]
    async with listening(bob, FAILED, after=seen, rating=["D"]) as listener:
        told = [(await listener.hear())["evaluationProgress"] for _ in range(2)]
        assert [each["problem"] for each in told] == [None, None]
        assert await listener.is_silent(0.05)
    async with listening(bob, CHANGED, after=seen) as listener:
        assert [(await heard(listener))[1] for _ in range(2)] == [report_id(first), report_id(over)]
        assert await listener.is_silent(0.05)


async def test_a_problem_whose_hint_was_lost_is_told_at_the_next_look(
    bob: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.3)
    report = await make(quick_check, acme)
    async with listening(bob, FAILED) as listener:
        with monkeypatch.context() as lossy:
            lossy.setattr("reports.handlers.send_problem", lambda *given: None)
            await fail(quick_check, acme, report.submission, revision=2, provisional=True)
        await make(quick_check, acme)

        told = [(await listener.hear())["evaluationProgress"]["revision"] for _ in range(2)]
        assert sorted(told) == [1, 2]
        assert await listener.is_silent()


async def test_a_stranger_does_not_hear_that_an_evaluation_failed(
    charlie: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    report = await make(quick_check, acme)
    async with (
        listening(charlie, FAILED) as all_of_hers,
        listening(charlie, FAILED, submission=submission_id(report)) as of_this,
    ):
        await fail(quick_check, acme, report.submission, revision=2, provisional=True)

        assert await all_of_hers.is_silent()
        assert await of_this.is_silent()


async def test_evaluations_go_on_after_the_position_of_one_of_them(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    seen = await position_of(alice)
    reports = [await make(quick_check, acme) for _ in range(3)]
    async with listening(alice, PROGRESS, after=seen) as listener:
        await listener.hear()
        last = (await listener.hear())["evaluationProgress"]["position"]

    async with listening(alice, PROGRESS, after=last) as listener:
        assert (await listener.hear())["evaluationProgress"]["submissionId"] == submission_id(reports[2])
        assert await listener.is_silent(0.05)


@pytest.mark.parametrize("document", [CHANGED, PROGRESS])
async def test_a_stranger_hears_nothing_whatever_is_asked_for(
    alice: User, charlie: User, acme: Organisation, quick_check: Questionnaire, document: str
) -> None:
    seen = await position_of(alice)
    report = await make(quick_check, acme)
    async with (
        listening(charlie, document) as plain,
        listening(charlie, document, after=seen) as with_a_strangers_position,
        listening(charlie, document, submission=submission_id(report)) as of_a_strangers_submission,
    ):
        await make(quick_check, acme, submission=report.submission, revision=2)

        for listener in (plain, with_a_strangers_position, of_a_strangers_submission):
            assert await listener.is_silent()


async def test_a_strangers_organisation_ends_at_once_like_one_that_does_not_exist(
    alice: User, charlie: User, acme: Organisation
) -> None:
    for wanted in (ids.encode("Organisation", acme.pk), ids.encode("Organisation", ids.NOTHING), "nonsense"):
        async with listening(charlie, CHANGED, organisation=wanted) as listener:
            assert await listener.has_ended()


async def test_who_leaves_the_organisation_hears_nothing_more_and_the_stream_ends(
    bob: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.3)
    async with listening(bob, CHANGED) as listener:
        await make(quick_check, acme)
        await listener.hear()
        await Membership.objects.filter(user=bob).adelete()

        await make(quick_check, acme)

        assert await listener.has_ended()


async def test_access_is_looked_up_before_each_message_of_what_was_missed(
    bob: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.3)
    seen = await position_of(bob)
    for _ in range(3):
        await make(quick_check, acme)
    stream = following.follow(following.Watch(person=bob.pk), {acme.pk: 0})
    assert seen
    await anext(stream)
    await Membership.objects.filter(user=bob).adelete()

    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_who_is_deactivated_hears_nothing_more_and_the_stream_ends(
    bob: User, acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.3)
    async with listening(bob, CHANGED) as listener:
        await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
        await make(quick_check, acme)

        assert await listener.has_ended()


async def test_who_joins_another_organisation_hears_of_all_its_reports(
    alice: User, charlie: User, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RECHECK_SECONDS", 0.05)
    contoso = await sync_to_async(lambda: charlie.organisation)()
    before = await make(quick_check, contoso)
    async with listening(alice, CHANGED) as listener:
        await sync_to_async(alice.join)(contoso)

        assert await heard(listener) == ("STORED", report_id(before))
        after = await make(quick_check, contoso)
        assert await heard(listener) == ("STORED", report_id(after))


async def test_positions_of_several_organisations_travel_together(
    alice: User, charlie: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    contoso = await sync_to_async(lambda: charlie.organisation)()
    await sync_to_async(alice.join)(contoso)
    for organisation in (acme, acme, acme, contoso):
        await make(quick_check, organisation)
    seen = await position_of(alice)
    missed = {report_id(await make(quick_check, organisation)) for organisation in (contoso, acme)}

    async with listening(alice, CHANGED, after=seen) as listener:
        assert {(await heard(listener))[1] for _ in missed} == missed
        assert await listener.is_silent()


async def test_a_position_beyond_the_feed_counts_as_its_end(
    alice: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    """As after a restore from a backup: the client has seen what is not there any more."""
    for _ in range(3):
        await make(quick_check, acme)
    seen = await position_of(alice)
    await Report.objects.filter(position__gt=1).adelete()
    await Feed.objects.aupdate(last_position=1)

    async with listening(alice, CHANGED, after=seen) as listener:
        report = await make(quick_check, acme)
        assert await heard(listener) == ("STORED", report_id(report))


@pytest.mark.parametrize("position", ["", "7", "nonsense", "eyJhIjoxfQ:abc", "\0:a", "\ud800:a"])
async def test_a_position_that_is_none_is_refused(alice: User, position: str) -> None:
    assert await refusal(alice, CHANGED, after=position) == "BAD_POSITION"


async def test_who_is_not_signed_in_is_refused(db: None) -> None:
    assert await refusal(AnonymousUser(), CHANGED) == "UNAUTHENTICATED"


async def test_a_closed_subscription_leaves_its_groups(alice: User) -> None:
    layer: Any = get_channel_layer()
    async with listening(alice, CHANGED):
        assert layer.groups != {}

    assert layer.groups == {}
    assert layer.channels == {}
