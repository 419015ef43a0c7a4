"""A form says who opened its page: somebody else may have signed in in the same browser since, in another tab."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

FIELD = "person"
"""The hidden field with the person's id (`templates/answers/_person.html`)."""


class SomebodyElseError(PermissionDenied):
    """The form was on a page that another person than the one who is signed in now had opened."""


def is_somebody_elses(request: HttpRequest) -> bool:
    """Whether the form that was sent names another person than who is signed in; a form without a name does not."""
    opened_by = request.POST.get(FIELD)
    return opened_by is not None and request.user.is_authenticated and opened_by != str(request.user.pk)


def own_forms_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let nobody send what another person typed; raises SomebodyElseError before anything is looked up or stored."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and is_somebody_elses(request):
            raise SomebodyElseError
        return view(request, *args, **kwargs)

    return checked
