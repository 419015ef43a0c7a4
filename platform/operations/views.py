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

from operations.checks import CHECKS, Result
from operations.exposition import exposition

logger = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")
_failing: set[str] = set()
_lock = threading.Lock()


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 while every check succeeds, else 503; `?check=database` asks for some of them only."""
    wanted = request.GET.getlist("check") or list(CHECKS)
    if unknown := [name for name in wanted if name not in CHECKS]:
        error = _("There is no check %(name)s. There are: %(all)s.") % {"name": unknown[0], "all": ", ".join(CHECKS)}
        return JsonResponse({"error": error}, status=400)
    results = {name: CHECKS[name]() for name in wanted}
    _log_changes(results)
    ok = all(result.ok for result in results.values())
    checks = {name: _document(result) for name, result in results.items()}
    return JsonResponse({"status": "ok" if ok else "failing", "checks": checks}, status=200 if ok else 503)


def _log_changes(results: dict[str, Result]) -> None:
    """Probes come every few seconds: a line when a check begins to fail, and one when it no longer does."""
    with _lock:
        for name, result in results.items():
            if result.ok and name in _failing:
                _failing.remove(name)
                logger.warning("the check %s is well again", name)
            elif not result.ok and name not in _failing:
                _failing.add(name)
                cause = f" ({result.cause})" if result.cause else ""
                logger.warning("the check %s fails: %s%s", name, result.says, cause)


def _document(result: Result) -> dict[str, Any]:
    if result.ok:
        return {"ok": True, **result.numbers}
    return {"ok": False, **result.numbers, "problem": result.says, "fix": result.fix}


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
