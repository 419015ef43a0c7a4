"""The start page, the health check, the contracts' schemas, and what people see when something is wrong."""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.opening import SomebodyElseError, is_somebody_elses
from accounts.waiting import seconds_to_wait
from config import bodies, hosts, noting
from config.embedded.worker import EmbeddedWorker
from config.outages import asks_for_json, unavailable
from config.resending import holds_work, is_from_our_page, send_again, sent_fields
from contracts.cloudevents import type_registry
from eventbus.outages import is_outage
from throttling.words import in_words


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is, and where to begin."""
    return render(request, "start.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon, for pages that don't name one: the administration's, and JSON that somebody opens in a browser."""
    return redirect(static("img/favicon.svg"))


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process serves, else 503: then a new start is what helps. It asks no other service, so
    that nobody restarts every process because the database is away; that is what `/health/ready` tells."""
    worker = _worker_health()
    ok = worker["ok"]
    return JsonResponse({"status": "ok" if ok else "failing", "worker": worker}, status=200 if ok else 503)


def _worker_health() -> dict[str, Any]:
    """The worker of this process; one that runs elsewhere shows in its heartbeat."""
    takes_tasks = EmbeddedWorker.takes_tasks()
    if takes_tasks is None:
        return {"ok": True, "embedded": False}
    if not takes_tasks:
        return {"ok": False, "embedded": True, "problem": "the worker has stopped; start Plumbline again"}
    return {"ok": True, "embedded": True}


@require_safe
def event_schema(request: HttpRequest, name: str) -> JsonResponse:
    """The JSON Schema of an event's data, under the address that its `dataschema` names."""
    for event_type in type_registry.values():
        if event_type.dataschema() == f"/schemas/{name}.json":
            return JsonResponse(event_type.json_schema(), content_type="application/schema+json")
    raise Http404


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400; 413 for more than is read at once, which a form without JavaScript can come to.

    A host that is not ours is told to the operator, too: people that open a new server by its address meet it first.
    """
    if isinstance(exception, DisallowedHost):
        return _refuse(request, HTTPStatus.BAD_REQUEST, hosts.refused(request), template="400_host.html")
    if isinstance(exception, RequestDataTooBig):
        limit = re.sub(r"[.,]0\b", "", filesizeformat(bodies.limit_of(request.path)))
        message = _(
            "What was sent is larger than %(limit)s. Go back: what you typed is still there. Shorten the longest text, "
            "and send it again."
        )
        return _refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message % {"limit": limit})
    if isinstance(exception, TooManyFieldsSent):
        message = _("The form that was sent has more than %(limit)d fields. Send fewer of them at once.")
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return _refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message % {"limit": most})
    return _refuse(request, HTTPStatus.BAD_REQUEST, _("This request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403; what was typed on a page that another person had opened can be sent again by them."""
    if isinstance(exception, SomebodyElseError):
        return send_again(request)
    return _refuse(request, HTTPStatus.FORBIDDEN, _("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """403 for a form that was not sent from one of our pages, or too late: then it can be sent again."""
    noting.csrf_failed(request)
    if is_from_our_page(request) and (holds_work(request) or is_somebody_elses(request)):
        return send_again(request)
    message = _("This page has been open for too long. Go back, load it again and send it once more.")
    return _refuse(request, HTTPStatus.FORBIDDEN, message, template="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404; the very same for what does not exist and for what belongs to somebody else."""
    return _refuse(request, HTTPStatus.NOT_FOUND, _("There is nothing here."))


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """405; `allowed`: the methods that the address takes."""
    response = _refuse(request, HTTPStatus.METHOD_NOT_ALLOWED, _("Only %s is possible here.") % allowed)
    response.headers["Allow"] = allowed
    return response


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """429; what was sent can be sent again after so many seconds, and is on the page for that."""
    message = _("That was more than is taken in so short a time. You can go on in %(wait)s; nothing is lost.")
    return _let_wait(request, seconds, message)


def too_many_attempts(request: HttpRequest) -> HttpResponse:
    """429 of the pages on which people sign up, sign in and recover."""
    message = _("To keep guessing out, this page answers only so many times in a row. Wait %(wait)s, then try again.")
    return _let_wait(request, seconds_to_wait(), message)


def _let_wait(request: HttpRequest, seconds: int, message: str) -> HttpResponse:
    wait, fields = in_words(seconds), sent_fields(request)
    response = _refuse(request, HTTPStatus.TOO_MANY_REQUESTS, message % {"wait": wait}, wait=wait, fields=fields)
    response.headers["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    return response


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500; the log has the reason under the request's id. 503 where something that Plumbline needs is away."""
    error = sys.exception()
    if error is not None and is_outage(error):
        return unavailable(request, error)
    return _refuse(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side. Please try again."))


def _refuse(
    request: HttpRequest, status: HTTPStatus, message: str, template: str = "", **context: object
) -> HttpResponse:
    """Say it as JSON to a program and as a page to a person."""
    if asks_for_json(request):
        return JsonResponse({"error": message}, status=status)
    # Without the request no context processor runs, for what they ask might be what is broken.
    asking = None if status == HTTPStatus.INTERNAL_SERVER_ERROR else request
    page = render_to_string(template or f"{status.value}.html", {"message": message, **context}, request=asking)
    return HttpResponse(page, status=status)
