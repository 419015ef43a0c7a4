"""Django's outbox of tests, in which a mail is as soon as somebody looks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.mail import EmailMessage

from eventbus.deliveries import drain
from eventbus.subscriptions import registry

SENDER = "mailing.send"


class Outbox(list[EmailMessage]):
    """Lets the worker's part be done whenever it is read."""

    def __init__(self, may_deliver: bool) -> None:
        super().__init__()
        self._may_deliver = may_deliver

    def deliver(self) -> None:
        """Send what waits, in this thread."""
        if SENDER in registry and self._may_deliver:
            drain(SENDER)

    def __len__(self) -> int:
        self.deliver()
        return super().__len__()

    def __iter__(self) -> Iterator[EmailMessage]:
        self.deliver()
        return super().__iter__()

    def __getitem__(self, place: Any) -> Any:
        self.deliver()
        return super().__getitem__(place)

    def __eq__(self, other: object) -> bool:
        self.deliver()
        return super().__eq__(other)

    __hash__ = None
