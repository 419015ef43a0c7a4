"""Form fields in templates."""

from __future__ import annotations

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def without_placeholder(field: BoundField) -> SafeString:
    """The field's input; its label stands above it, so a placeholder that repeats the label would only be noise."""
    field.field.widget.attrs.pop("placeholder", None)
    return field.as_widget()
