"""The administration's site."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import unquote
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.translation import gettext as _

from accounts import second_factor, step_up
from accounts.models import User
from config import noting

MAX_SEARCH = 200
"""Characters of a search. Each word makes the statement deeper, and databases take only so much."""


class Site(AdminSite):
    """Django's, but what no database can look for is a bad request instead of an error, and where SECOND_FACTOR says so
    nobody comes in without a second factor. A browser that was left open has to show that it is still the same person,
    and so has a change a while after the last proof.

    Django makes filters, searches and ids of whatever an address holds, so this is minded here, for all pages at once.
    """

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without "View on site": it looks an object up for everybody who may enter."""
        return [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]

    def admin_view(self, view: Callable[..., HttpResponseBase], cacheable: bool = False) -> Any:
        """Wrap a page of the administration."""
        checked = super().admin_view(view, cacheable)

        @wraps(checked)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _refuse_unsearchable(request, kwargs)
            if self._lacks_second_factor(request) and view != self.logout:
                messages.warning(request, _("The administration of this installation needs a second factor."))
                return redirect("mfa_index")
            if request.user.is_authenticated and not self.has_permission(request) and view != self.logout:
                noting.denied(request)
            if self.has_permission(request) and view != self.logout:
                if (again := _ask_again(request)) is not None:
                    return again
                step_up.note_use(request)
            try:
                with noting.administration(request) as answers:
                    answers.append(_rendered(checked(request, *args, **kwargs)))
            except (DataError, OverflowError) as error:
                raise BadRequest("no column holds this value") from error
            return answers[0]

        return limited

    def _lacks_second_factor(self, request: HttpRequest) -> bool:
        if settings.SECOND_FACTOR != "administrators" or not self.has_permission(request):
            return False
        return not second_factor.is_on(cast(User, request.user))


def _ask_again(request: HttpRequest) -> HttpResponseBase | None:
    """Lead to the page that asks for password or code, where it is due. A form that was sent goes on after it.

    One with a password in it would be kept in the session until then, so that is entered once more. Raises
    ReauthenticationRequired.
    """
    if not step_up.is_idle(request) and (request.method in _SAFE or step_up.is_confirmed(request)):
        return None
    if not any("password" in name for name in request.POST):
        raise ReauthenticationRequired
    messages.info(request, _("Confirm that it is you. Then enter it once more: a password is kept nowhere."))
    return redirect_to_login(request.get_full_path(), reverse("account_reauthenticate"))


_SAFE = ("GET", "HEAD", "OPTIONS")


def _refuse_unsearchable(request: HttpRequest, kwargs: dict[str, Any]) -> None:
    """Raise BadRequest for a search that is too long, and for an id with a NUL, which Django's quoting hides."""
    searched = max(len(request.GET.get(name, "")) for name in ("q", "term"))
    if searched > MAX_SEARCH:
        raise BadRequest(f"search for at most {MAX_SEARCH} characters")
    if any("\0" in unquote(each) for each in kwargs.values() if isinstance(each, str)):
        raise BadRequest("no id holds a NUL")


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    """The response with its page made: lists ask the database only then."""
    return response.render() if isinstance(response, SimpleTemplateResponse) else response
