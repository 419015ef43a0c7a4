"""Reports in the administration: to be read, never to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from reports.models import Report, ReportQuerySet
from reports.numbers import show_score
from reports.presentation import ReportPage

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Report]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(Report)
class ReportAdmin(ModelAdmin):
    """Lists reports and shows each as the customer sees it."""

    change_form_template = "admin/reports/report/change_form.html"
    list_display = ("questionnaire_title", "organisation", "rating", "shown_score", "state", "revision", "created_at")
    list_filter = ("rating", "provisional", "withdrawn", "questionnaire_slug", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("organisation__name", "questionnaire_title", "questionnaire_slug", "id", "submission")
    search_help_text = _("Organisation, questionnaire, or the id of a report or submission")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-position")
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False  # that page is for customers alone; "View as the customer" is the way in

    @admin.display(description=_("score"), ordering="score")
    def shown_score(self, report: Report) -> str:
        return show_score(report.score)

    def get_queryset(self, request: HttpRequest) -> ReportQuerySet:
        return Report.objects.for_listing()

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.as_customer)
        return [path("<uuid:report_id>/as-customer/", preview, name="reports_report_as_customer"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        extra = {} if report is None or report.withdrawn else _shown(report)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    def as_customer(self, request: HttpRequest, report_id: UUID) -> HttpResponse:
        """The customer's own page, for staff who may view reports."""
        report = get_object_or_404(self.get_queryset(request).filter(withdrawn=False), pk=report_id)
        if not self.has_view_permission(request, report):
            raise PermissionDenied
        return render(request, "reports/report.html", _shown(report))

    def get_fields(self, request: HttpRequest, obj: Report | None = None) -> tuple[str, ...]:
        return ("organisation", "submission", "revision", "state", "engine", "position", "event_id", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False


def _shown(report: Report) -> dict[str, Any]:
    return {
        "report": report,
        "page": ReportPage(report),
        "newest": report,
        "previous": report.previous_final(),
        "preview": True,
    }
