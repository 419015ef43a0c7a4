"""What only the fault tests have inside the product's processes."""

from __future__ import annotations

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "tests.faults.app"
    label = "faults"

    def ready(self) -> None:
        """Connect the failpoint and the subscribers."""
        from tests.faults.app import failpoint, handlers  # noqa: F401  (importing handlers subscribes them)

        failpoint.connect()
