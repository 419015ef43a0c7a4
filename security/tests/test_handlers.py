"""From saved answers to an evaluation, by events alone."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import pytest
from django.db import transaction

from contracts import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef, ReportEvent
from contracts.answers import AnswerState
from eventbus import publish
from eventbus.deliveries import drain
from eventbus.models import Delivery, Event
from questionnaires.definition import Questionnaire
from security.handlers import report_failure
from security.scoring import ENGINE, evaluate

pytestmark = pytest.mark.django_db
SUBMISSION, ORGANISATION = UUID(int=1), UUID(int=2)


def deliver(reference: QuestionnaireRef, values: Mapping[str, GivenAnswer], state: AnswerState) -> Delivery:
    """Publish answers and let `security.evaluate` handle them."""
    snapshot = AnswerSnapshot(
        submission=SUBMISSION, organisation=ORGANISATION, questionnaire=reference, revision=3, values=dict(values)
    )
    with transaction.atomic():
        publish(AnswerEvent(answer=snapshot, state=state))
    drain("security.evaluate")
    return Delivery.objects.get(subscriber="security.evaluate")


def reference_to(questionnaire: Questionnaire) -> QuestionnaireRef:
    return QuestionnaireRef(slug=questionnaire.slug, version=questionnaire.version, digest=questionnaire.digest)


def published() -> ReportEvent:
    """The one ReportEvent that `security` has published."""
    return ReportEvent.from_cloudevent(Event.objects.get(source="security").payload)


@pytest.mark.parametrize(("state", "provisional"), [("new", True), ("changed", True), ("submitted", False)])
def test_saved_answers_become_an_evaluation(quick_check: Questionnaire, state: AnswerState, provisional: bool) -> None:
    values = {
        "QC-01": GivenAnswer(value="F"),
        "QC-06": GivenAnswer(value="N", note="Next year."),
        "QC-08": GivenAnswer(value=None, note="Ask Bob."),
    }
    assert deliver(reference_to(quick_check), values, state).status == "done"
    event = published()
    assert (event.state, event.report.provisional, event.report.revision) == ("evaluated", provisional, 3)
    assert (event.report.submission, event.report.organisation) == (SUBMISSION, ORGANISATION)
    assert (event.report.values, event.report.engine) == (values, ENGINE)
    assert event.report.evaluation == evaluate(quick_check, {"QC-01": "F", "QC-06": "N"}).to_document()


def test_a_deleted_draft_withdraws_its_evaluation(quick_check: Questionnaire) -> None:
    assert deliver(reference_to(quick_check), {}, "deleted").status == "done"
    event = published()
    assert (event.state, event.report.evaluation, event.report.values) == ("withdrawn", None, {})
    assert event.report.provisional


def test_an_unknown_questionnaire_is_explained_and_tried_again(db: None) -> None:
    unknown = QuestionnaireRef(slug="quick-check", version="9.9", digest="f" * 64)
    delivery = deliver(unknown, {}, "changed")
    assert delivery.status == "ready"
    assert "quick-check 9.9 (digest ffffffffffff): load it with `manage.py load_questionnaires`" in delivery.last_error
    assert not Event.objects.filter(source="security").exists()


@pytest.mark.parametrize(("state", "provisional"), [("changed", True), ("submitted", False)])
def test_an_evaluation_that_is_given_up_says_so_without_an_answer(
    quick_check: Questionnaire, state: AnswerState, provisional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise LookupError("secret")

    monkeypatch.setattr("security.handlers.evaluate", fail)

    assert deliver(reference_to(quick_check), {"QC-01": GivenAnswer(value="F", note="secret")}, state).status == "dead"

    event = published()
    assert (event.state, event.source, event.report.revision) == ("failed", "security", 3)
    assert (event.report.provisional, event.report.evaluation, event.report.values) == (provisional, None, {})


def test_a_deleted_draft_is_withdrawn_even_where_that_was_given_up(quick_check: Questionnaire) -> None:
    snapshot = AnswerSnapshot(
        submission=SUBMISSION,
        organisation=ORGANISATION,
        questionnaire=reference_to(quick_check),
        revision=3,
        values={},
    )
    with transaction.atomic():
        report_failure(AnswerEvent(answer=snapshot, state="deleted"))
    assert published().state == "withdrawn"


def test_the_line_is_passed_on(quick_check: Questionnaire) -> None:
    snapshot = AnswerSnapshot(
        submission=SUBMISSION,
        organisation=ORGANISATION,
        questionnaire=reference_to(quick_check),
        revision=1,
        values={},
        line=UUID(int=3),
        line_name="Linz",
    )
    with transaction.atomic():
        publish(AnswerEvent(answer=snapshot, state="new"))
    drain("security.evaluate")

    assert (published().report.line, published().report.line_name) == (UUID(int=3), "Linz")
