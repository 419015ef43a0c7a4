"""The start page, the health check, the contracts' schemas, and what people see when something is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.opening import SomebodyElseError, is_somebody_elses
from config.embedded.worker import EmbeddedWorker
from config.resending import holds_work, is_from_our_page, send_again
from contracts.cloudevents import type_registry


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
    """400."""
    return _refuse(request, HTTPStatus.BAD_REQUEST, _("This request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403; what was typed on a page that another person had opened can be sent again by them."""
    if isinstance(exception, SomebodyElseError):
        return send_again(request)
    return _refuse(request, HTTPStatus.FORBIDDEN, _("You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """403 for a form that was not sent from one of our pages, or too late: then it can be sent again."""
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


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500; the log has the reason under the request's id."""
    return _refuse(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side. Please try again."))


def _refuse(request: HttpRequest, status: HTTPStatus, message: str, template: str = "") -> HttpResponse:
    """Say it as JSON to a program and as a page to a person."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"error": message}, status=status)
    # Without the request no context processor runs, for what they ask might be what is broken.
    asking = None if status == HTTPStatus.INTERNAL_SERVER_ERROR else request
    return HttpResponse(render_to_string(template or f"{status.value}.html", request=asking), status=status)
