"""The second factor in templates."""

from __future__ import annotations

from allauth.mfa import app_settings
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django import template

register = template.Library()


@register.filter
def unused_codes(codes: RecoveryCodes | None) -> int:
    """How many recovery codes are left. A page that only counts them has no need to decrypt them."""
    if codes is None:
        return 0
    return int(app_settings.RECOVERY_CODE_COUNT - int(codes.instance.data["used_mask"]).bit_count())
