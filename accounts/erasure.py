"""Erasing an organisation as a whole: the end of a customer.

One transaction does all of it, so that after a crash everything is there or nothing. What is erased is remembered by
its id, which no backup has and no restore forgets: `again` erases what an older backup has brought back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop as _

from accounts.models import Erased, Membership, Organisation, User
from accounts.sessions import SessionStore
from contracts.erasure import Counts, Erasure, Part
from contracts.organisations import OrganisationEvent
from eventbus import publish

log = logging.getLogger(__name__)

_parts: tuple[Part, ...] = ()


def compose(*parts: Part) -> None:
    """Name the apps that keep something of an organisation: they hold in this order, and erase in the opposite one.

    The order of holding is that in which work in flight takes its locks.
    """
    global _parts
    _parts = parts


def preview(organisation: Organisation) -> Counts:
    """What would be erased now."""
    erasure = _erasure_of(organisation)
    counts: Counts = {}
    for part in _parts:
        counts |= part.count(erasure)
    return counts | _count(erasure)


def people_who_go(organisation: UUID) -> QuerySet[User]:
    """Its people who belong to no other organisation, but for staff and superusers: these keep their accounts."""
    elsewhere = Membership.objects.exclude(organisation=organisation).values("user")
    mine = User.objects.filter(memberships__organisation=organisation, is_staff=False, is_superuser=False)
    return mine.exclude(pk__in=elsewhere)


@transaction.atomic
def erase(organisation: UUID, *, by: UUID | None = None) -> Counts:
    """Erase everything that there is of the organisation; gives how much it was. Raises Organisation.DoesNotExist.

    `by`: the superuser who does it; None: a command. Waits for whatever is being written of it at the moment; what
    begins later finds nothing, and what was at work comes to nothing.
    """
    Organisation.objects.get(pk=organisation)
    for part in _parts:
        part.hold(organisation)
    erasure = _erasure_of(Organisation.objects.get(pk=organisation))
    counts: Counts = {}
    for part in reversed(_parts):
        counts |= part.erase(erasure)
    counts |= _erase_people(erasure)
    _remember(erasure, counts, by)
    publish(OrganisationEvent(organisation=organisation))
    transaction.on_commit(partial(_tell, organisation, counts, by))
    return counts


@transaction.atomic
def again() -> tuple[int, int]:
    """Erase once more what was erased before and is there again, out of an older backup; gives how many organisations
    and how many people. People go also where that backup has them as members elsewhere, or as staff."""
    known = dict(Erased.objects.values_list("pk", "kind"))
    back = list(
        Organisation.objects.filter(pk__in=_of_kind(known, Erased.Kind.ORGANISATION)).values_list("pk", flat=True)
    )
    for organisation in back:
        erase(organisation)
    people = User.objects.filter(pk__in=_of_kind(known, Erased.Kind.PERSON))
    addresses = frozenset(people.values_list("email", flat=True))
    # Those who went with their organisation a moment ago are not counted here.
    gone = frozenset(people.values_list("pk", flat=True))
    _forget_history(gone, addresses)
    people.delete()
    return len(back), len(gone)


def in_words(counts: Counts) -> str:
    """The counts on one line, for the log and the trail."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _of_kind(known: dict[UUID, str], kind: str) -> list[UUID]:
    return [pk for pk, found in known.items() if found == kind]


def _erasure_of(organisation: Organisation) -> Erasure:
    people = dict(people_who_go(organisation.pk).values_list("pk", "email"))
    others = EmailAddress.objects.filter(user__in=people).values_list("email", flat=True)
    return Erasure(organisation.pk, frozenset(people), frozenset((*people.values(), *others)))


def _count(erasure: Erasure) -> Counts:
    memberships = Membership.objects.filter(organisation=erasure.organisation)
    return {_("memberships"): memberships.count(), _("people"): len(erasure.people)}


def _erase_people(erasure: Erasure) -> Counts:
    counts = _count(erasure)
    organisation = Organisation.objects.get(pk=erasure.organisation)
    staying = list(organisation.people.exclude(pk__in=erasure.people))
    counts[_("history entries")] = _forget_history({organisation.pk, *erasure.people}, erasure.addresses, organisation)
    counts[_("sessions")] = _end_sessions(erasure)
    User.objects.filter(pk__in=erasure.people).delete()
    organisation.delete()
    for person in staying:
        if not person.memberships.exists():
            person.found_organisation()  # nobody is left without one
    return counts


def _forget_history(ids: Iterable[UUID], addresses: Iterable[str], organisation: Organisation | None = None) -> int:
    """Empty the texts of the administration's history that name these; who did something when stays."""
    quoting = Q(object_id__in=list(map(str, ids)))
    names = list(addresses)
    if organisation is not None:
        names += [f"· {str(organisation.pk)[:8]} ·", f'- {organisation.name}"']
    entries = LogEntry.objects.exclude(object_repr="", change_message="")
    emptied = entries.filter(quoting).update(object_repr="", change_message="")
    for name in names:
        quoted = json.dumps(name)[1:-1]
        found = Q(change_message__contains=quoted) | Q(change_message__contains=name) | Q(object_repr__contains=name)
        emptied += entries.filter(found).update(object_repr="", change_message="")
    return emptied


def _end_sessions(erasure: Erasure) -> int:
    """Delete the sessions that hold one of these people, or an address of theirs: of somebody who is signing up."""
    decode, wanted = SessionStore().decode, {*map(str, erasure.people), *erasure.addresses}
    held = [
        session.session_key
        for session in Session.objects.iterator()
        if any(each in wanted for each in _texts(decode(session.session_data)))
    ]
    return Session.objects.filter(session_key__in=held).delete()[0]


def _texts(value: object) -> Iterable[str]:
    """Every text inside."""
    if isinstance(value, str):
        yield value.lower()
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _remember(erasure: Erasure, counts: Counts, by: UUID | None) -> None:
    rows = [Erased(pk=erasure.organisation, kind=Erased.Kind.ORGANISATION, by=by, counts=counts)]
    rows += [Erased(pk=person, kind=Erased.Kind.PERSON, by=by) for person in erasure.people]
    Erased.objects.bulk_create(rows, ignore_conflicts=True)


def _tell(organisation: UUID, counts: Counts, by: UUID | None) -> None:
    log.warning("organisation %s erased by %s: %s", organisation, by or "a command", in_words(counts))
