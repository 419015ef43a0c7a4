"""How much larger the database is for one changed radio of a full draft; prints one line of JSON. Run by growth.py in a
process of its own, for each database."""

from __future__ import annotations

import json
import random
import string
import sys
from typing import Any

import django

SAVES = 100
SETTLED = 3
"""Saves before anything is measured: by then every row that is written over is there in its full size."""

VALUES = {"nplf": "L", "yes_no": "yes", "text": "t"}
OF_TABLES = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def main() -> None:
    """Fill a draft, change one radio again and again, and weigh the database in between."""
    django.setup()
    from django.core.management import call_command

    from accounts.models import Organisation, User
    from answers.submissions import start
    from eventbus.superseded import empty_all

    call_command("migrate", verbosity=0)
    call_command("load_questionnaires", verbosity=0)
    alice = User.objects.create_user("alice@example.test", organisation=Organisation.objects.create(name="Acme"))
    draft = start(alice, "quick-check")
    fill(draft, alice)
    for turn in range(SETTLED):
        change(draft, alice, turn)
    empty_all()
    before = weight()
    for turn in range(SAVES):
        change(draft, alice, turn + SETTLED)
    whole = weight()
    empty_all()
    emptied = weight()
    found = {"stored": whole - before, "emptied": emptied - before}
    per_save = {name: round(size / SAVES / 1024, 2) for name, size in found.items()}
    sys.stdout.write(json.dumps({**per_save, "saves": SAVES}) + "\n")


def fill(draft: Any, person: Any) -> None:
    """Every question answered, each with a note of the longest that is taken: of letters that no database presses."""
    from answers.models import MAX_NOTE
    from answers.saving import Change, save_answers
    from eventbus.deliveries import drain_all

    dice = random.Random(1)  # noqa: S311  (the same notes on both databases)
    changes = [
        Change(
            question=question.id,
            value=VALUES.get(question.kind) or question.choices[0].id,
            note="".join(dice.choices(string.ascii_letters, k=MAX_NOTE)),
        )
        for question in draft.questionnaire.questions
    ]
    save_answers(draft.pk, person, changes)
    drain_all()


def change(draft: Any, person: Any, turn: int) -> None:
    """Choose another radio of one question, and let everything be delivered."""
    from answers.models import Answer
    from answers.saving import Change, save_answers
    from eventbus.deliveries import drain_all

    answer = Answer.objects.get(submission=draft.pk, question="QC-06")
    value = "NPLF"[turn % 4]
    save_answers(draft.pk, person, [Change(question="QC-06", value=value, base_version=answer.version)])
    drain_all()


def weight() -> int:
    """Bytes of the whole database after a vacuum."""
    from django.db import connection

    if connection.vendor == "sqlite":
        statements = ("VACUUM", "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    else:
        statements = ("VACUUM FULL", OF_TABLES)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
