"""A person's own sessions: in which browsers and clients they are signed in, and how to end that."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.core.internal.httpkit import is_headless_request
from django.http import HttpRequest

from accounts import devices
from accounts.models import OpenSession, User
from accounts.sessions import BEGAN, SessionStore
from accounts.standing import of_sessions


def begin(request: HttpRequest, user: User) -> None:
    """Note the session with which somebody signs in."""
    request.session[BEGAN] = time.time()
    if request.session.session_key is None:
        request.session.save()
    agent, address = request.META.get("HTTP_USER_AGENT", ""), request.META.get("REMOTE_ADDR")
    seen: dict[str, Any] = {
        "user": user,
        "device": devices.described(agent),
        "network": devices.network_of(get_adapter().get_client_ip(request)) if address else "",
        "is_client": bool(is_headless_request(request)),
    }
    OpenSession.objects.update_or_create(session_key=request.session.session_key, defaults=seen)


def of(user: User) -> list[OpenSession]:
    """Those that count, the one used last first; what is left of others is thrown away."""
    noted = list(OpenSession.objects.filter(user=user).order_by("-seen_at", "-began_at"))
    counting = of_sessions([each.session_key for each in noted])
    over = [each.pk for each in noted if each.session_key not in counting]
    if over:
        OpenSession.objects.filter(pk__in=over).delete()
    return [each for each in noted if each.session_key in counting]


def end(user: User, number: UUID) -> bool:
    """End one of the person's sessions; False where there is no such one. Its sockets close as after signing out."""
    found = OpenSession.objects.filter(user=user, pk=number).first()
    if found is None:
        return False
    _end(found)
    return True


def end_others(user: User, current: str | None) -> int:
    """End all but the current one, of which the key is given; how many that were."""
    others = [each for each in of(user) if each.session_key != current]
    for each in others:
        _end(each)
    return len(others)


def _end(session: OpenSession) -> None:
    SessionStore().delete(session.session_key)
    session.delete()
