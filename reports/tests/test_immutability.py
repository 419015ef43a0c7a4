"""A final report is never changed or deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import User
from questionnaires.definition import Questionnaire
from reports import statements
from reports.models import ImmutableReport, Report
from reports.tests.makers import evaluated, stored


@pytest.fixture
def final(alice: User, quick_check: Questionnaire) -> Report:
    return stored(evaluated(quick_check, alice.organisation, provisional=False))


def test_saving_it_is_refused(final: Report) -> None:
    final.rating = "A"

    with pytest.raises(ImmutableReport):
        final.save()


def test_saving_some_fields_of_it_is_refused_even_when_it_was_loaded_without_the_others(final: Report) -> None:
    report = Report.objects.only("rating").get(pk=final.pk)
    report.rating = "A"

    with pytest.raises(ImmutableReport):
        report.save(update_fields=["rating"])


def test_making_it_provisional_again_is_refused(final: Report) -> None:
    final.provisional = True

    with pytest.raises(ImmutableReport):
        final.save()


def test_a_new_object_with_its_id_does_not_overwrite_it(final: Report) -> None:
    copy = Report(**{field.attname: getattr(final, field.attname) for field in Report._meta.concrete_fields})
    copy.rating = "A"

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()

    assert Report.objects.get(pk=final.pk).rating == "D"


def test_deleting_it_is_refused(final: Report) -> None:
    with pytest.raises(ImmutableReport):
        final.delete()


def test_updating_and_deleting_many_is_refused_where_one_is_final(
    final: Report, alice: User, quick_check: Questionnaire
) -> None:
    stored(evaluated(quick_check, alice.organisation))

    with pytest.raises(ImmutableReport):
        Report.objects.update(rating="A")
    with pytest.raises(ImmutableReport):
        Report.objects.all().delete()
    with pytest.raises(ImmutableReport), transaction.atomic():
        Report.objects.bulk_update([final], ["rating"])
    with pytest.raises(ImmutableReport):
        Report.objects.bulk_create([final], update_conflicts=True, unique_fields=["id"], update_fields=["rating"])

    assert {report.rating for report in Report.objects.all()} == {"D"}


def test_its_organisation_cannot_be_deleted(final: Report) -> None:
    with pytest.raises(ProtectedError):
        final.organisation.delete()


def test_a_provisional_one_may_be_changed(alice: User, quick_check: Questionnaire) -> None:
    report = stored(evaluated(quick_check, alice.organisation))
    report.rating = "A"

    report.save()

    assert Report.objects.get(pk=report.pk).rating == "A"


def test_writing_over_a_report_that_became_final_meanwhile_is_refused(alice: User, quick_check: Questionnaire) -> None:
    submission = uuid4()
    draft = stored(evaluated(quick_check, alice.organisation, submission=submission))
    stored(evaluated(quick_check, alice.organisation, submission=submission, revision=2, provisional=False))
    draft.rating = "A"

    with pytest.raises(ImmutableReport):
        statements.store(draft)

    assert Report.objects.get(pk=draft.pk).rating == "D"
