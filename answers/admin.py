from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.administration import NamesToldApart
from answers.models import Submission
from reviewing.guarded import GuardedAdmin


@admin.register(Submission)
class SubmissionAdmin(NamesToldApart, GuardedAdmin, admin.ModelAdmin):
    """To be read, never edited: answers are the customer's own words."""

    list_display = (
        "questionnaire_slug",
        "questionnaire_version",
        "organisation",
        "line",
        "created_by",
        "state",
        "revision",
        "updated_at",
    )
    list_filter = ("state", "questionnaire_slug")
    list_select_related = ("line",)
    search_fields = ("organisation__name", "organisation__id__startswith", "line__name", "id")
    search_help_text = _("Organisation, how its id begins, line, or the id of a submission")
    ordering = ("-updated_at", "-id")
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False
