"""Evaluate an answers file, without a database."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from questionnaires.checks import InvalidDefinition
from questionnaires.definition import Questionnaire
from questionnaires.library import built_in, built_in_slugs, from_file
from security.answers_file import RefusedAnswers, read_answers
from security.scoring import Evaluation, canonical_json, compare, evaluate

REFUSED = 2
"""The exit status where the input can't be used."""


class Command(BaseCommand):
    """Standard output holds nothing but the canonical JSON; each mistake is one line on standard error."""

    help = "Evaluate an answers file and print the evaluation as canonical JSON. Needs no database and no settings."
    # A check may ask for a database or a secret key, and neither is needed here.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("questionnaire", help="slug of a built-in questionnaire, or path of a definition file")
        parser.add_argument("answers", type=Path, help='JSON file of answers by question id: {"QC-01": "F"}')
        parser.add_argument(
            "--previous", type=Path, metavar="ANSWERS", help="earlier answers, to say what changed since"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mistakes: list[str] = []
        questionnaire = find_questionnaire(options["questionnaire"], mistakes)
        current = evaluate_file(questionnaire, options["answers"], mistakes)
        previous = evaluate_file(questionnaire, options["previous"], mistakes)
        for mistake in mistakes:
            self.stderr.write(" ".join(mistake.split()))
        if mistakes or current is None:
            sys.exit(REFUSED)
        self._print(canonical_json(current.to_document(compare(previous, current) if previous else None)))

    def _print(self, text: str) -> None:
        """Write UTF-8 whatever the terminal's encoding is: the same input gives the same bytes everywhere."""
        binary = getattr(self.stdout, "buffer", None)
        if binary is None:
            self.stdout.write(text, ending="")
        else:
            binary.write(text.encode())


def find_questionnaire(name: str, mistakes: list[str]) -> Questionnaire | None:
    """The built-in questionnaire with this slug, else the one in this file; None where mistakes were added."""
    known = built_in_slugs()
    if name in known:
        return built_in(name)
    if not Path(name).exists():
        mistakes.append(
            _("%(name)s: there is no such file, and no built-in questionnaire of this name. Built in: %(known)s.")
            % {"name": name, "known": ", ".join(known)}
        )
        return None
    try:
        return from_file(name)
    except OSError as error:
        mistakes.append(_("%(name)s: This file cannot be read: %(why)s.") % {"name": name, "why": error.strerror})
    except InvalidDefinition as error:
        mistakes += [f"{name}:{problem}" for problem in error.problems]
    return None


def evaluate_file(questionnaire: Questionnaire | None, path: Path | None, mistakes: list[str]) -> Evaluation | None:
    """Evaluate the answers in this file; None where there is none, or where mistakes were added."""
    if questionnaire is None or path is None:
        return None
    try:
        return evaluate(questionnaire, read_answers(path, questionnaire))
    except RefusedAnswers as refusal:
        mistakes += refusal.mistakes
    return None
