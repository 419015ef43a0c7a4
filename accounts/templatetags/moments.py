"""How every page, print, mail and message writes a moment: in the zone of the installation, which is always named.

`static/js/moments.js` writes the same words in the browser.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

Form = Literal["long", "short", "seconds", "day"]

TIMES = {"long": "H:i", "short": "H:i", "seconds": "H:i:s"}
DAY = "j M Y"

register = template.Library()


@register.filter
def in_words(value: datetime | None, form: Form = "long") -> str:
    """For example "30 Nov 2026, 04:35 UTC"; "" without a moment.

    The short form leaves the date out where it is today; "day" is the date alone, for titles and names of files.
    """
    if value is None:
        return ""
    here = timezone.localtime(value, timezone.get_default_timezone())
    if form == "day":
        return date_format(here, DAY)
    time = f"{date_format(here, TIMES[form])} {zone_name(here)}"
    if form == "short" and here.date() == timezone.localdate(timezone=timezone.get_default_timezone()):
        return time
    return f"{date_format(here, DAY)}, {time}"


@register.filter(name="moment")
def as_element(value: datetime | None, form: Form = "long") -> SafeString | str:
    """The words in a `<time>` element, for pages."""
    if value is None:
        return ""
    here = timezone.localtime(value, timezone.get_default_timezone())
    # The script words a short one again after midnight, so it has to know which ones are short.
    short = format_html(' data-short=""') if form == "short" else ""
    return format_html('<time datetime="{}"{}>{}</time>', here.isoformat(), short, in_words(here, form))


@register.simple_tag
def moment(value: datetime | None, form: Form = "long") -> SafeString | str:
    """`{% moment report.created_at %}`, or with "short" or "seconds" as its form; the same as the filter."""
    return as_element(value, form)


def zone_name(here: datetime) -> str:
    """What people call the zone at that moment, for example "CET"; where it has no letters of its own, "UTC+3"."""
    name, offset = here.tzname() or "", here.utcoffset() or timedelta(0)
    if name.isalpha():
        return name
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"UTC{'-' if offset < timedelta(0) else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


@register.simple_tag
def zone_names() -> str:
    """The names of the installation's zone over a year, each with its minutes from UTC: "60=CET 120=CEST"."""
    zone, now = timezone.get_default_timezone(), datetime.now(UTC)
    year = [(now + timedelta(days=30 * number)).astimezone(zone) for number in range(13)]
    names = {(here.utcoffset() or timedelta(0)) // timedelta(minutes=1): zone_name(here) for here in year}
    return " ".join(f"{minutes}={name}" for minutes, name in sorted(names.items()))


@register.simple_tag
def zone_here() -> str:
    """What the installation's zone is called at the moment."""
    return zone_name(timezone.localtime(timezone.now(), timezone.get_default_timezone()))


@register.simple_tag
def zone() -> str:
    """The installation's zone as programs name it, for example "Europe/Vienna"."""
    return timezone.get_default_timezone_name()
