"""Mails and addresses in templates."""

from __future__ import annotations

from django import template

from accounts import addresses, mails, names

register = template.Library()
register.filter("readable", addresses.readable)


@register.filter
def in_a_line(text: str) -> str:
    """For the text of a mail: what people wrote, with a direction of writing of its own where it needs one."""
    return text if text.isascii() else names.isolated(text)


@register.simple_tag
def mail_reach() -> str:
    """Whom mails reach: "people", "terminal" or "nobody"."""
    return mails.reach()


@register.simple_tag
def mail_folder() -> str:
    return mails.folder()


@register.simple_tag
def code_minutes() -> int:
    return mails.code_minutes()
