"""How many files a process may have open: each socket is one, and 1,024, which many systems give, are soon gone."""

from __future__ import annotations

import resource

ENOUGH = 65_536
"""No process needs more. Some containers allow a thousand million, and there are programs that close each of them."""
FEW = 1_024


def raise_limit() -> None:
    """Take as many as the system allows this process to take by itself, up to ENOUGH. It never lowers what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limits() -> tuple[int, int]:
    """The soft and the hard limit of this process; ENOUGH for a limit that is none."""
    soft, hard = (
        ENOUGH if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return soft, hard
