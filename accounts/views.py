"""Pages of our own beside allauth's: the setup link, the codes that come by mail, and the second factor's secrets."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from allauth.account import app_settings as account_settings
from allauth.account import views as account_views
from allauth.account.adapter import get_adapter
from allauth.account.internal import stagekit
from allauth.account.internal.decorators import login_not_required, login_stage_required
from allauth.account.internal.flows.email_verification import consume_email_verification_rate_limit
from allauth.account.internal.flows.email_verification_by_code import EMAIL_VERIFICATION_CODE_SESSION_KEY
from allauth.account.internal.flows.password_reset_by_code import PASSWORD_RESET_VERIFICATION_SESSION_KEY
from allauth.core.ratelimit import respond_429
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.views import ActivateTOTPView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import known_device, mails, open_sessions, second_factor, setup
from accounts.adapter import UnreadableSecretError
from accounts.forms import SetupForm
from accounts.models import User
from accounts.signing_up import may_send_a_code


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def setup_administrator(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the first administrator's address, password and organisation; make them and sign them in."""
    state = setup.state_of(token)
    if state is setup.LinkState.UNKNOWN:
        raise Http404
    if state is not setup.LinkState.OPEN:
        return _link_is_over(request, state)

    form = SetupForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/setup.html", {"form": form}, status=422 if form.is_bound else 200)

    try:
        user = setup.use(token, **form.cleaned_data)
    except setup.SetupLinkUsedError:
        return _link_is_over(request, setup.state_of(token))

    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("account_first_steps")


def _link_is_over(request: HttpRequest, state: setup.LinkState) -> HttpResponse:
    if request.user.is_authenticated and request.user.is_superuser:
        return redirect("account_first_steps")
    context = {"state": state.name, "hours": settings.SETUP_LINK_HOURS}
    return render(request, "account/setup_over.html", context, status=HTTPStatus.GONE)


@login_required
@never_cache
@require_safe
def first_steps(request: HttpRequest) -> HttpResponse:
    """What an administrator does next; for others there is no such page."""
    if not request.user.is_superuser:
        raise Http404
    asked_for = settings.SECOND_FACTOR == "administrators"
    has_it = second_factor.is_on(request.user)
    return render(request, "account/first_steps.html", {"factor_is_needed": asked_for, "factor_is_on": has_it})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in; a POST ends one of these sessions, or all others."""
    if request.method == "POST":
        return _end_sessions(request, cast(User, request.user))
    context = {"sessions": open_sessions.of(cast(User, request.user)), "current": request.session.session_key}
    return render(request, "account/sessions.html", context)


def _end_sessions(request: HttpRequest, user: User) -> HttpResponse:
    if "others" in request.POST:
        number = open_sessions.end_others(user, request.session.session_key)
        done = ngettext("%d other session was ended.", "%d other sessions were ended.", number) % number
        messages.success(request, done)
        return redirect("account_sessions")
    if not open_sessions.end(user, _number(request.POST.get("session", ""))):
        raise Http404
    messages.success(request, gettext("That session was ended."))
    return redirect("account_sessions")


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


class _CodePage:
    """A page for a code that came by mail. It says how long the code works, sends a new one, and where a code is over
    it says what to do, instead of sending people to sign in without a word."""

    request: HttpRequest
    _process: Any
    key: str
    """Where the session keeps the process."""
    again: str
    """Where a new code is asked for once this one is over."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        state = request.session.get(self.key)
        if state and time.time() - state["at"] > mails.code_minutes() * 60:
            del request.session[self.key]
            if not request.user.is_authenticated:
                stagekit.clear_login(request)
            messages.warning(request, self.over(_too_late()))
            return redirect(self.where_again())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]  # a mixin

    def where_again(self) -> str:
        return self.again

    def over(self, reason: str) -> str:
        """Why the code is worth nothing any more, and what to do."""
        return f"{reason} {gettext('Ask for a new one here.')}"

    def refuse_the_last(self) -> HttpResponse:
        """After the last wrong code even the right one is worth nothing."""
        messages.error(self.request, self.over(gettext("That was one wrong code too many.")))
        return redirect(self.where_again())


def _too_late() -> str:
    return gettext("The code was too old: it works for %d minutes.") % mails.code_minutes()


# allauth has no annotations, so to mypy its views are of any type.
class SignUp(account_views.SignupView):  # type: ignore[misc]
    """Ask for an address and a password; make the person, or look as if."""

    def form_valid(self, form: Form) -> HttpResponse:
        """All in one transaction, for known and unknown addresses; a refusal by a limit comes before it."""
        if not may_send_a_code(self.request, form.cleaned_data["email"]):
            return respond_429(self.request)  # type: ignore[no-any-return]
        with transaction.atomic():
            return super().form_valid(form)  # type: ignore[no-any-return]


class ConfirmAddress(_CodePage, account_views.ConfirmEmailVerificationCodeView):  # type: ignore[misc]
    """Take the code that confirms an address, of a sign-up or of a change."""

    key = EMAIL_VERIFICATION_CODE_SESSION_KEY

    def where_again(self) -> str:
        return "account_email" if self.request.user.is_authenticated else "account_login"

    def over(self, reason: str) -> str:
        if self.request.user.is_authenticated:
            return f"{reason} {gettext('Enter the new address again, and a new one comes.')}"
        return f"{reason} {gettext('Sign in with your address and password, and a new one comes.')}"

    def _resend_form_valid(self, form: Form) -> HttpResponse:
        # Asked first: allauth would make a new code, which the mail that was sent doesn't have, and then refuse.
        if not consume_email_verification_rate_limit(self.request, self._process.email, dry_run=True):
            messages.error(self.request, get_adapter().error_messages["rate_limited"])
            return redirect(self.passthrough_next_url(self.request.path))
        response: HttpResponse = super()._resend_form_valid(form)
        mails.restart_the_clock(self._process)
        mails.tell_again(self._process)
        return response

    def _verify_form_invalid(self, form: Form) -> HttpResponseBase:
        if self._process.record_invalid_attempt():
            return self.render_to_response(self.get_context_data(form=form))  # type: ignore[no-any-return]
        return self.refuse_the_last()


class RecoverByCode(_CodePage, account_views.ConfirmPasswordResetCodeView):  # type: ignore[misc]
    """Take the code that lets a new password be set."""

    key = PASSWORD_RESET_VERIFICATION_SESSION_KEY
    again = "account_reset_password"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        ours = {"can_resend": self._can_resend(), "cancel_url": reverse("account_login")}
        return {**super().get_context_data(**context), **ours}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.POST.get("action") != "resend":
            return super().post(request, *args, **kwargs)  # type: ignore[no-any-return]
        if self._can_resend():
            self._send_again()
        return redirect(self.passthrough_next_url(request.path))

    def _can_resend(self) -> bool:
        return not self._process.is_resend_quota_reached(account_settings.EMAIL_VERIFICATION_MAX_RESEND_COUNT)

    def _send_again(self) -> None:
        """Send another code; for an address that nobody has, the same mail as before, so that both look alike."""
        adapter, email = get_adapter(), self._process.state["email"]
        # As often as codes that confirm an address.
        if not consume_email_verification_rate_limit(self.request, email):
            messages.error(self.request, adapter.error_messages["rate_limited"])
            return
        self._process.send()
        self._process.record_resend()
        mails.restart_the_clock(self._process)
        message = "account/messages/email_confirmation_sent.txt"
        adapter.add_message(self.request, messages.INFO, message, {"email": email})

    def form_invalid(self, form: Form) -> HttpResponseBase:
        if self._process.record_invalid_attempt():
            return self.render_to_response(self.get_context_data(form=form))  # type: ignore[no-any-return]
        return self.refuse_the_last()


class SetRecoveredPassword(_CodePage, account_views.CompletePasswordResetView):  # type: ignore[misc]
    """Take the new password, for as long as another code would work."""

    key = PASSWORD_RESET_VERIFICATION_SESSION_KEY
    again = "account_reset_password"

    def form_valid(self, form: Form) -> HttpResponse:
        """Set it. The mailbox is theirs, so this browser knows the address: nobody's guesses keep them out of it."""
        response: HttpResponse = super().form_valid(form)
        known_device.remember(self.request, response, self._process.state["email"])
        return response


sign_up = SignUp.as_view()
confirm_address = login_not_required(ConfirmAddress.as_view())
recover_by_code = RecoverByCode.as_view()
set_recovered_password = SetRecoveredPassword.as_view()


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


@method_decorator(login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login"), name="dispatch")
class AskForSecondFactor(AuthenticateView):  # type: ignore[misc]  # allauth has no annotations
    """Ask for the code between the password and the session."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go on where there is no second factor any more.

        Somebody may switch it off in another browser while this one waits for the code. allauth 65.21.1 then sends
        this page to the sign-in page, and the sign-in page back to this one, without end.
        """
        stage = request._login_stage  # type: ignore[attr-defined]
        if not second_factor.is_on(stage.login.user):
            return stage.exit()  # type: ignore[no-any-return]
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]


ask_for_second_factor = AskForSecondFactor.as_view()


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
