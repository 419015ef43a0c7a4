"""A report with anybody's words fits a small phone, and its print says what it is."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import Person, Server
from tests.walking import GOLDEN

pytestmark = [pytest.mark.browser, pytest.mark.process]

LONG = "https://example.org/" + "a" * 110
HEBREW = "אבג Microsoft 365 דהו"
MAKE_REPORT = """
import json
from uuid import uuid4
from accounts.models import Organisation
from questionnaires import library
from reports.models import Feed, Report
from security.scoring import ENGINE, evaluate

given = json.loads({given!r})
organisation = Organisation.objects.get(name=given["organisation"])
questionnaire = library.current("quick-check")
document = evaluate(questionnaire, given["answers"]).to_document()
report = Report.objects.create(
    organisation=organisation,
    submission=uuid4(),
    line=uuid4(),
    line_name=given["line"],
    questionnaire_slug=questionnaire.slug,
    questionnaire_version=questionnaire.version,
    questionnaire_digest=questionnaire.digest,
    questionnaire_title=questionnaire.title,
    revision=1,
    provisional=False,
    engine=ENGINE,
    values={{key: {{"value": value, "note": given["note"]}} for key, value in given["answers"].items()}},
    evaluation=document,
    rating=document["rating"],
    score=document["score"],
    score_high=document["score_high"],
    position=Feed.objects.advance(organisation.pk),
    event_id=uuid4(),
)
print(report.pk)
"""


@pytest.fixture
def organisation() -> str:
    return f"{'Bäckerei' * 8}{uuid4().hex}"


@pytest.fixture
def alice(server: Server, context: BrowserContext, organisation: str) -> Person:
    person = server.person(f"alice-{uuid4().hex}@example.org", organisation)
    person.sign_in(context)
    return person


def report(server: Server, organisation: str, *, line: str, note: str) -> str:
    """The address of a final report in which eleven answers carry the note, and one a long reason."""
    answers = {**GOLDEN, "QC-11": {"not_applicable": note}, "website": note}
    given = {"organisation": organisation, "line": line, "note": note, "answers": answers}
    made = server.manage("shell", "--no-imports", "-c", MAKE_REPORT.format(given=json.dumps(given)))
    assert made.returncode == 0, made.stderr
    return f"/reports/{made.stdout.strip().splitlines()[-1]}/"


@pytest.mark.parametrize("medium", ["screen", "print"])
def test_long_words_never_widen_it(server: Server, alice: Person, organisation: str, page: Page, medium: str) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    address = report(server, organisation, line="x" * 120, note=LONG)
    page.emulate_media(media="print" if medium == "print" else "screen")
    for shown in (address, "/reports/"):
        page.goto(shown)
        page.locator("details").evaluate_all("all => all.forEach((details) => { details.open = true; })")

        assert page.evaluate("document.documentElement.scrollWidth") <= 320, shown


def test_what_people_wrote_runs_in_its_own_direction(
    server: Server, alice: Person, organisation: str, page: Page
) -> None:
    page.goto(report(server, organisation, line=HEBREW, note=HEBREW))

    notes = page.locator(".finding .asked-note p")
    expect(notes.first).to_have_text(HEBREW)
    assert notes.first.evaluate("note => getComputedStyle(note).direction") == "rtl"
    expect(page.locator("h1 bdi")).to_contain_text(HEBREW)
    expect(page.locator(".answers-table [dir=auto]").first).to_have_text(HEBREW)


def test_its_print_names_organisation_line_date_and_zone(
    server: Server, alice: Person, organisation: str, page: Page
) -> None:
    page.goto(report(server, organisation, line="Shop Linz", note=""))
    page.emulate_media(media="print")

    assert re.fullmatch(
        rf"Security quick check: Shop Linz, {organisation}, \d+ \w{{3}} \d{{4}} · Plumbline", page.title()
    )
    head = page.locator(".report-head")
    expect(head).to_contain_text(organisation)
    expect(head).to_contain_text("Security quick check: Shop Linz")
    expect(head).to_contain_text(re.compile(r"\d+ \w{3} \d{4}, \d\d:\d\d UTC"))
    expect(page.locator(".live-newer")).to_be_hidden()
