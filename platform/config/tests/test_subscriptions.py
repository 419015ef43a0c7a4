"""What the product's subscriptions have to have in common."""

from __future__ import annotations

from eventbus.subscriptions import registry
from eventbus.sweeper import Sweeper


def test_what_a_killed_worker_held_is_taken_up_again_within_fifteen_seconds() -> None:
    """Its lease has to run out, and a sweep has to come. A call to the outside may need longer than that to end."""
    ordinary = {name: subscription for name, subscription in registry.items() if not subscription.outside}
    slow = {name for name, subscription in ordinary.items() if subscription.timeout + Sweeper().interval > 12}
    assert slow == set()
    assert {name for name, subscription in registry.items() if subscription.timeout > 60} == set()
