"""Lines: what an organisation assesses again and again, so that next year's report is compared with this year's."""

from __future__ import annotations

import unicodedata
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

import eventbus
from accounts.models import Organisation
from accounts.names import cleaned
from answers.events import event_of
from answers.models import MAX_LINE_NAME, Line, Submission
from contracts.lines import first_line
from questionnaires.texts import is_readable
from throttling import buckets

if TYPE_CHECKING:
    from accounts.models import User


class InvalidName(ValueError):
    """A name that a line can't have; `str()` is a sentence for the person who gave it."""


def clean_name(name: str) -> str:
    """Give the name's one spelling; raises InvalidName."""
    name = unicodedata.normalize("NFC", cleaned(name))
    if not name:
        raise InvalidName(_("Enter a name."))
    if not is_readable(name):
        raise InvalidName(_("Enter a name with a letter or a digit, for example “Shop Linz”."))
    if (over := len(name) - MAX_LINE_NAME) > 0:
        message = _("The name is %(length)d characters long, and %(limit)d can be kept. Shorten it by %(over)d.")
        raise InvalidName(message % {"length": len(name), "limit": MAX_LINE_NAME, "over": over})
    return name


def existing(organisation: Organisation, slug: str) -> list[Line]:
    """The organisation's lines of a questionnaire, the oldest first."""
    return list(Line.objects.filter(organisation=organisation, questionnaire_slug=slug).oldest_first())


def make_first(organisation: Organisation, slug: str) -> Line:
    """The line that an organisation has before anybody asked for another."""
    return Line.objects.create(pk=first_line(organisation.pk, slug), organisation=organisation, questionnaire_slug=slug)


def make_another(organisation: Organisation, slug: str, lines: list[Line]) -> Line:
    """A further line, with a name that none of these has."""
    name = free_name({line.name for line in lines})
    return Line.objects.create(organisation=organisation, questionnaire_slug=slug, name=name)


def named(organisation: Organisation, slug: str, name: str) -> Line:
    """The line of this name, made where there is none yet; raises InvalidName."""
    lines = Line.objects.filter(organisation=organisation, questionnaire_slug=slug)
    return lines.get_or_create(
        name=clean_name(name), defaults={"organisation": organisation, "questionnaire_slug": slug}
    )[0]


def free_name(taken: set[str]) -> str:
    """The name of a line that nobody has named: the second is called "2"."""
    return next(name for number in count(2) if (name := str(number)) not in taken)


def rename(line_id: UUID, user: User, name: str) -> Line:
    """Give a line another name. The reports of its drafts follow; what is final keeps the name that it was made with.

    It counts as a save of the person, and for the organisation as one of each draft that has a report. Raises
    Line.DoesNotExist, InvalidName and Throttled.
    """
    buckets.demand("save-person", user.pk)
    return _rename(line_id, user, name)


@transaction.atomic
def _rename(line_id: UUID, user: User, name: str) -> Line:
    mine = Line.objects.visible_to(user).select_related("organisation")
    name, organisation = clean_name(name), mine.get(pk=line_id).organisation_id
    # Nobody else starts, renames or deletes in the organisation until this is done.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation)
    line = mine.get(pk=line_id)
    if name == line.name:
        return line
    if any(other.name == name for other in existing(line.organisation, line.questionnaire_slug)):
        raise InvalidName(_("There is another one of this name."))
    line.name = name
    line.save(update_fields=["name"])
    for draft in line.submissions.filter(state=Submission.State.DRAFT).select_for_update().order_by("pk"):
        if draft.has_unsubmitted_answers:
            buckets.charge("save-organisation", organisation, 1)
            _tell(draft, name)
    return line


def _tell(draft: Submission, name: str) -> None:
    """Have the draft's report made once more, with the new name."""
    draft.revision += 1
    draft.save(update_fields=["revision"])
    eventbus.publish(event_of(draft, "changed", draft.answers.all(), line_name=name))
