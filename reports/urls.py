from __future__ import annotations

from django.urls import path

from reports import views

urlpatterns = [
    path("", views.report_list, name="report-list"),
    path("changes/", views.report_changes, name="report-changes"),
    path("panel/<uuid:submission>/", views.report_panel, name="report-panel"),
    path("<uuid:report_id>/", views.report_detail, name="report"),
]
