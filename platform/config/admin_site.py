"""The administration's site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import second_factor
from accounts.models import User

MAX_SEARCH = 200
"""Characters of a search. Each word makes the statement deeper, and databases take only so much."""


class Site(AdminSite):
    """Django's, but a search of thousands of words is a bad request instead of an error of the database, and where
    SECOND_FACTOR says so nobody comes in without a second factor."""

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Wrap a page of the administration."""
        checked = super().admin_view(view, cacheable)

        @wraps(checked)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if len(request.GET.get("q", "")) > MAX_SEARCH:
                raise BadRequest(f"search for at most {MAX_SEARCH} characters")
            if self._lacks_second_factor(request) and view != self.logout:
                messages.warning(request, _("The administration of this installation needs a second factor."))
                return redirect("mfa_index")
            return checked(request, *args, **kwargs)

        return limited

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        if settings.SECOND_FACTOR != "administrators" or not self.has_permission(request):
            return False
        return not second_factor.is_on(cast(User, request.user))
