"""A new edition of a questionnaire changes nothing about what was begun with an earlier one."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from accounts.models import User
from answers.saving import Change, save_answers
from answers.submissions import start, submit
from questionnaires import library
from questionnaires.answers import visible_questions
from questionnaires.tests.editions import quick_check_1_0

pytestmark = pytest.mark.django_db


def test_a_draft_of_the_first_edition_is_answered_and_submitted_after_an_upgrade(alice: User) -> None:
    first = quick_check_1_0()
    library.store(first, built_in=True)
    draft = start(alice, "quick-check")

    call_command("load_questionnaires", verbosity=0)

    assert [each.version for each in library.offered()] == ["1.1"]
    facts = {"exposed": "no", "provider": "no"}
    scored = [question.id for question in visible_questions(first, facts) if question.scored]
    changes = [Change(question=key, value=value) for key, value in {**facts, **dict.fromkeys(scored, "P")}.items()]
    save_answers(draft.pk, alice, changes)
    submit(draft.pk, alice)

    draft.refresh_from_db()
    assert (draft.is_submitted, draft.questionnaire) == (True, first)
    assert start(alice, "quick-check").questionnaire.version == "1.1"
