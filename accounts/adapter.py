"""What django-allauth asks of this project."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no annotations for it
    """Makes people in the way of this project."""
