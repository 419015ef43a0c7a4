"""What a person recognises a session of theirs by: the browser and the kind of machine, and a shortened network."""

from __future__ import annotations

import ipaddress
import re

from django.utils.translation import gettext as _

from accounts import names

MAX_LENGTH = 80
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"(?:Firefox|FxiOS)/"),
    ("Chromium", r"Chromium/"),
    ("Chrome", r"(?:Chrome|CriOS)/"),
    ("Safari", r"Version/\S+ .*Safari/"),
)
"""The first that fits counts: browsers name those that they want to be taken for, too."""
_SYSTEMS = (
    ("Windows", r"Windows"),
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("macOS", r"Mac OS X"),
    ("Linux", r"Linux|X11"),
)


def described(user_agent: str) -> str:
    """As "Firefox on Linux"; the first word of what a program calls itself; empty where it says nothing readable."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    words = names.cleaned(user_agent[:200]).split()
    return (browser or system or (words[0] if words else ""))[:MAX_LENGTH]


def network_of(address: str) -> str:
    """The address without what tells one machine from the next: 203.0.113.x, or the first 48 bits of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network(f"{found}/48", strict=False))
    return f"{str(found).rpartition('.')[0]}.x"


def _first(kinds: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in kinds if re.search(pattern, text)), "")
