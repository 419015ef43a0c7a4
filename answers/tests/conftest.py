"""A started submission of Alice's, and how to save in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from answers.models import Submission
from answers.saving import Change, Saved, save_answers
from answers.submissions import start
from answers.tests.small import DEFINITION
from questionnaires import library
from questionnaires.definition import Questionnaire, from_canonical

Save = Callable[..., Saved]


@pytest.fixture
def small(db: None) -> Questionnaire:
    return library.by_digest(library.store(from_canonical(DEFINITION)).digest)


@pytest.fixture
def draft(alice: User, small: Questionnaire) -> Submission:
    return start(alice, "small")


@pytest.fixture
def save(draft: Submission, alice: User) -> Save:
    """Saves answers as Alice: `save(mfa="F", backup="P")`, on top of what is stored."""

    def save_now(user: User = alice, **values: object) -> Saved:
        versions = dict(draft.answers.values_list("question", "version"))
        changes = [
            Change(question=name, value=value, base_version=versions.get(name, 0))  # type: ignore[arg-type]
            for name, value in values.items()
        ]
        return save_answers(draft.pk, user, changes)

    return save_now


@pytest.fixture
def complete(draft: Submission, save: Save) -> Submission:
    """A draft in which nothing is open."""
    save(exposed="no", mfa="F", backup="P", plan="full")
    draft.refresh_from_db()
    return draft
