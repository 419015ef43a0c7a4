"""The one way in which Plumbline writes to people."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from contracts.mails import MailEvent
from eventbus import publish
from mailing.models import Mail

NOTICE = timedelta(days=1)
"""How long a mail without a code is of use."""


def post(recipient: str, subject: str, text: str, *, kind: str, of_use_for: timedelta = NOTICE) -> UUID:
    """Let a mail be sent; gives its id. Nothing here waits for a mail server.

    The row and its event are stored in the caller's transaction, else in one of their own: once that has committed, a
    worker tries to send the mail until it is `of_use` no longer. It may arrive twice where a worker is killed.
    """
    with transaction.atomic():
        mail = Mail.objects.create(
            kind=kind, recipient=recipient, subject=subject, text=text, expires_at=Now() + of_use_for
        )
        publish(MailEvent(mail=mail.pk))
    return mail.pk
