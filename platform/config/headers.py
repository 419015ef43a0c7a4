"""Headers that each answer has beside those of Django and django-csp.

They are what Mozilla's HTTP Observatory asks for; its rules are a table in tests/test_headers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest, HttpResponse

OFF = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
"""What a browser can do and no page of ours uses. The clipboard stays: GraphiQL copies an operation to it."""
PERMISSIONS = ", ".join(f"{feature}=()" for feature in OFF)
ALWAYS = {"Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": PERMISSIONS}
CLEARED = '"cache", "storage"'
"""What a browser forgets at a sign-out: pages that it kept, unsent answers. Not cookies: the message that one is signed
out comes in one, and the session's is deleted by itself. Browsers listen to it over https and on localhost."""
PERSONAL = ("/accounts/", "/_allauth/", "/admin/", "/graphql")
"""Addresses whose answers may tell of a person before anybody is signed in: a code's page names an address."""


def connect() -> None:
    """Remember which requests have signed somebody out, wherever that is done."""
    user_logged_out.connect(_remember, dispatch_uid="config.headers")


def _remember(request: HttpRequest | None, **kwargs: Any) -> None:
    if request is not None:
        request.has_signed_out = True  # type: ignore[attr-defined]


class Headers:
    """Adds them. The first middleware of all, so that nothing is answered without."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if getattr(request, "has_signed_out", False):
            response.headers["Clear-Site-Data"] = CLEARED
        if _is_personal(request):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _is_personal(request: HttpRequest) -> bool:
    """Whether the answer may depend on who asked. It costs no look-up: a session that nobody has read stays unread."""
    session = getattr(request, "session", None)
    is_signed_in = session is not None and session.accessed and SESSION_KEY in session
    return request.path.startswith(PERSONAL) or is_signed_in
