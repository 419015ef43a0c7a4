"""What a newer version published goes through this version's modules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from accounts.models import User
from answers import submissions
from answers.events import event_of
from contracts import AnswerEvent
from eventbus import models, publish
from questionnaires.definition import Questionnaire
from reports.models import Report

pytestmark = pytest.mark.django_db(transaction=True)


def test_answers_that_a_newer_version_published_become_a_report(
    alice: User, quick_check: Questionnaire, deliver_all: Callable[[], object]
) -> None:
    """Its members that this version does not know are left out, in the evaluation and in the report."""
    submission = submissions.start(alice, "quick-check")
    submission.revision = 3
    recorded = (settings.ROOT / "tests" / "data" / "events_of_later_versions.json").read_text()
    document: dict[str, Any] = json.loads(recorded)["unknown members"][0]
    given = document["data"]["answer"]["values"]
    ours = event_of(submission, "submitted", ()).to_cloudevent()["data"]["answer"]
    document["data"]["answer"] |= {**ours, "values": given}
    with transaction.atomic():
        publish(AnswerEvent.from_cloudevent(document))
    models.Event.objects.update(payload=document)

    deliver_all()

    report = Report.objects.get(submission=submission.pk)
    assert not report.provisional
    assert report.values == {
        question: {"value": answer["value"], "note": answer["note"]} for question, answer in given.items()
    }
