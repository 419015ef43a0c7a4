"""How an answer is refused: in a sentence that can be translated and followed."""

from __future__ import annotations


class InvalidAnswer(ValueError):
    """An answer that the question does not take. `str()` is a sentence for the person who gave it.

    `gettext(error.message) % error.params` is the same sentence in the language of the page.
    """

    def __init__(self, message: str, **params: object) -> None:
        self.message = message
        self.params = params
        super().__init__(message % params if params else message)


def marked(message: str) -> str:
    """Mark a message for the translators. Django's own gettext would make the scoring engine depend on Django."""
    return message
