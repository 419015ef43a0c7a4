"""A form that could not be taken, for the session or its token had run out or somebody else is signed in now, is shown
once more and loses nothing.

Nothing is kept on the server. A person that signs in then sends it in their own name, with their own rights; where the
form says who opened its page (`accounts.opening`), only they do.
"""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts.opening import FIELD, is_somebody_elses

PASSWORDS = ("/accounts/", "/admin/")
"""Forms below these may hold passwords, which go into no page."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
TOKEN = "csrfmiddlewaretoken"  # noqa: S105  (a name)


def holds_work(request: HttpRequest) -> bool:
    """Whether a person has sent a form with something in it that may be shown to them again."""
    if sent_fields(request) is None:
        return False
    return request.get_preferred_type(["text/html", "application/json"]) == "text/html" and bool(_written(request))


def is_from_our_page(request: HttpRequest) -> bool:
    """Whether the browser says that the form was on a page of this site: another one's must not get a token of ours."""
    origin = request.headers.get("Origin")
    return origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CSRF_TRUSTED_ORIGINS


def sent_fields(request: HttpRequest) -> list[tuple[str, str]] | None:
    """The names and values of a form, ready to be sent again to the same address; None where it was no form, or may
    hold passwords."""
    if request.method != "POST" or request.path.startswith(PASSWORDS) or request.content_type not in FORMS:
        return None
    return fields(request)


def send_again(request: HttpRequest) -> HttpResponse:
    """403 with all that was sent, ready to be sent again to the same address."""
    context = {
        "fields": fields(request),
        "holds_work": bool(_written(request)),
        "somebody_else": is_somebody_elses(request),
    }
    response = render(request, "send_again.html", context, status=HTTPStatus.FORBIDDEN)
    add_never_cache_headers(response)
    return response


def _written(request: HttpRequest) -> list[str]:
    """The names of what the person themselves put into the form."""
    return [name for name, _value in fields(request) if name != FIELD]


def fields(request: HttpRequest) -> list[tuple[str, str]]:
    """All that the form held, by name, but its token."""
    sent = ((name, value) for name, values in request.POST.lists() for value in values)
    return [(name, str(value)) for name, value in sent if name != TOKEN]
