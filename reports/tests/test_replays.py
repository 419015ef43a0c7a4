"""Replaying the past changes no report that is stored already."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.models import User
from contracts import AnswerSnapshot, QuestionnaireRef
from contracts.answers import AnswerEvent, AnswerState, GivenAnswer
from eventbus import publish
from eventbus.deliveries import drain_all
from eventbus.models import Delivery
from eventbus.replays import Selection
from eventbus.tests.making import let_retries_be_due, replay
from questionnaires.definition import Questionnaire
from reports.models import Report


def reports() -> list[dict[str, object]]:
    return [dict(row) for row in Report.objects.order_by("position").values()]


@pytest.mark.django_db(transaction=True)
def test_replayed_events_meet_the_guard_by_revision(alice: User, quick_check: Questionnaire) -> None:
    assert alice.organisation is not None
    asked = QuestionnaireRef(slug=quick_check.slug, version=quick_check.version, digest=quick_check.digest)
    first = AnswerSnapshot(
        submission=uuid4(),
        organisation=alice.organisation.pk,
        questionnaire=asked,
        revision=1,
        values={"QC-01": GivenAnswer(value="F")},
    )
    states: list[AnswerState] = ["new", "changed", "submitted", "changed"]
    for number, state in enumerate(states, start=1):
        with transaction.atomic():
            publish(AnswerEvent(answer=replace(first, revision=number), state=state))
        drain_all()
    before = reports()
    assert [(report["revision"], report["provisional"]) for report in before] == [(3, False), (4, True)]

    order = replay(Selection(event_type="AnswerEvent"), rate=1000, by="Ada")
    let_retries_be_due()
    drain_all()

    assert order.deliveries == 4
    assert not Delivery.objects.undelivered().exists()
    assert reports() == before
