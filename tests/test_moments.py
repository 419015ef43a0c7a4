"""One clock on every page, wherever the browser is: in Chromium, against real servers in zones of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.process]

# Its day is another than the browser's for eleven or twelve hours of each.
FAR_AWAY = "Pacific/Auckland"
BERLIN = "Europe/Berlin"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STAMP = re.compile(r"\d\d? [A-Z][a-z]{2} \d{4}, \d\d:\d\d NZ[SD]T")


@pytest.fixture(scope="module")
def far_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("moments") / "data", TIME_ZONE=FAR_AWAY)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(far_server: Server, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=far_server.url, timezone_id=BERLIN, locale="de-DE")
    far_server.person(f"alice-{uuid4().hex}@example.org", uuid4().hex, name="Alice").sign_in(context)
    yield context.new_page()
    context.close()


WORDS = (
    "({zone, names, moments, short}) => { Object.assign(document.documentElement.dataset, {zone, zoneNames: names});"
    + (
        " return import(`/static/js/moments.js?${Math.random()}`)"
        ".then(({words}) => moments.map((one) => words(one, {short}))); }"
    )
)


@pytest.mark.parametrize(
    ("zone", "names"),
    [
        ("UTC", "0=UTC"),
        (BERLIN, "60=CET 120=CEST"),
        (FAR_AWAY, "720=NZST 780=NZDT"),
        ("Asia/Kathmandu", "345=UTC+5:45"),
        ("America/St_Johns", "-210=NST -150=NDT"),
    ],
)
def test_the_script_writes_a_moment_in_the_words_of_the_server(page: Page, zone: str, names: str) -> None:
    here = ZoneInfo(zone)
    first = datetime(2026, 1, 1, 0, 0, 30, 600_000, tzinfo=UTC)
    # Different hours of days in all months, and both sides of the hour that the browser's own clock has twice.
    moments = [first + timedelta(days=9 * number, minutes=61 * number) for number in range(41)]
    moments += [datetime(2026, 10, 25, hour, 59, 59, tzinfo=UTC) for hour in range(4)]
    page.goto("/questionnaires/")

    arguments = {"zone": zone, "names": names, "moments": [one.isoformat() for one in moments], "short": False}
    written = page.evaluate(WORDS, arguments)

    called = dict(pair.split("=") for pair in names.split())
    expected = []
    for local in (one.astimezone(here) for one in moments):
        name = called[str((local.utcoffset() or timedelta(0)) // timedelta(minutes=1))]
        expected.append(f"{local.day} {MONTHS[local.month - 1]} {local.year}, {local:%H:%M} {name}")
    assert written == expected


def test_a_zone_that_the_browser_does_not_know_becomes_utc_and_says_so(page: Page) -> None:
    page.goto("/questionnaires/")

    arguments = {"zone": "Moon/Tycho", "names": "7=TYC", "moments": ["2026-11-29T23:51:00Z"], "short": False}

    assert page.evaluate(WORDS, arguments) == ["29 Nov 2026, 23:51 UTC"]


def test_a_short_moment_gets_its_date_after_midnight(page: Page) -> None:
    # 23:59 in Auckland, while Berlin has noon.
    page.clock.install(time=datetime(2026, 11, 30, 10, 59, tzinfo=UTC))
    page.goto("/questionnaires/")
    page.evaluate(
        "() => import('/static/js/moments.js').then(({element}) =>"
        " document.querySelector('h1').append(element('2026-11-30T10:58:00Z', {short: true})))"
    )
    time = page.locator("h1 time")
    expect(time).to_have_text("23:58 NZDT")

    page.clock.run_for(2 * 60 * 1000)

    expect(time).to_have_text("30 Nov 2026, 23:58 NZDT")


def test_every_page_of_an_answers_road_names_the_same_clock(page: Page) -> None:
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Security quick check").click()
    page.wait_for_url("**/submissions/**")
    overview = page.url
    page.get_by_role("link", name="Begin").click()
    radio = page.locator("input[type=radio]").first
    radio.check()
    saved = page.locator('[data-save-state="saved"]')
    expect(saved).to_have_text(re.compile(r"^Saved \d\d:\d\d NZ[SD]T$"))
    here = datetime.now(ZoneInfo(FAR_AWAY))
    around = {f"{here + timedelta(minutes=late):%H:%M}" for late in (-2, -1, 0)}
    assert saved.inner_text().split()[1] in around

    page.goto(f"{overview}delete/")
    assert STAMP.search(page.locator("main").inner_text())
    page.goto("/questionnaires/")
    listed = page.locator("main time").first
    assert STAMP.fullmatch(listed.inner_text())
    assert (listed.get_attribute("datetime") or "")[-6:] in ("+12:00", "+13:00")
