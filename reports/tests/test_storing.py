"""What becomes of an evaluation: stored, replaced, made final, withdrawn, or ignored as old news."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from accounts.models import User
from contracts.lines import first_line
from eventbus import TryAgain
from eventbus.models import Event
from questionnaires.definition import Questionnaire
from reports.models import Report
from reports.tests.makers import GOLDEN, evaluated, stored, withdrawn

BETTER = {**GOLDEN, "QC-06": "F"}


def _published() -> list[str]:
    """The states that `reports` told the others."""
    payloads = (
        Event.objects.filter(type="ReportEvent", source="reports").order_by("pk").values_list("payload", flat=True)
    )
    return [payload["data"]["state"] for payload in payloads]


def test_the_first_answers_of_a_draft_make_a_provisional_report(alice: User, quick_check: Questionnaire) -> None:
    report = stored(evaluated(quick_check, alice.organisation, notes={"QC-06": "soon"}))

    assert (report.state, report.revision, report.position) == ("provisional", 1, 1)
    assert (report.score, report.score_high, report.rating) == (Decimal("50"), Decimal("58.3333"), "D")
    assert report.questionnaire_title == quick_check.title
    assert report.values["QC-06"] == {"value": "N", "note": "soon"}
    assert report.evaluation is not None
    assert report.evaluation["comparison"] is None
    assert _published() == ["new"]


def test_a_newer_revision_replaces_the_provisional_report(alice: User, quick_check: Questionnaire) -> None:
    submission = uuid4()
    first = stored(evaluated(quick_check, alice.organisation, submission=submission))

    second = stored(evaluated(quick_check, alice.organisation, BETTER, submission=submission, revision=2))

    assert second.pk == first.pk
    assert (second.revision, second.position, second.rating) == (2, 2, "C")
    assert _published() == ["new", "changed"]


@pytest.mark.parametrize("revision", [1, 2])
def test_late_and_repeated_drafts_are_ignored(alice: User, quick_check: Questionnaire, revision: int) -> None:
    submission = uuid4()
    kept = stored(evaluated(quick_check, alice.organisation, submission=submission, revision=2))

    again = stored(evaluated(quick_check, alice.organisation, BETTER, submission=submission, revision=revision))

    assert (again.pk, again.revision, again.position, again.rating) == (kept.pk, 2, 1, "D")
    assert _published() == ["new"]


def test_submitting_makes_the_provisional_report_final_under_the_same_address(
    alice: User, quick_check: Questionnaire
) -> None:
    submission = uuid4()
    draft = stored(evaluated(quick_check, alice.organisation, submission=submission))

    final = stored(evaluated(quick_check, alice.organisation, submission=submission, revision=2, provisional=False))

    assert (final.pk, final.get_absolute_url()) == (draft.pk, draft.get_absolute_url())
    assert (final.state, final.revision) == ("final", 2)
    assert final.created_at > draft.created_at
    assert _published() == ["new", "new"]


def test_a_final_evaluation_without_a_draft_is_stored(alice: User, quick_check: Questionnaire) -> None:
    assert stored(evaluated(quick_check, alice.organisation, provisional=False)).state == "final"


def test_the_same_final_evaluation_is_stored_once(alice: User, quick_check: Questionnaire) -> None:
    event = evaluated(quick_check, alice.organisation, provisional=False)
    first = stored(event)

    again = stored(evaluated(quick_check, alice.organisation, submission=first.submission, provisional=False))

    assert (again.pk, again.event_id) == (first.pk, event.id)
    assert Report.objects.count() == 1
    assert _published() == ["new"]


def test_another_engine_makes_another_final_report(alice: User, quick_check: Questionnaire) -> None:
    first = stored(evaluated(quick_check, alice.organisation, provisional=False))

    other = stored(
        evaluated(quick_check, alice.organisation, submission=first.submission, provisional=False, engine="weighted-v2")
    )

    assert other.pk != first.pk
    assert {report.engine for report in Report.objects.finals()} == {"weighted-v1", "weighted-v2"}
    assert other.evaluation is not None
    assert other.evaluation["comparison"] is None  # never with itself


def test_a_late_draft_does_not_reopen_a_final_report(alice: User, quick_check: Questionnaire) -> None:
    final = stored(evaluated(quick_check, alice.organisation, revision=3, provisional=False))

    stored(evaluated(quick_check, alice.organisation, BETTER, submission=final.submission, revision=2))

    assert [report.state for report in Report.objects.all()] == ["final"]


def test_changing_answers_afterwards_makes_a_new_draft_beside_the_final_report(
    alice: User, quick_check: Questionnaire
) -> None:
    final = stored(evaluated(quick_check, alice.organisation, revision=3, provisional=False))

    draft = stored(evaluated(quick_check, alice.organisation, BETTER, submission=final.submission, revision=4))

    assert draft.pk != final.pk
    assert draft.state == "provisional"
    assert Report.objects.get(pk=final.pk).values == final.values


def test_a_late_final_evaluation_leaves_the_newer_draft_alone(alice: User, quick_check: Questionnaire) -> None:
    draft = stored(evaluated(quick_check, alice.organisation, revision=4))

    final = stored(
        evaluated(quick_check, alice.organisation, submission=draft.submission, revision=3, provisional=False)
    )

    assert final.pk != draft.pk
    assert Report.objects.get(pk=draft.pk).state == "provisional"


def test_deleting_the_draft_leaves_an_empty_tombstone(alice: User, quick_check: Questionnaire) -> None:
    draft = stored(evaluated(quick_check, alice.organisation))

    gone = stored(withdrawn(quick_check, alice.organisation, draft.submission, revision=2))

    assert gone.pk == draft.pk
    assert (gone.state, gone.position) == ("withdrawn", 2)
    assert (gone.values, gone.evaluation, gone.score, gone.score_high, gone.rating) == ({}, None, None, None, "")
    assert not Report.objects.visible_to(alice).exists()
    assert _published() == ["new", "removed"]


def test_deleting_a_draft_that_was_never_evaluated_leaves_a_tombstone_too(
    alice: User, quick_check: Questionnaire
) -> None:
    gone = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

    assert gone.state == "withdrawn"


def test_deleting_the_next_draft_keeps_the_final_report(alice: User, quick_check: Questionnaire) -> None:
    final = stored(evaluated(quick_check, alice.organisation, provisional=False))
    stored(evaluated(quick_check, alice.organisation, submission=final.submission, revision=2))

    stored(withdrawn(quick_check, alice.organisation, final.submission, revision=3))

    assert list(Report.objects.visible_to(alice)) == [final]


@pytest.mark.parametrize("revision", [1, 3])
def test_nothing_resurrects_a_withdrawn_draft(alice: User, quick_check: Questionnaire, revision: int) -> None:
    submission = uuid4()
    stored(withdrawn(quick_check, alice.organisation, submission, revision=2))

    late = stored(evaluated(quick_check, alice.organisation, submission=submission, revision=revision))

    assert (late.state, late.values, late.position) == ("withdrawn", {}, 1)


def test_a_late_withdrawal_does_not_touch_what_is_newer(alice: User, quick_check: Questionnaire) -> None:
    draft = stored(evaluated(quick_check, alice.organisation, revision=3))

    stored(withdrawn(quick_check, alice.organisation, draft.submission, revision=2))

    assert Report.objects.get(pk=draft.pk).state == "provisional"


def test_an_unknown_questionnaire_is_tried_again_and_stores_nothing(alice: User, quick_check: Questionnaire) -> None:
    strange = quick_check.model_copy(update={"version": "9.9"})

    with pytest.raises(TryAgain, match=r"quick-check 9\.9"):
        stored(evaluated(Questionnaire.model_validate(strange.model_dump(by_alias=True)), alice.organisation))

    assert not Report.objects.exists()


def test_positions_are_counted_for_each_organisation(alice: User, charlie: User, quick_check: Questionnaire) -> None:
    mine = [stored(evaluated(quick_check, alice.organisation)).position for _ in range(3)]
    theirs = stored(evaluated(quick_check, charlie.organisation)).position

    assert (mine, theirs) == ([1, 2, 3], 1)


class TestComparison:
    """SCORING 8: with the newest earlier final report of the same organisation and questionnaire."""

    def test_a_draft_is_compared_with_the_last_final_report(self, alice: User, quick_check: Questionnaire) -> None:
        stored(evaluated(quick_check, alice.organisation, provisional=False))

        report = stored(evaluated(quick_check, alice.organisation, BETTER))

        assert report.evaluation is not None
        assert report.evaluation["comparison"] == {
            "delta": 8.3333,
            "scope_effect": 0,
            "items": [{"question": "QC-06", "change": "resolved", "points": 8.3333}],
        }

    def test_a_final_report_is_compared_with_the_one_before_it(self, alice: User, quick_check: Questionnaire) -> None:
        first = stored(evaluated(quick_check, alice.organisation, provisional=False))

        second = stored(
            evaluated(
                quick_check, alice.organisation, BETTER, submission=first.submission, revision=2, provisional=False
            )
        )

        assert second.evaluation is not None
        assert second.evaluation["comparison"]["delta"] == 8.3333
        assert second.previous_final() == first

    def test_drafts_and_other_organisations_are_never_compared_with(
        self, alice: User, charlie: User, quick_check: Questionnaire
    ) -> None:
        stored(evaluated(quick_check, charlie.organisation, provisional=False))
        stored(evaluated(quick_check, alice.organisation))

        report = stored(evaluated(quick_check, alice.organisation, BETTER))

        assert report.evaluation is not None
        assert report.evaluation["comparison"] is None
        assert report.previous_final() is None

    def test_the_published_event_holds_the_comparison(self, alice: User, quick_check: Questionnaire) -> None:
        stored(evaluated(quick_check, alice.organisation, provisional=False))
        event = evaluated(quick_check, alice.organisation, BETTER)
        stored(event)

        payload = Event.objects.filter(source="reports").latest("pk").payload

        assert payload["data"]["report"]["evaluation"]["comparison"]["delta"] == 8.3333
        assert payload["causationid"] == str(event.id)

    def test_a_report_is_compared_within_its_line(self, alice: User, quick_check: Questionnaire) -> None:
        linz, wels = uuid4(), uuid4()
        first = stored(evaluated(quick_check, alice.organisation, provisional=False, line=linz, line_name="Linz"))
        stored(evaluated(quick_check, alice.organisation, BETTER, provisional=False, line=wels, line_name="Wels"))

        second = stored(evaluated(quick_check, alice.organisation, BETTER, provisional=False, line=linz))
        draft = stored(evaluated(quick_check, alice.organisation, BETTER, line=uuid4()))

        assert (first.line, first.line_name, first.label) == (linz, "Linz", f"{quick_check.title}: Linz")
        assert second.evaluation is not None
        assert second.evaluation["comparison"]["delta"] == 8.3333
        assert second.previous_final() == first
        assert Report.objects.previous_finals([second, draft]) == {second.pk: first}
        assert draft.evaluation is not None
        assert draft.evaluation["comparison"] is None

    def test_what_does_not_say_its_line_belongs_to_the_first_one(self, alice: User, quick_check: Questionnaire) -> None:
        """As every event did that was published before there were lines."""
        before = stored(evaluated(quick_check, alice.organisation, provisional=False))
        line = first_line(alice.organisation.pk, quick_check.slug)

        after = stored(evaluated(quick_check, alice.organisation, BETTER, provisional=False, line=line))

        assert (before.line, before.line_name, before.label) == (line, "", quick_check.title)
        assert after.previous_final() == before

    def test_the_announcement_tells_the_line(self, alice: User, quick_check: Questionnaire) -> None:
        line = uuid4()
        stored(evaluated(quick_check, alice.organisation, line=line, line_name="Linz"))

        told = Event.objects.filter(source="reports").latest("pk").payload["data"]["report"]

        assert (told["line"], told["line_name"]) == (str(line), "Linz")
