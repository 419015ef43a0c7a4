"""Lookup of definitions: the built-in ones from files, all of them from the database by digest."""

from __future__ import annotations

from questionnaires.definition import Questionnaire


class UnknownQuestionnaire(LookupError):
    """No such definition."""


def by_digest(digest: str) -> Questionnaire:
    """The definition with this digest; cached in the process, for it never changes. Raises UnknownQuestionnaire."""
    raise NotImplementedError


def current(slug: str) -> Questionnaire:
    """The newest edition of a line that is offered to people. Raises UnknownQuestionnaire."""
    raise NotImplementedError


def offered() -> list[Questionnaire]:
    """What people can start now, one edition a line, by title."""
    raise NotImplementedError
