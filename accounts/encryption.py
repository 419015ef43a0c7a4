"""Secrets that have to be read back are kept encrypted: whoever gets hold of the database alone can't use them."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class UnreadableError(Exception):
    """It was encrypted with a key that is neither SECRET_KEY nor among SECRET_KEY_FALLBACKS, or is damaged."""


def encrypt(text: str) -> str:
    """Encrypt with the SECRET_KEY of now; the same text never looks the same twice."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Read what `encrypt` wrote, under any of the keys; raises UnreadableError."""
    try:
        return _keys().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise UnreadableError from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    """A key of its own: what SECRET_KEY signs elsewhere tells nothing about it."""
    digest = salted_hmac("accounts.encryption", "", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
