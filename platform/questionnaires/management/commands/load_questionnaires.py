"""Store the built-in questionnaires."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from questionnaires.library import built_in, built_in_slugs, store


class Command(BaseCommand):
    """Running it again changes nothing."""

    help = "Store the built-in questionnaires in the database and offer them."

    def handle(self, *args: Any, **options: Any) -> None:
        for slug in built_in_slugs():
            questionnaire = built_in(slug)
            store(questionnaire, built_in=True)
            self.stdout.write(
                _("%(title)s %(version)s is loaded.") % {"title": questionnaire.title, "version": questionnaire.version}
            )
