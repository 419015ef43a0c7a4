"""Keeps schema.graphql and what was released in step with the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext_lazy as _

from api import published


class Command(BaseCommand):
    """Checks, writes or releases the schema."""

    help = _("Check schema.graphql against the code and against the last release.")  # type: ignore[assignment]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help=str(_("Write schema.graphql anew.")))
        parser.add_argument(
            "--release",
            action="store_true",
            help=str(_("Take schema.graphql for released: later versions have to be compatible with it.")),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            published.current_file().write_text(published.printed(), "utf-8")
        elif not published.is_up_to_date():
            raise CommandError(_("schema.graphql does not say what the code does. Run: make schema"))
        if options["release"]:
            published.released_file().write_text(published.current_file().read_text("utf-8"), "utf-8")
        changes = published.incompatible_changes()
        if changes:
            listed = "\n".join(f"  - {change}" for change in changes)
            hint = _("Keep the old form beside the new one, and deprecate it: see CONTRIBUTING.md.")
            raise CommandError(f"{_('Clients of the last release would break:')}\n{listed}\n{hint}")
