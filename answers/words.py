"""Answers in words, on the pages that ask for them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from pydantic import JsonValue

from questionnaires.definition import Question
from questionnaires.words import answer_in_words, reason_of


def describe(question: Question, value: JsonValue) -> str:
    """An answer on one line, with the reason where it does not apply."""
    words = answer_in_words(question, value)
    if reason := reason_of(value):
        return _("%(answer)s: %(reason)s") % {"answer": words, "reason": reason}
    return words
