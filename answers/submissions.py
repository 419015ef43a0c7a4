"""The life of a submission: started, submitted, reopened, thrown away. Each step is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import eventbus
from accounts.models import Organisation
from answers import lines, outcomes
from answers.events import event_of
from answers.models import Line, Submission
from answers.statements import lock
from questionnaires import library
from questionnaires.answers import needed_to_submit
from questionnaires.definition import Question
from throttling import buckets

if TYPE_CHECKING:
    from accounts.models import User


class Incomplete(Exception):
    """Submitting was refused; `open` holds the questions that need an answer, in order."""

    def __init__(self, open_questions: tuple[Question, ...]) -> None:
        self.open = open_questions
        super().__init__(", ".join(question.id for question in open_questions))


class NotDeletable(Exception):
    """What was submitted once is kept."""


class OrganisationNeeded(Exception):
    """The person belongs to several organisations, and did not say for which one."""


class TooManyDrafts(Exception):
    """The organisation has as many drafts as it may have; `str()` tells the person what to do."""


def start(
    user: User,
    slug: str,
    *,
    organisation: Organisation | None = None,
    line: UUID | None = None,
    name: str | None = None,
) -> Submission:
    """Begin a draft of the edition offered now; the person's own untouched one of the same line is given again.

    `line` is one of the organisation's lines, `name` that of one, which is made where there is none. Without either it
    is the organisation's only line, else a new one with a name that is free.

    Raises UnknownQuestionnaire, Line.DoesNotExist, InvalidName, OrganisationNeeded, TooManyDrafts, Throttled, and
    Organisation.DoesNotExist where the person belongs to none, or not to this one.
    """
    buckets.demand("start-person", user.pk)
    return _start(user, slug, organisation, line, name)


@transaction.atomic
def _start(user: User, slug: str, organisation: Organisation | None, line: UUID | None, name: str | None) -> Submission:
    questionnaire = library.current(slug)
    # Two clicks at once: the second waits here and then finds the first one's draft.
    organisation = _hold(user, organisation.pk if organisation else _organisation_of(user, line))
    submission, is_new = Submission.objects.get_or_create(
        organisation=organisation,
        created_by=user,
        line=_line(user, organisation, slug, line, name),
        questionnaire_slug=questionnaire.slug,
        questionnaire_version=questionnaire.version,
        questionnaire_digest=questionnaire.digest,
        revision=0,
    )
    if is_new:
        _refuse_too_many(organisation)
    return submission


def _refuse_too_many(organisation: Organisation) -> None:
    """Raise TooManyDrafts where there is one more than there may be; its transaction takes that one back."""
    drafts = Submission.objects.filter(organisation=organisation, state=Submission.State.DRAFT)
    if drafts.order_by()[: settings.MAX_DRAFTS + 1].count() > settings.MAX_DRAFTS:
        message = _(
            "Your organisation has %(limit)d drafts, and that is the most that it may have. Submit or delete one, then "
            "start again."
        )
        raise TooManyDrafts(message % {"limit": settings.MAX_DRAFTS})


def _organisation_of(user: User, line: UUID | None) -> UUID:
    """The organisation of the line, else the person's only one."""
    if line is not None:
        return Line.objects.visible_to(user).get(pk=line).organisation_id
    mine = list(Organisation.objects.filter(memberships__user=user).values_list("pk", flat=True)[:2])
    if not mine:
        raise Organisation.DoesNotExist
    if len(mine) > 1:
        raise OrganisationNeeded
    return mine[0]


def _hold(user: User, organisation: UUID) -> Organisation:
    """The organisation, in which nobody else starts, renames or deletes until the transaction ends."""
    mine = Organisation.objects.filter(memberships__user=user)
    return mine.select_for_update(of=("self",), no_key=True).get(pk=organisation)


def _line(user: User, organisation: Organisation, slug: str, line: UUID | None, name: str | None) -> Line:
    if line is not None and name is not None:
        raise lines.InvalidName(_("Choose one that is there or give the name of a new one, not both."))
    if line is not None:
        return Line.objects.get(pk=line, organisation=organisation, questionnaire_slug=slug)
    if name is not None:
        return lines.named(organisation, slug, name)
    found = lines.existing(organisation, slug)
    if len(found) > 1:
        return _just_made(user, found) or lines.make_another(organisation, slug, found)
    return found[0] if found else lines.make_first(organisation, slug)


def _just_made(user: User, found: list[Line]) -> Line | None:
    """The line that the person's click before this one made, and in which nothing was done yet."""
    name = lines.free_name({line.name for line in found[:-1]})
    newest = found[-1]
    inside = list(newest.submissions.values_list("created_by", "revision")[:2])
    return newest if newest.name == name and inside == [(user.pk, 0)] else None


def submit(submission_id: UUID, user: User) -> Submission:
    """Hand the answers in; raises Incomplete and Throttled.

    Where they are the same as the last time and their report exists or is on its way, it is only closed again.
    """
    buckets.demand("submit-person", user.pk)
    return _submit(submission_id, user)


@transaction.atomic
def _submit(submission_id: UUID, user: User) -> Submission:
    submission = lock(submission_id, user)
    is_new = submission.revision != submission.submitted_revision or _is_lost(submission)
    if submission.is_submitted and not is_new:
        return submission
    if missing := needed_to_submit(submission.questionnaire, submission.values):
        raise Incomplete(missing)

    submission.state = Submission.State.SUBMITTED
    if is_new:
        _hand_in(submission, user)
    submission.save()
    return submission


def try_again(submission_id: UUID, user: User) -> bool:
    """Have the answers evaluated once more where that came to nothing; False where there is a result, or one is on its
    way. What is submitted stays so. It counts as submitting: raises Throttled."""
    buckets.demand("submit-person", user.pk)
    return _try_again(submission_id, user)


@transaction.atomic
def _try_again(submission_id: UUID, user: User) -> bool:
    submission = lock(submission_id, user)
    if not submission.revision or not _is_lost(submission):
        return False

    if submission.is_submitted:
        _hand_in(submission, user)
    else:
        submission.revision += 1
        eventbus.publish(event_of(submission, "changed", submission.answers.all()))
    submission.save()
    return True


def _is_lost(submission: Submission) -> bool:
    return outcomes.came_to_nothing(submission.pk, submission.revision)


def _hand_in(submission: Submission, user: User) -> None:
    submission.revision += 1
    submission.submitted_revision = submission.revision
    submission.submitted_at = timezone.now()
    submission.submitted_by = user
    submission.first_submitted_at = submission.first_submitted_at or submission.submitted_at
    eventbus.publish(event_of(submission, "submitted", submission.answers.all()))


@transaction.atomic
def reopen(submission_id: UUID, user: User) -> Submission:
    """Make a submitted one a draft again. Nothing is published: its report stands until the next save."""
    submission = lock(submission_id, user)
    if submission.is_submitted:
        submission.state = Submission.State.DRAFT
        submission.save(update_fields=["state", "updated_at"])
    return submission


@transaction.atomic
def delete_draft(submission_id: UUID, user: User) -> None:
    """Throw a draft away, its answers, its events' contents, its provisional report, and its line where that is empty
    then; raises NotDeletable."""
    _hold(user, Submission.objects.visible_to(user).get(pk=submission_id).organisation_id)
    submission = lock(submission_id, user)
    if not submission.can_be_deleted:
        raise NotDeletable

    eventbus.erase(str(submission.pk))
    submission.revision += 1
    eventbus.publish(event_of(submission, "deleted", (), line_name=""))
    line = submission.line
    submission.delete()
    if not line.submissions.exists():
        line.delete()
