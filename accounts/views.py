"""Pages of our own beside allauth's: the one-time setup link, and those of the second factor that show secrets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import setup
from accounts.adapter import UnreadableSecretError
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


def showing_secrets(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep a page out of caches; where its secret can't be read any more, say so instead."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        try:
            return view(request)
        except UnreadableSecretError as error:
            messages.error(request, error.message)
            return redirect("mfa_index")

    return guarded


class SwitchOn(ActivateTOTPView):  # type: ignore[misc]  # allauth has no annotations
    """Show the secret and take the first code."""

    def form_valid(self, form: Form) -> HttpResponseBase:
        """Switch it on; a double click finds it on, and its recovery codes waiting."""
        try:
            response: HttpResponseBase = super().form_valid(form)
        except IntegrityError:
            return redirect("mfa_view_recovery_codes")
        return response


switch_on = showing_secrets(SwitchOn.as_view())
recovery_codes = showing_secrets(ViewRecoveryCodesView.as_view())
recovery_codes_file = showing_secrets(DownloadRecoveryCodesView.as_view())
new_recovery_codes = showing_secrets(GenerateRecoveryCodesView.as_view())
