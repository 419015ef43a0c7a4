"""Everything that one person can have in Plumbline, marked so that it is recognised wherever it turns up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from answers.models import Submission
from answers.saving import Change, save_answers
from answers.submissions import reopen, start, submit
from api import ids
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Status
from questionnaires import library
from questionnaires.definition import Questionnaire, from_canonical
from reports.models import Report

DEFINITION: dict[str, Any] = {
    "format": "plumbline/1",
    "slug": "everything",
    "version": "1.0",
    "title": "Everything",
    "summary": "Each kind of question, and each thing that a question can say.",
    "minutes": 5,
    "domains": [{"id": "PR", "title": "Protect"}, {"id": "RC", "title": "Recover"}],
    "sections": [
        {
            "id": "about",
            "title": "About you",
            "intro": "A few words.",
            "questions": [
                {"id": "exposed", "text": "Reachable from outside?", "kind": "yes_no", "scored": False},
                {"id": "site", "text": "Website", "kind": "text", "scored": False, "required": False},
                {"id": "since", "text": "Since when?", "kind": "date", "scored": False, "required": False},
                {
                    "id": "ways",
                    "text": "Which ways in?",
                    "kind": "multiple_choice",
                    "scored": False,
                    "required": False,
                    "choices": [{"id": "vpn", "text": "VPN"}, {"id": "rdp", "text": "Remote desktop"}],
                    "when": {
                        "all": [
                            {"any": [{"question": "exposed", "is": "yes"}, {"question": "exposed", "is": "dont_know"}]},
                            {"not": {"question": "exposed", "is": "no"}},
                        ]
                    },
                },
            ],
        },
        {
            "id": "controls",
            "title": "Controls",
            "questions": [
                {
                    "id": "mfa",
                    "text": "Is there MFA?",
                    "domain": "PR",
                    "gate": True,
                    "impact": "high",
                    "why": "Passwords leak.",
                    "check": "Look at the settings.",
                    "evidence": ["A screenshot"],
                    "fix": ["Turn it on"],
                    "action": "Turn on MFA",
                    "references": {"cpg": ["3.F"], "csf": ["PR.AA-03"], "cyber_essentials": ["User access control"]},
                },
                {"id": "backup", "text": "Are there backups?", "domain": "RC", "weight": 50},
                {"id": "wall", "text": "Is there a firewall?", "domain": "PR", "gate": True},
                {
                    "id": "drills",
                    "text": "How many drills a year?",
                    "kind": "number",
                    "unit": "drills",
                    "domain": "RC",
                    "thresholds": [{"at_least": 1, "value": 0.5}, {"at_least": 4, "value": 1}],
                },
                {
                    "id": "plan",
                    "text": "Which plan?",
                    "kind": "single_choice",
                    "domain": "RC",
                    "choices": [{"id": "none", "text": "None", "value": 0}, {"id": "full", "text": "All", "value": 1}],
                },
            ],
        },
    ],
}


def everything() -> Questionnaire:
    """The questionnaire, offered to everybody."""
    return library.by_digest(library.store(from_canonical(DEFINITION)).digest)


@dataclass(frozen=True)
class World:
    """What one person has."""

    person: User
    mark: str
    """Part of every name, answer and note."""
    submitted: Submission
    """Submitted twice, and changed since: it has two final reports, one of them with a comparison, and a draft's."""
    draft: Submission
    """Never submitted; one question is open."""
    failing: Submission
    """Never submitted; its answers could not be evaluated."""
    report: Report

    ids: dict[str, str]
    """An object of each type that has an id."""


def deliver() -> None:
    """Have all reports made. A test without commits of its own has no hooks by which follow-ups are handed over."""
    with override_settings(EVENTBUS_INLINE_FOLLOWUPS=False):
        drain_all()


def give_up(submission: Submission) -> None:
    """As if every attempt to evaluate what was saved last had killed its worker."""
    Delivery.objects.undelivered().filter(key=str(submission.pk)).update(
        status=Status.LEASED, attempts=15, lease_token=uuid4(), leased_until=timezone.now() - timedelta(seconds=9)
    )
    deliver()


def world_of(person: User) -> World:
    """Give the person one of everything."""
    mark = f"secret-of-{person.name}"
    organisation = person.organisation
    organisation.name = mark
    organisation.save()
    everything()
    submitted = start(person, "everything", name=f"Line of {mark}")
    for backup in ("N", "P"):
        _answer(person, submitted, mark, backup=backup)
        submit(submitted.pk, person)
        deliver()
        reopen(submitted.pk, person)
    _answer(person, submitted, mark, backup="F")
    draft = start(person, "everything")
    _answer(person, draft, mark)
    deliver()
    failing = start(person, "everything")
    _answer(person, failing, mark)
    give_up(failing)
    report = Report.objects.filter(submission=submitted.pk, provisional=False)[0]
    keys: dict[str, UUID | str] = {
        "Organisation": organisation.pk,
        "Me": person.pk,
        "Line": submitted.line_id,
        "Submission": submitted.pk,
        "Report": report.pk,
        "Questionnaire": submitted.questionnaire_digest,
    }
    encoded = {name: ids.encode(name, key) for name, key in keys.items()}
    return World(person, mark, submitted, draft, failing, report, encoded)


def go_on(world: World) -> None:
    """Change an answer, submit again, and have the report made; change what can't be evaluated."""
    reopen(world.submitted.pk, world.person)
    answered = world.submitted.answers.get(question="backup")
    value = "P" if answered.value == "F" else "F"
    change = Change(question="backup", value=value, note=answered.note, base_version=answered.version)
    save_answers(world.submitted.pk, world.person, [change])
    submit(world.submitted.pk, world.person)
    deliver()
    plan = world.failing.answers.get(question="plan").value
    _answer(world.person, world.failing, world.mark, plan="full" if plan == "none" else "none")
    give_up(world.failing)


def _answer(person: User, submission: Submission, mark: str, **more: Any) -> None:
    given: dict[str, Any] = {
        "exposed": "yes",
        "site": f"https://{mark}.example",
        "since": "2026-05-31",
        "ways": ["vpn"],
        "mfa": "N",
        "wall": {"not_applicable": f"{mark} has none."},
        "drills": 2,
        "plan": "dont_know",
    } | more
    versions = dict(submission.answers.values_list("question", "version"))
    changes = [
        Change(question=key, value=value, note=f"{key} of {mark}", base_version=versions.get(key, 0))
        for key, value in given.items()
    ]
    save_answers(submission.pk, person, changes)
