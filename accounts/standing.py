"""What people belong to, for connections that outlive the request in which it was checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from accounts.models import Membership


def standings_of(people: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The organisations of each of these people. Who holds a connection open closes it when they change."""
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for person, organisation in Membership.objects.filter(user__in=people).values_list("user", "organisation"):
        found[person].add(organisation)
    return {person: frozenset(found[person]) for person in people}
