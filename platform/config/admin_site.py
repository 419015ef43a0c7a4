"""The administration's site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

MAX_SEARCH = 200
"""Characters of a search. Each word makes the statement deeper, and databases take only so much."""


class Site(AdminSite):
    """Django's, but a search of thousands of words is a bad request instead of an error of the database."""

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Wrap a page of the administration."""
        checked = super().admin_view(view, cacheable)

        @wraps(checked)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if len(request.GET.get("q", "")) > MAX_SEARCH:
                raise BadRequest(f"search for at most {MAX_SEARCH} characters")
            return checked(request, *args, **kwargs)

        return limited
