"""Addresses for machines: is it ready, and how much does it do."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from operations import looking
from operations.checks import CHECKS, Result
from operations.exposition import exposition

logger = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")
_states: dict[str, str] = {}
"""How each check was when it was last asked for."""
_lock = threading.Lock()


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 while every check succeeds, else 503; `?check=database` asks for some of them only.

    "degraded" is a 200: it works, and a person has to look at what it names. Strangers learn the status alone; programs
    on this machine, and those with METRICS_TOKEN, what is wrong, too.
    """
    wanted = request.GET.getlist("check") or list(CHECKS)
    if unknown := [name for name in wanted if name not in CHECKS]:
        error = _("There is no check %(name)s. There are: %(all)s.") % {"name": unknown[0], "all": ", ".join(CHECKS)}
        return JsonResponse({"error": error}, status=400)
    results = looking.at(wanted)
    _log_changes(results)
    ok = all(result.ok for result in results.values())
    degraded = any(result.degraded for result in results.values())
    answer: dict[str, Any] = {"status": ("degraded" if degraded else "ok") if ok else "failing"}
    if _is_from_this_machine(request) or (settings.METRICS_TOKEN and _has_token(request)):
        answer["checks"] = {name: _document(result) for name, result in results.items()}
    return JsonResponse(answer, status=200 if ok else 503)


def _log_changes(results: dict[str, Result]) -> None:
    """Probes come every few seconds: a line when a check begins to fail or to be degraded, and one when it is well."""
    with _lock:
        for name, result in results.items():
            before, state = _states.get(name, "is well"), _state(result)
            if state == before:
                continue
            _states[name] = state
            cause = f" ({result.cause})" if result.cause else ""
            says = " again" if state == "is well" else f": {result.says}{cause}"
            logger.warning("the check %s %s%s", name, state, says)


def _state(result: Result) -> str:
    if not result.ok:
        return "fails"
    return "is degraded" if result.degraded else "is well"


def _document(result: Result) -> dict[str, Any]:
    document = {"ok": result.ok, **({"degraded": True} if result.degraded else {}), **result.numbers}
    return document if not result.says else {**document, "problem": result.says, "fix": result.fix}


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads; with METRICS_TOKEN for who sends it, else for programs on this machine."""
    if settings.METRICS_TOKEN:
        if not _has_token(request):
            refusal = JsonResponse({"error": _("Send the token: Authorization: Bearer METRICS_TOKEN.")}, status=401)
            refusal.headers["WWW-Authenticate"] = "Bearer"
            return refusal
    elif not _is_from_this_machine(request):
        error = _("Only programs on this machine may read this. Set METRICS_TOKEN to read it from elsewhere.")
        return JsonResponse({"error": error}, status=403)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())


def _is_from_this_machine(request: HttpRequest) -> bool:
    """What a proxy on this machine passes on comes from elsewhere, and proxies say so."""
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not any(name in request.headers for name in FORWARDED)
