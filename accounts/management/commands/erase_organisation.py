"""`manage.py erase_organisation ID`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts import erasure, names
from accounts.models import Organisation


class Command(BaseCommand):
    """Thin: the work is in `accounts.erasure`."""

    help = "Erase an organisation with all that it has: answers, reports, events, and people who belong to no other."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "id", type=UUID, metavar="ID", help="the organisation's id, as its page in the administration shows it"
        )
        parser.add_argument("--dry-run", action="store_true", help="count what would go, and erase nothing")
        parser.add_argument("--name", help="the organisation's name, instead of typing it when asked")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.described().filter(pk=options["id"]).first()
        if organisation is None:
            raise CommandError(
                f"There is no organisation {options['id']}. Its page in the administration shows its id."
            )
        self.stdout.write(f"{organisation}\n{erasure.in_words(erasure.preview(organisation))}")
        if options["dry_run"]:
            self.stdout.write("Nothing was erased.")
            return
        if not names.same(options["name"] or self._ask(), organisation.name):
            raise CommandError("This is not its name. Nothing was erased.")
        try:
            counts = erasure.erase(organisation.pk)
        except Organisation.DoesNotExist:
            raise CommandError("Somebody else has just erased it.") from None
        self.stdout.write(f"Erased: {erasure.in_words(counts)}.")

    def _ask(self) -> str:
        try:
            return input("This can't be undone. Type the organisation's name to go on: ")
        except EOFError:
            raise CommandError("Nothing was erased: nobody is there to confirm it. Add --name") from None
