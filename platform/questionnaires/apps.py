"""The questionnaires app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QuestionnairesConfig(AppConfig):
    """Definitions: the format, its checks, and the table that keeps every edition."""

    name = "questionnaires"
    verbose_name = _("Questionnaires")
