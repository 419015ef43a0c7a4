"""Texts that people write or paste: cleaned where that can be done without a loss, refused with what to do where not.

What is meant by a line break becomes one, what nobody can see or type is taken out. So a text is never refused for
something that its writer cannot find. Nothing else is changed: no letter is replaced by another that looks like it
(Unicode normalisation would, in Japanese names).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, TypeAlias

from questionnaires.refusals import InvalidAnswer
from questionnaires.refusals import marked as _

What: TypeAlias = Literal["text", "reason", "note"]

# Word processors put a vertical tab for a soft line break, a form feed for a new page; NEL, LS and PS are Unicode's.
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters, which no keyboard types
    "\ud800-\udfff"  # halves of a character, which no database keeps
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: they turn around what stands after the text
    "\ufdd0-\ufdef\ufff9-\ufffc"  # no characters at all, and places of pictures that were not pasted along
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
# All that is white, and what joins or parts the letters around it: at the ends of a text it means nothing.
_AT_THE_ENDS = (
    " \t\n\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    "\xad\u180e\u200b\u200c\u200d\u2060\ufeff"
)
# Marks of direction and blanks without a width, as they come along when a number or a day is copied.
_FORMATS = re.compile("[\xad\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff]")
# Letters by their category, and yet nothing to see: the fillers of Hangul.
_FILLERS = "\u115f\u1160\u3164\uffa0"
# With them, formats, variation selectors and the empty pattern of Braille, a text can look empty and have a length.
_INVISIBLE = re.compile(
    f"[{_AT_THE_ENDS}{_FILLERS}\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\ufe00-\ufe0f"
    "\U000e0000-\U000e0fff]"
)
_READABLE = frozenset(("Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No"))

_TOO_LONG: dict[What, str] = {
    "text": _("This text is %(length)d characters long, and %(limit)d can be kept. Shorten it by %(over)d."),
    "reason": _(
        "The reason is %(length)d characters long, and %(limit)d can be kept. Shorten it by %(over)d, or move a part "
        "of it into the note."
    ),
    "note": _("The note is %(length)d characters long, and %(limit)d can be kept. Shorten it by %(over)d."),
}


def clean_text(text: str, *, limit: int, what: What = "text") -> str:
    """The text's one spelling; raises InvalidAnswer where it has more characters than the limit.

    Characters are Unicode's code points, counted after cleaning: a line break is one of them, however it was typed.
    """
    text = _without_blank_ends(_UNSEEN.sub("", _LINE_BREAK.sub("\n", text)))
    if (length := len(text)) > limit:
        raise InvalidAnswer(_TOO_LONG[what], length=length, limit=limit, over=length - limit)
    return text


def clean_name(text: str) -> str:
    """The one spelling of a name or title, which stands on one line: of a person, an organisation, a line of reports.

    Line breaks, tabs and runs of blanks become one blank. Whoever keeps it says how long it may be.
    """
    return _without_blank_ends(" ".join(_UNSEEN.sub("", _LINE_BREAK.sub(" ", text)).split()))


def as_seen(text: str) -> str:
    """What somebody sees who wrote a number or a day, without blanks around it."""
    return _FORMATS.sub("", _UNSEEN.sub("", text)).strip()


def is_readable(text: str) -> bool:
    """Whether there is a letter or a digit in it; dashes, pictures and what is invisible tell nobody anything."""
    return any(unicodedata.category(char) in _READABLE and char not in _FILLERS for char in text)


def _without_blank_ends(text: str) -> str:
    return text.strip(_AT_THE_ENDS) if _INVISIBLE.sub("", text) else ""
