"""The page behind the one-time setup link; all the other pages of this folder are allauth's."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import setup
from accounts.forms import SetupForm


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def setup_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the first administrator's address, password and organisation; make them and sign them in."""
    if not setup.is_open(token):
        raise Http404

    form = SetupForm(request.POST or None)
    if not form.is_valid():
        return render(request, "account/setup.html", {"form": form}, status=422 if form.is_bound else 200)

    try:
        user = setup.use(token, **form.cleaned_data)
    except setup.SetupLinkUsedError as error:
        raise Http404 from error

    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect(settings.LOGIN_REDIRECT_URL)
