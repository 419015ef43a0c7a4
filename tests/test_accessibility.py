"""axe finds no violation on any customer page, light and dark, phone and desk; and nothing scrolls sideways."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.conftest import Server
from tests.second_factor import open_switch_on, session_of, sign_in, switch_on
from tests.walking import GOLDEN, answer_everything, answer_page, start_quick_check

pytestmark = [pytest.mark.browser, pytest.mark.process]

TOO_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > root.clientWidth)
    .map((element) => element.outerHTML.slice(0, 120));
}"""
LOOKS = [(width, scheme) for width in (320, 1280) for scheme in ("light", "dark")]
LONG_WORDS = """
from accounts.models import Organisation, User
from answers.saving import Change, save_answers
from answers.submissions import start

alice = User.objects.get(email={email!r})
alice.name = "W" * 110
alice.save()
Organisation.objects.filter(memberships__user=alice).update(name="M" * 110)
for name in ("M" * 110, "\u05de\u05d0\u05e4\u05d9\u05d9\u05d4 Tel Aviv"):
    alice.join(Organisation.objects.create(name=name))
home = alice.organisation
draft = start(alice, "quick-check", organisation=home, name="W" * 118)
start(alice, "quick-check", organisation=home, name="\u05de\u05d0\u05e4\u05d9\u05d9\u05d4 Tel Aviv")
notes = {{"QC-01": "https://example.org/" + "x" * 110, "QC-02": "\u05de\u05d0\u05e4 (Tel) " * 9}}
save_answers(draft.pk, alice, [Change(question=name, value="F", note=note) for name, note in notes.items()])
print(draft.pk, home.pk)
"""
CROWDED = (
    "/questionnaires/?organisation={home}",
    "/questionnaires/quick-check/start/",
    "/questionnaires/quick-check/start/?organisation={home}",
    "/submissions/{draft}/",
    "/submissions/{draft}/review/",
    "/submissions/{draft}/delete/",
    "/reports/?organisation={home}",
    "/accounts/email/",
)
SECOND_FACTOR = {
    "ready": ("/accounts/2fa/", "/accounts/2fa/totp/activate/"),
    "protected": (
        "/accounts/2fa/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/reauthenticate/",
        "/accounts/reauthenticate/",
    ),
    "half-way": ("/accounts/2fa/authenticate/",),
}
PUBLIC = ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere")
PERSONAL = (
    "/questionnaires/",
    "/questionnaires/quick-check/start/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/reports/",
    "{submission}",
    "{section}",
    "{submission}review/",
    "{submission}delete/",
    "{draft_report}",
    "{final_report}",
)


@pytest.fixture(scope="module")
def places(server: Server, browser: Browser) -> dict[str, str]:
    """A person with a draft and a final report; gives the cookie and the addresses."""
    person = server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}", name="Alice")
    context = browser.new_context(base_url=server.url)
    person.sign_in(context)
    page = context.new_page()
    start_quick_check(page)
    answer_everything(page, GOLDEN | {"exposed": "no", "provider": "no"})
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}/$"))
    final_report = page.url
    start_quick_check(page)
    submission = re.sub(r"sections/.*", "", page.url)
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").click()
    answer_page(page, {"QC-01": "F", "QC-02": "N", "QC-03": "dont_know"})
    section = page.url
    link = page.get_by_role("link", name="Read the whole report so far")
    link.wait_for()
    draft_report = server.url + str(link.get_attribute("href"))
    context.close()
    return {
        "session": person.session_key,
        "submission": submission,
        "section": section,
        "draft_report": draft_report,
        "final_report": final_report,
    }


@pytest.fixture(scope="module")
def sessions(server: Server, browser: Browser) -> dict[str, str]:
    """Somebody about to switch the second factor on, somebody who has it, and somebody of whom it is asked."""
    ready = server.person(f"ready-{uuid4().hex}@example.org")
    protected = server.person(f"protected-{uuid4().hex}@example.org")
    found = {}
    for name, person in (("ready", ready), ("protected", protected)):
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        sign_in(page, person)
        open_switch_on(page, person)
        if name == "protected":
            switch_on(page)
        found[name] = session_of(context)
        context.close()
    context = browser.new_context(base_url=server.url)
    sign_in(context.new_page(), protected)
    found["half-way"] = session_of(context)
    context.close()
    return found


def faults(page: Page) -> list[str]:
    """What axe complains of, and whether the page is wider than the window."""
    found = [
        f"{violation['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
    ]
    found += [f"wider than the window: {element}" for element in page.evaluate(TOO_WIDE)]
    return [f"{page.url}: {fault}" for fault in found]


def look(browser: Browser, server: Server, paths: list[str], width: int, scheme: str, session: str = "") -> list[str]:
    """Open each page in one look, all details open, and collect the faults."""
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    page = context.new_page()
    found = []
    for path in paths:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found += faults(page)
        if page.locator("#organisation-menu").count():
            page.locator("[popovertarget=organisation-menu]").click()
            found += faults(page)
    context.close()
    return found


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_public_pages_have_no_violation(browser: Browser, server: Server, width: int, scheme: str) -> None:
    assert look(browser, server, list(PUBLIC), width, scheme) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_personal_pages_have_no_violation(
    browser: Browser, server: Server, places: dict[str, str], width: int, scheme: str
) -> None:
    paths = [path.format(**places) for path in PERSONAL]
    assert look(browser, server, paths, width, scheme, places["session"]) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_long_and_foreign_words_of_people_widen_no_page(
    browser: Browser, server: Server, width: int, scheme: str
) -> None:
    person = server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}", name="Alice")
    made = server.manage("shell", "--no-imports", "-c", LONG_WORDS.format(email=person.email))
    assert made.returncode == 0, made.stderr
    draft, home = made.stdout.split()
    paths = [path.format(draft=draft, home=home) for path in CROWDED]

    assert look(browser, server, paths, width, scheme, person.session_key) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_pages_of_the_second_factor_have_no_violation(
    browser: Browser, server: Server, sessions: dict[str, str], width: int, scheme: str
) -> None:
    found = [
        fault
        for name, paths in SECOND_FACTOR.items()
        for fault in look(browser, server, list(paths), width, scheme, sessions[name])
    ]
    assert found == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_refused_submission_and_a_wrong_password_have_no_violation(
    browser: Browser, server: Server, places: dict[str, str], width: int, scheme: str
) -> None:
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(f"eve-{uuid4().hex}@example.org")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.get_by_text(re.compile("at least 10 characters", re.IGNORECASE)).first.wait_for()
    found = faults(page)
    context.add_cookies([{"name": "sessionid", "value": places["session"], "url": server.url}])
    page.goto(places["submission"] + "review/")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("alert").wait_for()
    found += faults(page)
    context.close()
    assert found == []


def test_the_administration_fits_on_a_phone_whoever_is_signed_in(server: Server, browser: Browser) -> None:
    person = server.person(f"a-long-name-{uuid4().hex}@operations.example.org", f"Acme {uuid4().hex}", is_admin=True)
    context = browser.new_context(base_url=server.url, viewport={"width": 320, "height": 900})
    person.sign_in(context)
    page = context.new_page()
    for address in ("/admin/", "/admin/eventbus/subscriptionstate/", "/admin/reports/report/"):
        page.goto(address)
        assert page.evaluate(TOO_WIDE) == [], address
    context.close()
