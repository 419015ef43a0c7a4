"""Addresses of a report's pages, and what is read there."""

from __future__ import annotations

import re
from typing import Any

from django.template import Context, Template
from django.test import RequestFactory

from accounts.models import User
from reports.models import Report


def report_url(report: Report) -> str:
    return f"/reports/{report.pk}/"


def panel_url(report: Report) -> str:
    return f"/reports/panel/{report.submission}/"


def list_url(report: Report) -> str:
    return f"/reports/?organisation={report.organisation_id}"


def changes_url(report: Report) -> str:
    return f"/reports/changes/?after=0&organisation={report.organisation_id}"


def words_in(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode())).replace("&#x27;", "'")


def rendered(tag: str, user: User, submission: Any) -> str:
    request = RequestFactory().get("/")
    request.user = user
    context = Context({"request": request, "submission": submission})
    return Template("{% load reporting %}" + tag).render(context)
