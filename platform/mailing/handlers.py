"""Sending what waits, in threads that have nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db.models import F

from contracts.mails import MailEvent
from eventbus import Retry, subscribe
from mailing.models import Mail, State
from mailing.sending import Refused, hand_over

RETRY = Retry(max_attempts=1000, max_age=timedelta(days=2), base=2.0, cap=300.0)
"""The mail's own end comes first: a code's after minutes, a notice's after a day."""


def give_up(event: MailEvent) -> None:
    """Empty a mail that nobody will try to send again."""
    Mail.objects.waiting().filter(pk=event.mail).end(State.DEAD, "its delivery was given up")


@subscribe(MailEvent, name="mailing.send", queue="mail", outside=True, timeout=60.0, retry=RETRY, on_dead=give_up)
def send(event: MailEvent, key: str) -> Callable[[], int] | None:
    """Hand the mail over, once more where nobody knows whether the last try came through. What has expired is not sent,
    and of what has ended, or is in no table, nothing is left to do."""
    mails = Mail.objects.filter(pk=event.mail)
    mail = mails.of_use().first()
    if mail is None:
        return mails.outlived().expire
    mails.update(tries=F("tries") + 1)
    try:
        hand_over(mail, key)
    except Refused as refusal:
        return partial(mails.end, State.DEAD, str(refusal))
    return partial(mails.end, State.SENT)
