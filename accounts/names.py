"""Names that people choose: kept readable, and told apart where somebody chooses by them.

Nobody keeps a name unique, and strangers choose theirs. So where an organisation is chosen or named in the
administration its label says, beside the name, what its owner can't choose.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext

from accounts.addresses import readable
from questionnaires.texts import clean_name

if TYPE_CHECKING:
    from accounts.models import Organisation, User

MAX_LENGTH = 120

_SHOWN_CHARACTERS = 40
_SHOWN_WORDS = 8  # the administration cuts its breadcrumbs after 18
_OURS = str.maketrans({"“": "'", "”": "'", "„": "'", "«": "'", "»": "'", '"': "'", "·": "-", "•": "-", "‧": "-"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs by category that show nothing."""
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, and needed to write Persian or an emoji of several signs."""


def isolated(text: str) -> str:
    """The text in a line of other words, with its own direction of writing: U+2068 and U+2069 around it."""
    return f"\u2068{text}\u2069"


def cleaned(name: str) -> str:
    """The name on one line (`questionnaires.texts.clean_name`), and without marks and blanks that nobody sees inside
    it, by which two could look alike. Empty where nothing of it would be seen."""
    kept = "".join(char for char in clean_name(name) if char in _JOINERS or unicodedata.category(char) not in _HIDDEN)
    return clean_name(kept) if any(map(_is_seen, kept)) else ""


_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))


def _is_seen(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CMZ" and char not in _BLANK_LETTERS


def after(person: str, email: str) -> str:
    """What an organisation is called that was given no name."""
    name = cleaned(person)
    wording, part = (gettext("%s's organisation"), name) if name else (gettext("Organisation of %s"), readable(email))
    return wording % part[: MAX_LENGTH - len(wording) + len("%s")]


def of_organisation(organisation: Organisation) -> str:
    """The name in quotes, the start of the id, and since when there is it; with its people where `described()` has
    counted them. Nothing behind the closing quote can come from the name."""
    return " · ".join([_quoted(organisation.name), *particulars(organisation)])


def particulars(organisation: Organisation) -> list[str]:
    """What tells it from others of its name: the start of the id, since when there is it, and its people where
    `described()` has counted them."""
    parts = [str(organisation.pk)[:8]]
    if organisation.created_at:
        parts.append(gettext("since %s") % date_format(localtime(organisation.created_at)))
    people = organisation.people_count
    if people is not None:
        parts.append(ngettext("%d person", "%d people", people) % people)
    if organisation.first_email:
        first = isolated(organisation.first_email)
        confirmed = organisation.first_email_confirmed
        parts.append(gettext("first: %s") % first if confirmed else gettext("first: %s (not confirmed)") % first)
    return parts


def same(one: str, other: str) -> bool:
    """Whether people read both as one name."""
    return (
        cleaned(unicodedata.normalize("NFKC", one)).casefold()
        == cleaned(unicodedata.normalize("NFKC", other)).casefold()
    )


def of_person(user: User) -> str:
    """The address, which is one person's alone, before the name, which anybody may choose."""
    return f"{user.email} · {_quoted(user.name)}" if user.name else user.email


def _quoted(name: str) -> str:
    words = cleaned(name).translate(_OURS).split()
    shown = " ".join(words[:_SHOWN_WORDS])
    if len(words) > _SHOWN_WORDS or len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS].rstrip() + "…"
    return f"“{isolated(shown)}”"
