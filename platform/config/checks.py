"""System checks: a wrong setting becomes a message that says how to put it right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.http.request import validate_host

from config.hosts import LOOPBACK, reachable_address
from eventbus.scope import DEFAULT_QUEUE
from eventbus.subscriptions import registry


def _split(address: str) -> SplitResult | None:
    """The parts of a whole http(s) address without a path, else None."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  (raises for a port that is no number)
    except ValueError:
        return None
    fits = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/") and not parts.query
    return parts if fits else None


@register
def base_url_is_whole(**kwargs: Any) -> list[CheckMessage]:
    """Links in mails and the check of a form's origin need the address as browsers see it."""
    parts = _split(settings.BASE_URL)
    if parts is None:
        hint = "Give scheme and host, without a path: BASE_URL=https://plumbline.example.org"
        return [Error(f"BASE_URL={settings.BASE_URL!r} is not the address of a site.", hint=hint, id="plumbline.E001")]
    if not validate_host(str(parts.hostname), settings.ALLOWED_HOSTS):
        hint = f"Add it: ALLOWED_HOSTS={','.join([*settings.ALLOWED_HOSTS, str(parts.hostname)])}"
        message = (
            f"BASE_URL names the host {parts.hostname}, which ALLOWED_HOSTS does not have: every request is refused."
        )
        return [Error(message, hint=hint, id="plumbline.E002")]
    return []


@register
def allowed_hosts_are_host_names(**kwargs: Any) -> Iterable[CheckMessage]:
    """A host is written without scheme, path and port."""
    for host in settings.ALLOWED_HOSTS:
        if "/" in host or (":" in host and not host.startswith("[")):
            hint = "Write the bare host name, for example: ALLOWED_HOSTS=localhost,plumbline.example.org"
            yield Error(f"ALLOWED_HOSTS has {host!r}, which is no host name.", hint=hint, id="plumbline.E003")
        elif host == "*":
            hint = "List the names by which people reach this server: ALLOWED_HOSTS=plumbline.example.org"
            yield Warning("ALLOWED_HOSTS=* lets anybody choose the host in links.", hint=hint, id="plumbline.W001")


@register
def address_fits_base_url(**kwargs: Any) -> list[CheckMessage]:
    """Who opens the server to a network wants its own address in links, and TLS in front of it."""
    parts = _split(settings.BASE_URL)
    if settings.HOST in LOOPBACK or parts is None:
        return []
    if parts.hostname in LOOPBACK:
        here = reachable_address()
        example = f"http://{here}:{settings.PORT}" if here else "https://plumbline.example.org"
        hint = f"Name the address that people use, and requests for it are answered: BASE_URL={example}"
        message = f"HOST={settings.HOST} is reached from elsewhere, but links lead to {settings.BASE_URL}."
        return [Warning(message, hint=hint, id="plumbline.W002")]
    if parts.scheme == "http":
        hint = "Put a server with TLS in front and give its address: BASE_URL=https://..."
        return [Warning("Passwords travel unencrypted.", hint=hint, id="plumbline.W003")]
    return []


@register
def every_queue_has_a_worker(**kwargs: Any) -> Iterable[CheckMessage]:
    """A worker without -Q takes the queues of CELERY_TASK_QUEUES; wake-ups in others would wake nobody."""
    known = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    for name, subscription in registry.items():
        queue = subscription.queue or DEFAULT_QUEUE
        if queue not in known:
            hint = f"Add {queue!r} to CELERY_TASK_QUEUES in config/settings.py and to the Procfile."
            yield Error(f"No worker takes the queue {queue!r} of subscriber {name}.", hint=hint, id="plumbline.E004")


@register
def mails_arrive(**kwargs: Any) -> Iterable[CheckMessage]:
    """Without a mail server who forgets the password is locked out."""
    if settings.PRODUCTION and not settings.EMAIL_URL:
        hint = "Set EMAIL_URL=smtp+tls://user:password@host:587."
        yield Warning("There is no mail server: nobody can reset a password.", hint=hint, id="plumbline.W004")
