from __future__ import annotations

from django.urls import path

from answers import autosave, sections, starting, views

urlpatterns = [
    path("questionnaires/", views.questionnaire_list, name="questionnaire-list"),
    path("questionnaires/<slug:slug>/start/", starting.start, name="submission-start"),
    path("submissions/<uuid:submission_id>/", views.submission, name="submission"),
    path("submissions/<uuid:submission_id>/sections/<str:section_id>/", sections.section, name="submission-section"),
    path("submissions/<uuid:submission_id>/answers/", autosave.answers, name="submission-autosave"),
    path("submissions/<uuid:submission_id>/review/", views.review, name="submission-review"),
    path("submissions/<uuid:submission_id>/submit/", views.submit, name="submission-submit"),
    path("submissions/<uuid:submission_id>/again/", views.try_again, name="submission-again"),
    path("submissions/<uuid:submission_id>/name/", views.rename, name="submission-rename"),
    path("submissions/<uuid:submission_id>/reopen/", views.reopen, name="submission-reopen"),
    path("submissions/<uuid:submission_id>/delete/", views.delete, name="submission-delete"),
]
