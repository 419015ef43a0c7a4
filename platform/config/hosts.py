"""Under which names this server answers. A request for another one is refused, and the operator learns of it: in the
log, once for each name, and on the page, both with the setting that lets it in."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import threading
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

LOOPBACK: tuple[str, ...] = ("127.0.0.1", "::1", "localhost")
MOST = 100
"""Names that are logged by one process: anybody may send any."""
_NAME = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_seen: set[str] = set()
_lock = threading.Lock()


def reachable_address() -> str | None:
    """The address of this machine that a network knows it by; None where it is in none. Nothing is sent for it."""
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((somewhere, 9))
            except OSError:
                continue
            return in_address(str(probe.getsockname()[0]))
    return None


def in_address(host: str) -> str:
    """The host as it is written in an address: in brackets where it is one of IPv6."""
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


def is_everywhere(host: str) -> bool:
    """Whether HOST means all addresses of this machine, so that it is none to open."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def with_host_of(address: str, names: list[str]) -> list[str]:
    """The names, and the host of the address where it has one that is not among them."""
    try:
        host = in_address(urlsplit(address).hostname or "")
    except ValueError:
        return names
    return names if not host or host in names else [*names, host]


def remedy(host: str) -> str:
    """The one setting by which `host`, as a browser sent it, is answered; empty for what is no name of a host."""
    name, port = split_domain_port(host)
    if not _NAME.fullmatch(name):
        return ""
    if settings.PRODUCTION or not _is_local(settings.BASE_URL):
        return f"ALLOWED_HOSTS={','.join([*settings.ALLOWED_HOSTS, name])}"
    return f"BASE_URL=http://{name}{f':{port}' if port else ''}"


def _is_local(address: str) -> bool:
    return any(address.startswith(f"http://{in_address(host)}") for host in LOOPBACK)


def refused(request: HttpRequest) -> str:
    """Log that a request for a host was refused, once for each; gives the sentences for the page.

    A page tells the setting only where it is this machine's own; elsewhere the names of an operator's hosts are not for
    strangers, who try addresses at random.
    """
    host = request.META.get("HTTP_HOST", "").lower()
    setting = remedy(host)
    if not setting:
        _log_once("", "refused a request for what is no name of a host")
        return _("The address names no host that can be read.")
    _log_once(host, "refused a request for the host %s; to answer it, set %s and start again", host, setting)
    if not setting.startswith("BASE_URL="):
        return _("Plumbline does not answer at this address. Do you run it? Its log says which setting lets it in.")
    message = _(
        "Plumbline does not answer at %(host)s. Open %(address)s. Do you run it, and should it answer here? "
        "Then set %(setting)s and start again."
    )
    return message % {"host": host, "address": settings.BASE_URL, "setting": setting}


def _log_once(host: str, message: str, *values: str) -> None:
    with _lock:
        if host in _seen or len(_seen) > MOST:
            return
        _seen.add(host)
        is_last = len(_seen) > MOST
    logger.warning(message, *values)
    if is_last:
        logger.warning("refused requests for %s hosts; further ones are not logged", MOST)


def forget() -> None:
    """Forget which names were logged (tests)."""
    with _lock:
        _seen.clear()
