"""Addresses of a submission's pages, and what is read there."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from answers.models import Submission


def section_url(submission: Submission, section: str = "controls") -> str:
    return reverse("submission-section", args=[submission.pk, section])


def page_of(client: Client, submission: Submission, section: str = "controls") -> dict[str, str]:
    """What a browser would send back from the page as it stands, without what is hidden."""
    fields = client.get(section_url(submission, section)).context["fields"]
    posted: dict[str, str] = {}
    for field in fields:
        if field.visible:
            posted[f"{field.question.id}:version"] = str(field.version)
            posted[f"{field.question.id}:seen"] = field.seen
            posted[f"{field.question.id}:note"] = field.note
            if isinstance(field.value, str):
                posted[f"{field.question.id}:value"] = field.value
    return posted
