"""Revisions of which no report came: kept, told, and over as soon as a report of that or a newer revision exists.

Whether a problem stands is asked when somebody looks, not noted when a report is stored: so storing costs nothing more,
and it is right after a redrive, a replay, a restore from a backup and a deletion, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import Membership, User
from contracts import ReportEvent
from eventbus.models import Delivery
from reports.models import Feed, Problem, Report

LATE = timedelta(seconds=30)
"""From then on a person is told what the evaluation waits for; live.js knows the same number."""
ROAD = ("answers", "security")
"""Whose facts lead to a report."""


def keep(event: ReportEvent, reason: Problem.Reason) -> Problem | None:
    """Keep that there will be no report of the event's revision; None where there is one, or something newer is kept.

    Runs inside one transaction, that of the delivery.
    """
    failed = event.report
    # First, because it also locks: nobody else stores for this organisation until we commit.
    position = Feed.objects.advance(failed.organisation)
    if Report.objects.filter(submission=failed.submission, revision__gte=failed.revision).exists():
        return None
    known = Problem.objects.filter(submission=failed.submission).first()
    if known is not None and known.revision > failed.revision:
        return None
    is_new = known is None or known.revision < failed.revision
    problem = known or Problem(submission=failed.submission)
    problem.organisation_id = failed.organisation
    problem.questionnaire_slug = failed.questionnaire.slug
    problem.revision, problem.provisional = failed.revision, failed.provisional
    problem.reason, problem.position = reason, position
    if is_new:
        problem.at = timezone.now()
    problem.save()
    return problem


def forget(submission: UUID) -> None:
    """Forget what could not be made of a draft that is deleted."""
    Problem.objects.filter(submission=submission).delete()


def came_to_nothing(submission: UUID, revision: int) -> bool:
    """Whether there is no report of this or a newer revision, and nothing is on its way that could become one."""
    # In this order: what was on its way when we looked for a report might have become one just before.
    if on_the_way_since(submission) is not None:
        return False
    return not Report.objects.filter(submission=submission, revision__gte=revision).exists()


def on_the_way_since(submission: UUID, user: User | AnonymousUser | None = None) -> datetime | None:
    """When the oldest fact about it was published whose way to a report has not ended; None: there is none.

    With a person: None also where it is not their organisation's.
    """
    waiting = Delivery.objects.on_the_way(str(submission), ROAD)
    if user is not None:
        mine = Membership.objects.filter(user=user.pk).values("organisation")
        waiting = waiting.filter(event__organisation__in=mine)
    return waiting.order_by("created_at").values_list("created_at", flat=True).first()


@dataclass(frozen=True)
class Standing:
    """What is to be said about an evaluation that a person waits for."""

    kind: Literal["made", "late", "failed"]
    """It is under way; so for long that something must be missing; or it will not come by itself."""
    is_known: bool
    """Whether we know of this submission; without that it may be anybody's, and nothing was looked up but a number."""
    problem: int = 0
    """The revision that failed, where one did."""
    since: datetime | None = None
    """When it failed, where that is known."""


def standing_of(
    user: User | AnonymousUser, submission: UUID, awaited: int | None, *, is_late: bool = False
) -> Standing | None:
    """What to say beside the newest report, if anything. `awaited`: the submitted revision whose report is not there;
    `is_late`: it was submitted a while ago."""
    problem = Problem.objects.visible_to(user).standing().filter(submission=submission).first()
    if problem is not None and awaited is not None and problem.revision < awaited:
        problem = None
    begun = on_the_way_since(submission, user)
    revision = 0 if problem is None else problem.revision
    is_known = problem is not None or begun is not None
    if begun is None and problem is not None:
        return Standing("failed", is_known, revision, problem.at)
    if begun is None and is_late and awaited is not None:
        return Standing("failed", is_known)
    if begun is not None and timezone.now() - begun > LATE:
        return Standing("late", is_known, revision)
    return None if awaited is None and problem is None else Standing("made", is_known, revision)
