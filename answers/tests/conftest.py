"""A small questionnaire of this app's own, with every kind of question, and a started submission of Alice's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from answers.models import Submission
from answers.saving import Change, Saved, save_answers
from answers.submissions import start
from questionnaires import library
from questionnaires.definition import Questionnaire, from_canonical

DEFINITION = {
    "format": "plumbline/1",
    "slug": "small",
    "version": "1.0",
    "title": "Small check",
    "summary": "A few questions.",
    "minutes": 9,
    "domains": [{"id": "PR", "title": "Protect"}],
    "sections": [
        {
            "id": "about",
            "title": "About you",
            "questions": [
                {"id": "exposed", "text": "Reachable from outside?", "kind": "yes_no", "scored": False},
                {
                    "id": "vpn",
                    "text": "Which ways in?",
                    "kind": "multiple_choice",
                    "scored": False,
                    "required": False,
                    "choices": [{"id": "vpn", "text": "VPN"}, {"id": "rdp", "text": "Remote desktop"}],
                    "when": {"question": "exposed", "is": ["yes", "dont_know"]},
                },
                {"id": "site", "text": "Website", "kind": "text", "scored": False, "required": False},
                {"id": "people", "text": "How many people?", "kind": "number", "scored": False, "required": False},
                {"id": "since", "text": "Since when?", "kind": "date", "scored": False, "required": False},
            ],
        },
        {
            "id": "controls",
            "title": "Controls",
            "questions": [
                {"id": "mfa", "text": "Is there MFA?", "domain": "PR", "why": "Passwords leak."},
                {"id": "backup", "text": "Are there backups?", "domain": "PR"},
                {
                    "id": "wall",
                    "text": "Is there a firewall?",
                    "domain": "PR",
                    "when": {"question": "exposed", "is": ["yes", "dont_know"]},
                },
                {
                    "id": "plan",
                    "text": "Which plan?",
                    "kind": "single_choice",
                    "domain": "PR",
                    "choices": [{"id": "none", "text": "None", "value": 0}, {"id": "full", "text": "All", "value": 1}],
                },
            ],
        },
    ],
}

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
