"""What the pages of the bus have in common: nobody edits them, and whose they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from reviewing.guarded import Guarded

STYLES = {"all": ("css/eventbus-admin.css",)}


class ReadOnly(Guarded):
    """What happened is not edited, and of other organisations' events a reviewer sees nothing."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def superuser_only(request: HttpRequest) -> None:
    """Raise PermissionDenied for everybody else."""
    if not request.user.is_superuser:
        raise PermissionDenied


def link_to_trace(correlation_id: UUID) -> SafeString:
    address = reverse("admin:eventbus_trace", args=[correlation_id])
    return format_html('<a href="{}">{}</a>', address, gettext("Trace of the request"))


def matching(term: str, prefix: str = "") -> Q:
    """Events with this key, or, where the term is a UUID, with this event, correlation or causing id."""
    found = Q(**{f"{prefix}key": term})
    try:
        parsed = UUID(term)
    except ValueError:
        return found
    return found | Q(**{f"{prefix}uuid": parsed}) | Q(**{f"{prefix}correlation_id": parsed})
