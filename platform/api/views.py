"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/, and GraphiQL where it is allowed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from graphql import OperationType

from api import asking, negotiation, origins
from api.asking import Asker
from api.charging import charge, charging_refusals, refuse_debtors
from api.context import Context
from api.errors import Refused, masked, refusal, seconds_to_wait, told
from api.execution import Prepared, encoded, prepare, run
from api.parameters import BadParametersError, Parameters, parse, read_json
from api.tokens import token_in
from eventbus.context import correlation_id
from eventbus.outages import RETRY_AFTER, is_outage
from securitylog import Kind, note

logger = logging.getLogger(__name__)

METHODS = "GET, POST"


class Problem(Exception):
    """The request itself is refused, whatever operation it has."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers


# Whether a form could have sent it is asked below, and only of those who come with a cookie.
@csrf_exempt
@never_cache
def graphql(request: HttpRequest) -> HttpResponseBase:
    """Answer one operation, or show GraphiQL to a browser that opens the address."""
    if settings.GRAPHIQL and request.method == "GET" and not request.GET and negotiation.accepts_page(request):
        return graphiql(request)
    media_type = negotiation.media_type_for(request)
    try:
        if media_type is None:
            offered = f"{negotiation.GRAPHQL_RESPONSE}, {negotiation.JSON}"
            raise Problem(406, "NOT_ACCEPTABLE", _("Accept one of: %(types)s.") % {"types": offered})
        response = _answer(request, media_type)
    except Problem as problem:
        error = {"message": problem.message, "extensions": {"code": problem.code}}
        response = _respond({"errors": [error]}, media_type or negotiation.JSON, problem.status)
        for name, value in problem.headers.items():
            response.headers[name] = value
    except Exception as error:
        # A page would tell a program nothing.
        logger.exception("GraphQL: a request failed")
        response = _failed(error, media_type or negotiation.JSON)
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie", "X-Session-Token"))
    return response


def _failed(error: Exception, media_type: str) -> HttpResponse:
    """503 where something that Plumbline needs is away, else 500."""
    answer = {"errors": [masked(correlation_id.get() or uuid4(), cause=error)]}
    if not is_outage(error):
        return _respond(answer, media_type, 500)
    response = _respond(answer, media_type, 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


# Its style sheet carries its fonts.
@csp_update({"font-src": ["data:"]})
@ensure_csrf_cookie
def graphiql(request: HttpRequest) -> HttpResponse:
    """The page to try operations on."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    return render(request, "api/graphiql.html")


def _answer(request: HttpRequest, media_type: str) -> HttpResponse:
    if request.method not in ("GET", "POST"):
        raise Problem(405, "METHOD_NOT_ALLOWED", _("Send GET or POST."), Allow=METHODS)
    if request.method == "POST" and not negotiation.is_json(request):
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", _("Send application/json in UTF-8."))
    asker = _asker(request)
    context = Context(user=asker.user, request=request, correlation_id=correlation_id.get() or uuid4())
    try:
        refuse_debtors(asker.user)
        parameters = _parameters(request)
        with charging_refusals(asker.user):
            prepared = prepare(parameters)
            _refuse_for_http(prepared, request)
            charge(asker.user, prepared.cost)
    except Refused as refused:
        answer = {"errors": told(refused.errors, context.correlation_id)}
        # Old clients take any other status than 200 for a broken server.
        return _respond(answer, media_type, 200 if media_type == negotiation.JSON else 400)
    return _respond(run(prepared, context), media_type, 200)


def _asker(request: HttpRequest) -> Asker:
    """Who is asking: by a token, which no page of another site can send; else by a cookie, from a page of ours."""
    token = token_in(request.headers)
    if token is not None:
        asker = asking.by_token(token)
    else:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        asker = asking.by_session(key) if key else None
        if asker is not None:
            _demand_our_page(request)
    if asker is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "UNAUTHENTICATED", _("Log in first, or send the token that you got then."), **headers)
    # Whoever reads it from the request must not find the cookie's person beside a token.
    request.user = asker.user  # type: ignore[assignment]
    return asker


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class _Csrf(CsrfViewMiddleware):
    """Django's check, which tells its reason instead of making a page of it."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _demand_our_page(request: HttpRequest) -> None:
    """Refuse a cookie that is not sent by one of our pages."""
    # Django's test client sets it, unless a test asks for the checks.
    if getattr(request, "_dont_enforce_csrf_checks", False):
        return
    origin = request.headers.get("Origin")
    if origin is None:
        # Browsers name no origin when a page reads from its own server, but they do say that it is the same.
        fits = request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "same-origin"
    else:
        fits = origins.is_ours(origin, request.get_host(), request.is_secure())
    if not fits:
        _note(Kind.FOREIGN_ORIGIN, request)
        raise Problem(403, "FORBIDDEN_ORIGIN", _("A cookie counts only with the Origin of a page of this server."))
    if _Csrf(_nothing).process_view(request, _nothing, (), {}):
        _note(Kind.CSRF_FAILED, request)
        raise Problem(403, "CSRF_FAILED", _("Send the value of the CSRF cookie in the header X-CSRFToken."))


def _note(kind: Kind, request: HttpRequest) -> None:
    request.is_noted = True  # type: ignore[attr-defined]
    note(kind, request, view="graphql")


def _parameters(request: HttpRequest) -> Parameters:
    try:
        return parse(_body(request) if request.method == "POST" else _query_string(request))
    except BadParametersError as error:
        raise Problem(400, "BAD_REQUEST", str(error)) from None


def _body(request: HttpRequest) -> Any:
    try:
        return read_json(_bounded_body(request))
    except RequestDataTooBig:
        message = _("The request is larger than %(limit)d bytes. Send fewer values at once.")
        raise Problem(413, "TOO_LARGE", message % {"limit": settings.GRAPHQL_MAX_BODY}) from None
    except UnreadablePostError:
        raise Problem(400, "BAD_REQUEST", _("The request ended too early.")) from None
    except (ValueError, RecursionError):
        raise Problem(400, "BAD_REQUEST", _("The body is no JSON.")) from None


def _bounded_body(request: HttpRequest) -> bytes:
    """The body; raises RequestDataTooBig also where the server has read more than is taken here."""
    if len(request.body) > settings.GRAPHQL_MAX_BODY:
        raise RequestDataTooBig
    return request.body


def _query_string(request: HttpRequest) -> Mapping[str, Any]:
    sent: dict[str, Any] = dict(request.GET.items())
    for name in ("variables", "extensions"):
        if sent.get(name):
            try:
                sent[name] = read_json(sent[name])
            except (ValueError, RecursionError):
                raise Problem(400, "BAD_REQUEST", _('"%(name)s" is no JSON.') % {"name": name}) from None
        else:
            sent.pop(name, None)
    return sent


def _refuse_for_http(prepared: Prepared, request: HttpRequest) -> None:
    if prepared.kind is OperationType.MUTATION and request.method == "GET":
        raise Problem(405, "METHOD_NOT_ALLOWED", _("Send mutations by POST."), Allow="POST")
    if prepared.kind is OperationType.SUBSCRIPTION:
        message = _("Subscriptions come over WebSocket, at the same address: graphql-transport-ws.")
        raise refusal(message, "SUBSCRIPTION_OVER_HTTP")


def _respond(answer: Mapping[str, Any], media_type: str, status: int) -> HttpResponse:
    """The answer; 429 where nothing of it was done because it came too soon."""
    seconds = seconds_to_wait(answer)
    response = HttpResponse(
        encoded(answer), status=429 if seconds else status, content_type=f"{media_type}; charset=utf-8"
    )
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response
