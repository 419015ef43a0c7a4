"""Publishes many events at once."""

from __future__ import annotations

import json
import random
from argparse import ArgumentParser
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand
from django.db import transaction

import eventbus
from contracts import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef
from contracts.answers import AnswerState
from questionnaires import library

AT_ONCE = 50
"""Events a transaction."""


class Command(BaseCommand):
    """Publish `--events` events of `--submissions` submissions, revision by revision; the last of each is submitted.

    Prints a JSON document for each one that has committed: submission, revision, answers, and whether it is final.
    """

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", type=UUID)
        parser.add_argument("--events", type=int, default=1000)
        parser.add_argument("--submissions", type=int, default=50)
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        dice = random.Random(options["seed"])
        questionnaire = library.current("quick-check")
        reference = QuestionnaireRef(
            slug=questionnaire.slug, version=questionnaire.version, digest=questionnaire.digest
        )
        lines = [uuid4() for _ in range(options["submissions"])]
        last = options["events"] // len(lines)
        facts: list[AnswerEvent] = []
        for revision in range(1, last + 1):
            for line in lines:
                values = {f"QC-{number:02}": GivenAnswer(value=dice.choice("NPLF")) for number in range(1, 13)}
                snapshot = AnswerSnapshot(
                    submission=line,
                    organisation=options["organisation"],
                    questionnaire=reference,
                    revision=revision,
                    values=values,
                )
                facts.append(AnswerEvent(answer=snapshot, state=_state(revision, last)))
        for first in range(0, len(facts), AT_ONCE):
            self._publish(facts[first : first + AT_ONCE])

    def _publish(self, facts: list[AnswerEvent]) -> None:
        with transaction.atomic():
            for fact in facts:
                eventbus.publish(fact)
        for fact in facts:
            document = {
                "submission": str(fact.answer.submission),
                "revision": fact.answer.revision,
                "answers": {question: given.value for question, given in fact.answer.values.items()},
                "final": fact.state == "submitted",
            }
            self.stdout.write(json.dumps(document))
        self.stdout.flush()


def _state(revision: int, last: int) -> AnswerState:
    if revision == last or revision % 10 == 0:
        return "submitted"
    return "new" if revision == 1 else "changed"
