"""Which form to write of what processes of two versions have to read: cookies, password hashes, later events.

The rule (ADR 34): a version reads the old form and the new one, and writes the old one until every process that runs
can read the new one. So an upgrade replaces processes one by one, and each side can read what the other wrote.

    if rolling.all_read("0.3.0"):
        write the form that came with 0.3.0
    else:
        write the form of the version before

`operations.versions` looks who runs, in the thread of the heartbeat, and tells it here: asking costs a comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Release = tuple[int, int, int]
UNKNOWN: Release = (0, 0, 0)
"""Processes before 0.3.0 do not say their version; each version is newer than theirs."""
_NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")

_oldest = UNKNOWN


def release(version: str) -> Release:
    """The numbers of a version, by which versions are compared: those of "0.3.0.dev0" and of "0.3.0" are the same, for
    a version's forms are in its development builds, too. UNKNOWN for a text that is no version."""
    found = _NUMBERS.match(version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else UNKNOWN


def all_read(since: str) -> bool:
    """Whether each process that runs is of version `since` or newer, and so reads the forms that came with it.

    False until this process has looked, in commands, which do not look, and while an operator holds new forms back
    (WRITE_OLD_FORMS). A process counts for 60 seconds after it was heard last. A process that is started later and is
    older can't read what was written in the new form until then: see docs/deployment.md, "Going back".
    """
    return _oldest >= release(since)


def heard(versions: Iterable[str]) -> None:
    """Remember the versions of all processes that run, this one among them; of none, nothing is known."""
    global _oldest
    _oldest = min(map(release, versions), default=UNKNOWN)
