"""Revisions without a report: kept, seen by their organisation alone, and over as soon as a report exists."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from accounts.models import Organisation, User
from eventbus import publish
from eventbus.dead_letters import redrive
from eventbus.deliveries import drain, sweep
from eventbus.leases import claim
from eventbus.models import Delivery
from eventbus.subscriptions import registry
from questionnaires.definition import Questionnaire
from reports import problems
from reports.models import Problem, Report
from reports.tests.makers import evaluated, failed, handled, stored, withdrawn

pytestmark = pytest.mark.django_db(transaction=True)
S = UUID(int=7)


@pytest.fixture
def acme(alice: User) -> Organisation:
    return alice.organisation


def standing() -> list[tuple[int, str]]:
    return [(problem.revision, problem.reason) for problem in Problem.objects.standing()]


def test_a_failed_evaluation_is_kept_with_what_is_needed_to_tell_it(
    alice: User, bob: User, charlie: User, acme: Organisation, quick_check: Questionnaire
) -> None:
    handled(failed(quick_check, acme, S, revision=5, provisional=False))

    problem = Problem.objects.get()
    assert (problem.submission, problem.organisation, problem.revision) == (S, acme, 5)
    assert (problem.reason, problem.provisional, problem.position) == ("not_evaluated", False, 1)
    assert [Problem.objects.visible_to(each).count() for each in (alice, bob, charlie)] == [1, 1, 0]


@pytest.mark.parametrize(("revision", "is_over"), [(4, False), (5, True), (6, True)])
def test_it_is_over_once_there_is_a_report_of_that_or_a_newer_revision(
    acme: Organisation, quick_check: Questionnaire, revision: int, is_over: bool
) -> None:
    handled(failed(quick_check, acme, S, revision=5, provisional=True))
    stored(evaluated(quick_check, acme, submission=S, revision=revision))

    assert standing() == ([] if is_over else [(5, "not_evaluated")])


@pytest.mark.parametrize("revision", [5, 6])
def test_a_failure_after_the_report_is_no_problem(
    acme: Organisation, quick_check: Questionnaire, revision: int
) -> None:
    """As after a replay that dies."""
    stored(evaluated(quick_check, acme, submission=S, revision=revision, provisional=False))
    handled(failed(quick_check, acme, S, revision=5, provisional=False))

    assert not Problem.objects.exists()


def test_the_newest_failure_takes_the_place_of_earlier_ones(acme: Organisation, quick_check: Questionnaire) -> None:
    for revision in (5, 7, 6):
        handled(failed(quick_check, acme, S, revision=revision, provisional=True))

    assert standing() == [(7, "not_evaluated")]


def test_the_same_failure_again_keeps_its_time(acme: Organisation, quick_check: Questionnaire) -> None:
    for _ in range(2):
        handled(failed(quick_check, acme, S, revision=5, provisional=True))
        Problem.objects.update(at=Now() - timedelta(hours=1))
    first = Problem.objects.get().at
    handled(failed(quick_check, acme, S, revision=5, provisional=True))

    assert Problem.objects.get().at == first


def test_deleting_the_draft_forgets_it(acme: Organisation, quick_check: Questionnaire) -> None:
    handled(failed(quick_check, acme, S, revision=5, provisional=True))
    handled(withdrawn(quick_check, acme, S, revision=6))
    assert not Problem.objects.exists()

    handled(failed(quick_check, acme, S, revision=5, provisional=True))
    assert not Problem.objects.exists()


def test_a_report_that_can_not_be_stored_is_a_problem_and_a_redrive_ends_it(
    acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        publish(evaluated(quick_check, acme, submission=S, revision=3, provisional=False))
    with monkeypatch.context() as broken:
        broken.setattr("reports.storing._store_final", lambda *given: 1 / 0)
        broken.setattr("eventbus.failures.HOPELESS", (ZeroDivisionError,))
        drain("reports.store")
    assert Delivery.objects.get(subscriber="reports.store").status == "dead"
    assert standing() == [(3, "not_stored")]

    redrive(Delivery.objects.all(), by="Ada")
    sweep()

    assert standing() == []
    assert Report.objects.get().state == "final"


def test_one_that_kills_each_worker_while_it_is_stored_is_a_problem_too(
    acme: Organisation, quick_check: Questionnaire
) -> None:
    with transaction.atomic():
        publish(evaluated(quick_check, acme, submission=S, revision=3, provisional=False))
    assert len(claim(registry["reports.store"])) == 1
    Delivery.objects.update(attempts=15, leased_until=Now() - timedelta(seconds=1))

    sweep()

    assert standing() == [(3, "not_stored")]


def test_a_withdrawal_that_can_not_be_stored_leaves_nobody_waiting(
    acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise LookupError

    monkeypatch.setattr("reports.handlers.store_evaluation", fail)
    with transaction.atomic():
        publish(withdrawn(quick_check, acme, S, revision=3))
    drain("reports.store")

    assert Delivery.objects.get(subscriber="reports.store").status == "dead"
    assert not Problem.objects.exists()


def test_what_is_on_its_way_has_not_come_to_nothing(acme: Organisation, quick_check: Questionnaire) -> None:
    assert problems.came_to_nothing(S, 3)
    with transaction.atomic():
        publish(evaluated(quick_check, acme, submission=S, revision=3, provisional=False))
    assert not problems.came_to_nothing(S, 3)
    assert problems.came_to_nothing(uuid4(), 3)

    drain("reports.store")
    assert not problems.came_to_nothing(S, 3)
    assert problems.came_to_nothing(S, 4)


def test_a_dead_delivery_is_not_on_its_way(
    acme: Organisation, quick_check: Questionnaire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise OperationalError

    monkeypatch.setattr("reports.handlers.store_evaluation", fail)
    with transaction.atomic():
        publish(evaluated(quick_check, acme, submission=S, revision=3))
    drain("reports.store")
    assert not problems.came_to_nothing(S, 3)
    Delivery.objects.update(attempts=14, due_at=Now() - timedelta(seconds=1))
    drain("reports.store")
    assert problems.came_to_nothing(S, 3)
