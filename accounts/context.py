"""What every page may ask for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import chosen
from accounts.models import Organisation


def signup(request: HttpRequest) -> dict[str, bool]:
    """Whether people may sign up by themselves: pages offer it only then."""
    return {"signup_is_open": settings.SIGNUP == "open"}


def organisation(request: HttpRequest) -> dict[str, Any]:
    """The organisation that the page is about, what its links to lists carry, and all organisations of the person.

    Looked up where a template asks.
    """
    if not hasattr(request, "user") or not hasattr(request, "session"):
        return {}
    return {
        "organisation": SimpleLazyObject(lambda: chosen.shown(request)),
        "in_organisation": SimpleLazyObject(lambda: _query(chosen.shown(request))),
        "organisations": SimpleLazyObject(lambda: chosen.organisations(request)),
    }


def _query(organisation: Organisation | None) -> str:
    return f"?{chosen.FIELD}={organisation.pk}" if organisation else ""
