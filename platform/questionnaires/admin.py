"""Questionnaires in the admin: to read, never to change, for reports refer to them by digest."""

from __future__ import annotations

import json

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from questionnaires.models import Definition
from reviewing.guarded import GuardedAdmin


@admin.register(Definition)
class DefinitionAdmin(GuardedAdmin, admin.ModelAdmin):
    """Every edition that was ever loaded. They are no customer's."""

    reviewed_by = ""

    list_display = ("title", "slug", "version", "short_digest", "offered", "built_in", "created_at")
    list_filter = ("offered", "built_in", "slug")
    search_fields = ("title", "slug", "version", "digest")
    date_hierarchy = "created_at"
    fields = ("title", "slug", "version", "digest", "offered", "built_in", "created_at", "readable_body")
    readonly_fields = fields

    @admin.display(description=_("digest"), ordering="digest")
    def short_digest(self, definition: Definition) -> str:
        return definition.digest[:12]

    @admin.display(description=_("definition"))
    def readable_body(self, definition: Definition) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(definition.body, indent=2, ensure_ascii=False))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        return False
