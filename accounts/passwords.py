"""A rule for new passwords beside Django's: not the words that stand on every page of this installation.

NIST SP 800-63B-4, section 3.1.1.2: a verifier compares new passwords with a list of those that are expected, of
"context-specific words, such as the name of the service, the username, and derivatives thereof". Django's own
validators do that for common passwords and for what the person is called.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PRODUCT = "Plumbline"
SHORTEST = 6
"""Letters and digits that have to be left of a password without these words."""
_SHORTEST_WORD = 4
"""Shorter words, such as "www" or "Ltd", are part of too many others."""


class NotOfThisInstallation:
    """Refuses a password of the product's name, the host's or an organisation's of the person, with little beside."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError with the word that is too easy to guess."""
        words = {_plain(word): word for word in (PRODUCT, *_of_the_host(), *_of_organisations(user))}
        left, found = _plain(password), ""
        for plain, word in sorted(words.items(), key=lambda each: -len(each[0])):
            if len(plain) >= _SHORTEST_WORD and plain in left:
                left, found = left.replace(plain, ""), found or word
        if found and len(left) < SHORTEST:
            message = _("This password is little more than “%(word)s”, which everybody tries first. Add other words.")
            raise ValidationError(message, code="password_of_this_installation", params={"word": found})

    def get_help_text(self) -> str:
        """For forms that list all rules."""
        return _("Your password can't be the name of this product, of its address or of your organisation.")


def _of_the_host() -> list[str]:
    host = urlsplit(settings.BASE_URL).hostname or ""
    return [host, *host.split(".")[:-1]]


def _of_organisations(user: Any) -> list[str]:
    """The names, and their words: of those that the person belongs to, and of one that they are signing up with."""
    names = list(getattr(user, "names_of_organisations", ()))
    if user is not None and not user._state.adding:
        names += user.organisations.values_list("name", flat=True)
    return [part for name in names for part in (name, *name.split())]


_LOOK_ALIKES = str.maketrans("0134578@$!", "oleastbasi")


def _plain(text: str) -> str:
    """Letters and digits without case, accents and the usual disguises: “P1umbl!ne” is “plumbline”."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return re.sub(r"[\W_]", "", bare.casefold().translate(_LOOK_ALIKES))
