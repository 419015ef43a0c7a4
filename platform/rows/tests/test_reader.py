"""Objects read by a statement are those that Django's own query gives."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.models import Model

from accounts.models import Membership, Organisation, User
from answers.models import Answer, Submission
from answers.saving import Change, save_answers
from answers.submissions import start
from reports.models import Report
from rows import Reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user(
        "alice@example.org", name="Alice", organisation=Organisation.objects.create(name="A")
    )


@pytest.fixture(autouse=True)
def stored(alice: User) -> Submission:
    call_command("load_questionnaires", verbosity=0)
    submission = start(alice, "quick-check")
    save_answers(submission.pk, alice, [Change(question="QC-06", value="N", note="Grüße")])
    return submission


def contents(found: Model) -> dict[str, Any]:
    return {name: value for name, value in vars(found).items() if not name.startswith("_")}


@pytest.mark.parametrize("model", [User, Membership, Submission, Answer, Report])
def test_whole_objects(model: type[models.Model]) -> None:
    reader = Reader(model)
    found = reader.read(f"SELECT {reader.columns} FROM {model._meta.db_table} ORDER BY id", [])  # noqa: S608

    wanted = list(model._default_manager.order_by("pk"))
    assert [contents(each) for each in found] == [contents(each) for each in wanted]
    assert all(each._state.db == "default" and not each._state.adding for each in found)


def test_fields_that_are_not_read_are_loaded_when_somebody_asks(stored: Submission) -> None:
    key = Submission._meta.pk.get_db_prep_value(stored.pk, connection)
    reader = Reader(Answer, ("note", "id", "question"))
    (found,) = reader.read(f"SELECT {reader.columns} FROM answers_answer WHERE submission_id = %s", [key])  # noqa: S608

    assert (found.question, found.note, found.get_deferred_fields() >= {"value"}) == ("QC-06", "Grüße", True)
    assert found.value == "N"


def test_a_field_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Answer has no \['colour'\]"):
        Reader(Answer, ("id", "colour"))
