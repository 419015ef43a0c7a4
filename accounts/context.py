"""What every page may ask for."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def signup(request: HttpRequest) -> dict[str, bool]:
    """Whether people may sign up by themselves: pages offer it only then."""
    return {"signup_is_open": settings.SIGNUP == "open"}
