"""Check questionnaire files."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from questionnaires.checks import InvalidDefinition, check_file
from questionnaires.definition import Questionnaire, json_schema

MISTAKES = 1
UNREADABLE = 2


class Command(BaseCommand):
    """Needs no database. Exit status 0: all are right, though there may be warnings; 1: mistakes; 2: a file could not
    be read."""

    help = (
        "Check questionnaire files: one line on standard error for each mistake, with file, line and what to do. "
        "A line with “warning:” is advice; a file with nothing else is right."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a questionnaire in YAML")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of the format instead")

    def handle(self, *args: Any, files: list[Path], schema: bool, **options: Any) -> None:
        if schema:
            self.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))
            return
        if not files:
            self.stderr.write(_("Name at least one file, or --schema."))
            sys.exit(UNREADABLE)
        if status := max(self._check(file) for file in files):
            sys.exit(status)

    def _check(self, file: Path) -> int:
        try:
            checked = check_file(file)
        except OSError as error:
            self.stderr.write(
                _("%(file)s: cannot be read: %(why)s.") % {"file": file, "why": error.strerror or str(error)}
            )
            return UNREADABLE
        except InvalidDefinition as error:
            for problem in error.problems:
                self.stderr.write(f"{file}:{problem}")
            return MISTAKES
        for warning in checked.warnings:
            self.stderr.write(f"{file}:" + str(replace(warning, wrong=_("warning: %s") % warning.wrong)))
        self.stdout.write(_summary(file, checked.questionnaire))
        return 0


def _summary(file: Path, questionnaire: Questionnaire) -> str:
    count = len(questionnaire.questions)
    questions = ngettext("%(count)d question", "%(count)d questions", count) % {"count": count}
    return f"{file}: {questionnaire.title} {questionnaire.version}, {questions}, {questionnaire.digest}"
