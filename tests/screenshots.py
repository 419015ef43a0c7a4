"""Takes the documentation's pictures anew, from a real server and with real answers: `make screenshots`."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, ROOT, Person, Server, chromium
from tests.second_factor import open_switch_on

PICTURES = ROOT / "docs" / "images"
LARGEST = 200_000
PAGES = {
    "about-you": {"sector": "retail", "staff": "10-49", "exposed": "no", "provider": "no"},
    "overview": {"QC-01": "F", "QC-02": "P", "QC-03": "L"},
    "sign-in": {"QC-04": "F", "QC-05": "L", "QC-06": "N"},
    "access": {"QC-07": "F", "QC-08": "P", "QC-09": "P", "QC-10": "L"},
    "prepared": {"QC-11": "N", "QC-12": "dont_know"},
}
"""The worked example of the scoring: 50 of 100 points, C capped to D by QC-06."""


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit("Chromium is missing; install it (on Debian: apt-get install chromium-headless-shell).")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "data")
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
            context = browser.new_context(
                base_url=server.url,
                viewport={"width": 1280, "height": 1000},
                color_scheme="light",
                reduced_motion="reduce",
            )
            alice = server.person("alice@example.org", "Acme Ltd", name="Alice")
            alice.sign_in(context)
            page = context.new_page()
            take_pictures(page)
            take_picture_of_the_second_factor(page, alice)
        finally:
            server.stop()


def take_pictures(page: Page) -> None:
    """Answer the quick check as anybody would, and photograph it on the way."""
    page.goto("/questionnaires/")
    page.get_by_role("button", name="Start Security quick check").click()
    page.wait_for_url("**/submissions/**")
    draft = page.url
    for section, answers in PAGES.items():
        page.goto(f"{draft}sections/{section}/")
        for question, answer in answers.items():
            page.locator(f'[name="{question}:value"][value="{answer}"]').check()
            expect(page.locator(f'[data-question="{question}"] [data-save-state]')).to_have_text(re.compile("^Saved"))
        if section == "sign-in":
            expect(page.locator("[data-live-panel]")).to_contain_text("6 of 12 scored questions answered")
            page.locator("#q-QC-05").evaluate("question => scrollTo(0, question.offsetTop - 24)")
            take(page, "answering.png")
    page.goto(f"{draft}review/")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/reports/**")
    expect(page.locator(".verdict")).to_contain_text("1 essential missing; it keeps the rating at D or below:")
    take(page, "report.png")


def take_picture_of_the_second_factor(page: Page, person: Person) -> None:
    """Go as far as the secret, which nobody ever uses."""
    page.set_viewport_size({"width": 1280, "height": 860})
    open_switch_on(page, person)
    take(page, "second-factor.png")


def take(page: Page, name: str) -> None:
    """Store what is on the screen; exits where the file is too large for a README."""
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=PICTURES / name, animations="disabled")
    size = (PICTURES / name).stat().st_size
    print(f"docs/images/{name}: {size // 1000} KB")  # noqa: T201
    if size > LARGEST:
        sys.exit(f"docs/images/{name} has more than {LARGEST // 1000} KB; show less on it.")


if __name__ == "__main__":
    main()
