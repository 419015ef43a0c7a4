"""The in-process event bus: publish facts, subscribe to them, lose none.

`publish(event)`, inside `transaction.atomic()`, is the one exit; `@subscribe(EventType, name="app.verb")` on a function
in `<app>/handlers.py`, which `AppConfig.ready()` imports, is the one entrance. docs/events.md says what is guaranteed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventbus.publishing import erase, publish
    from eventbus.subscriptions import NeverRetry, Retry, TryAgain
    from eventbus.tasks import subscribe

__all__ = ["NeverRetry", "Retry", "TryAgain", "erase", "publish", "subscribe"]

_HOMES = {
    "NeverRetry": "eventbus.subscriptions",
    "Retry": "eventbus.subscriptions",
    "TryAgain": "eventbus.subscriptions",
    "erase": "eventbus.publishing",
    "publish": "eventbus.publishing",
    "subscribe": "eventbus.tasks",
}


def __getattr__(name: str) -> Any:
    """Load a public name at its first use: Django imports this package before models may be loaded."""
    if name not in _HOMES:
        raise AttributeError(f"module 'eventbus' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
