"""Reports in the administration: to be read, never to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.administration import NamesToldApart
from accounts.models import Organisation, User
from reports import readings, wording
from reports.filters import ByRating, ByState
from reports.models import Report, ReportQuerySet
from reports.numbers import show_score
from reports.presentation import ReportPage
from reports.readings import Reading
from reviewing.guarded import GuardedAdmin

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Report]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(Report)
class ReportAdmin(NamesToldApart, GuardedAdmin, ModelAdmin):
    """Lists reports and shows each as the customer sees it."""

    change_form_template = "admin/reports/report/change_form.html"
    list_display = (
        "shown_label",
        "organisation",
        "shown_rating",
        "shown_score",
        "shown_state",
        "revision",
        "created_at",
    )
    list_filter = (ByRating, ByState, "questionnaire_slug", "created_at")
    list_select_related = ()
    search_fields = (
        "organisation__name",
        "organisation__id__startswith",
        "questionnaire_title",
        "line_name",
        "questionnaire_slug",
        "id",
        "submission",
    )
    search_help_text = _("Organisation, how its id begins, questionnaire, or the id of a report or submission")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-position")
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False  # that page is for customers alone; "View as the customer" is the way in

    @admin.display(description=_("title"), ordering="questionnaire_title")
    def shown_label(self, report: Report) -> str:
        return format_html("<bdi>{}</bdi>", report.label)

    @admin.display(description=_("rating"), ordering="rating")
    def shown_rating(self, report: Report) -> str:
        """What stands in the place of the rating, on customers' pages too."""
        return wording.rating(report)

    @admin.display(description=_("state"))
    def shown_state(self, report: Report) -> str:
        return str(wording.STATES[report.state])

    @admin.display(description=_("score"), ordering="score")
    def shown_score(self, report: Report) -> str:
        return show_score(report.score)

    def get_queryset(self, request: HttpRequest) -> ReportQuerySet:
        return cast(ReportQuerySet, super().get_queryset(request)).for_listing()

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.as_customer)
        return [path("<uuid:report_id>/as-customer/", preview, name="reports_report_as_customer"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        shown = report is not None and not report.withdrawn and self.has_view_permission(request, report)
        extra = _shown(request, report) if report is not None and shown else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    def as_customer(self, request: HttpRequest, report_id: UUID) -> HttpResponse:
        """The customer's own page, for staff who may view reports."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = get_object_or_404(self.get_queryset(request).filter(withdrawn=False), pk=report_id)
        return render(request, "reports/report.html", _shown(request, report))

    def get_fields(self, request: HttpRequest, obj: Report | None = None) -> tuple[str, ...]:
        return ("organisation", "submission", "revision", "shown_state", "engine", "position", "event_id", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False


@admin.register(Reading)
class ReadingAdmin(GuardedAdmin, admin.ModelAdmin):
    """The record of readings, for superusers."""

    list_display = ("at", "shown_person", "read", "shown_organisation")
    fields = ("at", "shown_person", "read", "shown_organisation")
    list_filter = ("at",)
    search_fields = ("person", "report", "event", "organisation")
    search_help_text = _("The id of a person, a report, an event or an organisation, or how it begins")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("person"))
    def shown_person(self, reading: Reading) -> str:
        """The address as long as there is the person, else the id."""
        return getattr(reading, "email", None) or str(reading.person)

    @admin.display(description=_("what was read"))
    def read(self, reading: Reading) -> str:
        """Leads to the report, or to a list of events that finds nothing of one that was deleted since."""
        if reading.report:
            where = reverse("admin:reports_report_change", args=[reading.report])
        else:
            where = f"{reverse('admin:eventbus_event_changelist')}?q={reading.event}"
        return format_html('<a href="{}" title="{}">{}</a>', where, reading.report or reading.event, reading)

    @admin.display(description=_("organisation"), ordering="organisation")
    def shown_organisation(self, reading: Reading) -> str:
        """Its name, and how its id begins."""
        name = getattr(reading, "organisation_name", None)
        return format_html("<bdi>{}</bdi> · {}", name or "", str(reading.organisation)[:8])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reading]:
        email = User.objects.filter(pk=OuterRef("person")).values("email")
        name = Organisation.objects.filter(pk=OuterRef("organisation")).values("name")
        rows: QuerySet[Reading] = super().get_queryset(request)
        return rows.annotate(email=Subquery(email), organisation_name=Subquery(name))

    def has_view_permission(self, request: HttpRequest, obj: Reading | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reading | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reading | None = None) -> bool:
        return False


def _shown(request: HttpRequest, report: Report) -> dict[str, Any]:
    """What the page shows of it, and a record that it was shown to this person."""
    readings.note(cast(User, request.user), report)
    previous = report.previous_final()
    return {
        "report": report,
        "page": ReportPage(report, previous),
        "newest": report,
        "previous": previous,
        "preview": True,
    }
