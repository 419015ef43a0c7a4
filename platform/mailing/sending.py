"""Handing one mail to the mail server, and what its answers mean."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from eventbus import TryAgain
from mailing.models import Mail

PERMANENT = 500
"""From this reply code on the server asks not to be tried again (RFC 5321, section 4.2.1)."""


class Refused(Exception):
    """The mail server will never take this mail. The message says why, without the address."""


def hand_over(mail: Mail, key: str) -> None:
    """Give the mail to the mail server, or to what is in its place.

    Raises Refused where the server does not want this recipient or this text for good, and TryAgain with what to do for
    everything else. With the same `key` it is the same mail to receivers that look at the Message-ID.
    """
    try:
        _message(mail, key).send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        _refuse("the mail server refuses the recipient", min(codes, default=PERMANENT), error)
    except smtplib.SMTPDataError as error:
        _refuse("the mail server refuses the mail", error.smtp_code, error)
    except smtplib.SMTPResponseException as error:
        raise TryAgain(
            f"the mail server refuses Plumbline (reply {error.smtp_code}): check EMAIL_URL and DEFAULT_FROM_EMAIL"
        ) from error
    except OSError as error:
        # Python's client says of every end that the server has disconnected, also where its own patience was over.
        kind = type(error.__context__ or error).__name__
        raise TryAgain(
            f"the mail could not be handed over ({kind}): check the mail server and EMAIL_URL or, "
            "without one, the folder of mails"
        ) from error


def _message(mail: Mail, key: str) -> EmailMessage:
    _name, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    headers = {
        "Message-ID": f"<{key}@{sender.rpartition('@')[2] or 'plumbline'}>",
        # So that no holiday note answers it (RFC 3834, section 5).
        "Auto-Submitted": "auto-generated",
    }
    return EmailMessage(mail.subject, mail.text, to=[mail.recipient], headers=headers)


def _refuse(what: str, code: int, error: smtplib.SMTPException) -> None:
    if code >= PERMANENT:
        raise Refused(f"{what} (reply {code})") from error
    raise TryAgain(f"{what} for now (reply {code}): it is tried again") from error
