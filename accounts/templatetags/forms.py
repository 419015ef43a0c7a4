"""Form fields in templates."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def plain(field: BoundField) -> SafeString:
    """The field's input. Its label is above it, so a placeholder would say it twice. `maxlength` would throw away what
    goes beyond it without a word: the form refuses it with the limit instead."""
    for name in ("placeholder", "maxlength"):
        field.field.widget.attrs.pop(name, None)
    return field.as_widget()
