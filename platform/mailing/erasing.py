"""Erasing an organisation: the mails that wait for its people, with their events. Those that have ended name nobody."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop as _

from contracts.erasure import Counts, Erasure
from eventbus import erase as erase_events
from mailing.models import Mail, MailQuerySet


def hold(organisation: UUID) -> None:
    """Nothing: a mail is about a person, and waits for nobody. One that is being sent at the moment can't be called
    back."""


def count(erasure: Erasure) -> Counts:
    """The mails that wait for these people."""
    return {_("mails"): _waiting_for(erasure).count()}


def erase(erasure: Erasure) -> Counts:
    """Delete them, and empty their events."""
    ids = [*_waiting_for(erasure).values_list("pk", flat=True)]
    for each in ids:
        erase_events(str(each))
    Mail.objects.filter(pk__in=ids).delete()
    return {_("mails"): len(ids)}


def _waiting_for(erasure: Erasure) -> MailQuerySet:
    return Mail.objects.waiting().filter(recipient__in=erasure.addresses)
