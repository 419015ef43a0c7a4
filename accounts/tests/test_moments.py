"""Moments: one zone, always named, in the same words everywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import timezone
from pytest_django import Settings

from accounts.templatetags.moments import in_words, zone_names

MIDNIGHT = datetime(2026, 11, 29, 23, 51, 7, tzinfo=UTC)
# What writes moments otherwise: Django's own filters and tags, and the browser's.
OTHERWISE = re.compile(
    r"\|\s*(?:date|time|timesince|timeuntil|naturaltime|naturalday)\b(?!:\"U\.u\")|{%\s*now\b"
    r"|toLocale(?:Time|Date)?String\(|\.to(?:Time|Date)String\(|DateTimeFormat"
)
PLACES = ("templates/**/*.html", "templates/**/*.txt", "static/js/*.js")
THE_PLACE = "static/js/moments.js"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "29 Nov 2026, 23:51 UTC"),
        ("Europe/Vienna", "30 Nov 2026, 00:51 CET"),
        ("Asia/Kolkata", "30 Nov 2026, 05:21 IST"),
        ("America/Sao_Paulo", "29 Nov 2026, 20:51 UTC-3"),
        ("Asia/Kathmandu", "30 Nov 2026, 05:36 UTC+5:45"),
    ],
)
def test_a_moment_has_its_date_and_the_name_of_the_installations_zone(
    settings: Settings, zone: str, words: str
) -> None:
    settings.TIME_ZONE = zone

    assert in_words(MIDNIGHT) == words


def test_a_moment_of_summer_has_the_zones_name_in_summer(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Vienna"

    assert in_words(datetime(2026, 7, 1, 12, tzinfo=UTC)) == "1 Jul 2026, 14:00 CEST"
    assert zone_names() == "60=CET 120=CEST"


def test_no_other_zone_gets_a_say(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Vienna"

    with timezone.override("Asia/Tokyo"):
        assert in_words(MIDNIGHT) == "30 Nov 2026, 00:51 CET"


def test_a_page_gets_an_element_that_programs_can_read(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    page = Template('{% load moments %}{% moment value %} {{ value|moment:"seconds" }} {% moment nothing %}')

    assert page.render(Context({"value": MIDNIGHT, "nothing": None})) == (
        '<time datetime="2026-11-30T00:51:07+01:00">30 Nov 2026, 00:51 CET</time> '
        '<time datetime="2026-11-30T00:51:07+01:00">30 Nov 2026, 00:51:07 CET</time> '
    )


def test_only_todays_moments_may_do_without_the_date(settings: Settings) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    today = timezone.localtime(timezone.now(), timezone.get_default_timezone())

    assert re.fullmatch(r"\d\d:\d\d NZ[SD]T", in_words(today, "short"))
    assert re.fullmatch(r"\d\d? [A-Z][a-z]{2} \d{4}, \d\d:\d\d NZ[SD]T", in_words(today - timedelta(days=1), "short"))


def test_no_template_and_no_script_writes_a_moment_otherwise() -> None:
    root = Path(settings.ROOT)
    looked_at = sorted(path for pattern in PLACES for path in root.glob(pattern) if not path.match(THE_PLACE))

    assert len(looked_at) > 100
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in looked_at
        for line in path.read_text().splitlines()
        if OTHERWISE.search(line)
    ]
    assert found == []
