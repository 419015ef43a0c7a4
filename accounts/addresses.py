"""Email addresses in the one form in which they are kept, so that one person can't be two.

What is kept has to reach a mail server: letters outside ASCII are possible behind the @, where the domain has an ASCII
form of its own (punycode), and not before it, for that takes mail servers that agree on SMTPUTF8 all the way, which
Plumbline can't ask of them.
"""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254

_PREFIX = "xn--"
_LABEL_LENGTH = 63


def normalised(address: str) -> str:
    """The address in lower case, with its domain in ASCII; raises ValidationError with what to do about it."""
    _refuse_longer(address)
    address = unicodedata.normalize("NFKC", address.strip()).lower().replace("。", ".")
    mailbox, at, domain = address.rpartition("@")
    if not at:
        validate_email(address)
    if not mailbox.isascii():
        letter = next(char for char in mailbox if not char.isascii())
        message = _(
            "Plumbline can't send mail to an address with “%(letter)s” before the @. Behind it any letter is possible. "
            "Enter another address, or ask your mail provider for one with the letters a to z."
        )
        raise ValidationError(message, code="mailbox_outside_ascii", params={"letter": letter})

    in_ascii = f"{mailbox}@{'.'.join(map(_to_ascii, domain.split('.')))}"
    validate_email(in_ascii)
    # What is kept may be longer than what was typed.
    _refuse_longer(in_ascii)
    return in_ascii


def readable(address: str) -> str:
    """The address as its owner writes it."""
    mailbox, at, domain = address.rpartition("@")
    return f"{mailbox}{at}{'.'.join(map(_from_ascii, domain.split('.')))}"


def _refuse_longer(address: str) -> None:
    if len(address) > MAX_LENGTH:
        message = _("This address is too long: as mail servers write it, it may have %(limit)d characters.")
        raise ValidationError(message, code="too_long", params={"limit": MAX_LENGTH})


def _to_ascii(label: str) -> str:
    if label.isascii():
        return label
    encoded = _PREFIX + label.encode("punycode").decode()
    if len(encoded) > _LABEL_LENGTH or not all(unicodedata.category(char)[0] in "LMN" or char == "-" for char in label):
        raise ValidationError(validate_email.message, code="invalid")
    return encoded


def _from_ascii(label: str) -> str:
    if not label.startswith(_PREFIX):
        return label
    try:
        decoded = label.removeprefix(_PREFIX).encode().decode("punycode")
        return decoded if _to_ascii(unicodedata.normalize("NFKC", decoded).lower()) == label else label
    except (UnicodeError, ValidationError):
        return label
