"""How people tell the tests' subscriber what to do. Apart from it, for importing a subscriber subscribes it."""

POISON = "poison:"
"""A note that begins so makes the event poisonous for `faults.taste`; then comes how: raises, hangs or kills."""
