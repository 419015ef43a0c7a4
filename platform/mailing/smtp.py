"""Django's way to a mail server, with an end: each answer may take its time, and all of them together theirs."""

from __future__ import annotations

import smtplib
from time import monotonic
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

WHOLE_SECONDS = 30.0
"""The longest that the dialogue about one mail may take. It is less than the lease of its delivery: otherwise a slow
server would get the same mail again and again."""


class _Punctual(smtplib.SMTP):
    """Waits for an answer no longer than is left for the whole dialogue."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._end = monotonic() + WHOLE_SECONDS
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        """Read the server's next answer; raises TimeoutError, or SMTPServerDisconnected, once the time is over."""
        left = self._end - monotonic()
        if left <= 0:
            self.close()
            raise TimeoutError("the mail server takes too long")
        if self.sock is not None:
            self.sock.settimeout(min(left, self.sock.gettimeout() or left))
        return super().getreply()


class _PunctualOverTls(_Punctual, smtplib.SMTP_SSL):
    """The same, encrypted from the beginning."""


class PunctualBackend(EmailBackend):
    """Sends by SMTP. EMAIL_TIMEOUT holds for each answer, WHOLE_SECONDS for all of them."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _PunctualOverTls if self.use_ssl else _Punctual
