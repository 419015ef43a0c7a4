"""What this app tells others."""

from __future__ import annotations

from django.dispatch import Signal

organisation_erased = Signal()
"""An organisation was erased; arguments: `organisation`, its id. Sent after the commit, and not repeated after a crash:
for what makes no difference to the data, such as closing sockets."""
