from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from answers.models import Submission


@admin.register(Submission)
class SubmissionAdmin(admin.ModelAdmin):
    """To be read, never edited: answers are the customer's own words."""

    list_display = ("questionnaire_slug", "questionnaire_version", "organisation", "state", "revision", "updated_at")
    list_filter = ("state", "questionnaire_slug")
    list_select_related = ("organisation",)
    search_fields = ("organisation__name", "id")
    ordering = ("-updated_at", "-id")
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Submission | None = None) -> bool:
        return False
