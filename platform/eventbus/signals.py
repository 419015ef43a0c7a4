"""Signals of the bus. A signal is transport only: what a module does about an event belongs into a subscriber."""

from django.dispatch import Signal

published = Signal()
"""An event was stored, in a transaction that may still roll back.

Sender: the event's class. Arguments: `event` (the fact with its ids filled in) and `wakeups` (a Wakeup per subscriber).
A receiver that raises rolls the publisher back."""

payload_read = Signal()
"""Somebody is about to see an event's payload in the administration.

Sender: `Event`. Arguments: `event` (its row) and `person`. Where a receiver raises, the payload is not shown."""

operated = Signal()
"""A command that operated the bus is about to end, and with it this process's counters. Sender: the command's class."""

swept = Signal()
"""A worker's sweeper has looked through all that is due. Sender: `Sweeper`. A receiver has to be quick."""
