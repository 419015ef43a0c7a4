"""Positions as clients keep them: one text for the feeds of all organisations that a person sees."""

from __future__ import annotations

from uuid import UUID

from django.core import signing
from django.utils.translation import gettext as _

from api.refusals import Refusal
from reports.following import Positions


def encode(positions: Positions) -> str:
    """The positions as one text, which only we can make."""
    return _signer().sign_object({organisation.hex: position for organisation, position in positions.items()})


def decode(text: str) -> Positions:
    """What `encode` was given; raises a Refusal for any other text."""
    try:
        found = _signer().unsign_object(text)
    # Half a surrogate pair has no bytes that could be signed.
    except (signing.BadSignature, UnicodeEncodeError):
        raise Refusal("BAD_POSITION", _("“after” is not a position.")) from None
    return {UUID(hex=organisation): position for organisation, position in found.items()}


def _signer() -> signing.Signer:
    return signing.Signer(salt="reports.position")
