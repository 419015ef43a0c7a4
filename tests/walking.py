"""The steps of a person who answers the quick check: with labels and roles, as somebody with a screen reader would."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

GOLDEN = {
    "QC-01": "F",
    "QC-02": "P",
    "QC-03": "L",
    "QC-04": "F",
    "QC-05": "L",
    "QC-06": "N",
    "QC-07": "F",
    "QC-08": "P",
    "QC-09": "P",
    "QC-10": "L",
    "QC-11": "N",
    "QC-12": "dont_know",
}
"""The answers of the scoring's golden vector: 50 points, C capped to D because QC-06 failed, at most 58.3."""


def start_quick_check(page: Page) -> None:
    """From the list to the first page of questions."""
    page.goto("/questionnaires/")
    page.get_by_role("button", name=re.compile("start", re.IGNORECASE)).first.click()
    again = page.get_by_role("button", name=re.compile("^Start (another draft|the next one)$"))
    overview = page.get_by_role("link", name="Begin")
    expect(again.or_(overview).first).to_be_visible()
    if again.count():  # it was assessed before
        again.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Security quick check")
    page.get_by_role("link", name="Begin").click()
    page.wait_for_url("**/sections/*/")


def choose(page: Page, question_id: str, value: str) -> None:
    """Pick a radio of a question by its value."""
    page.locator(f'input[type=radio][name*="{question_id}"][value="{value}"]').check()


def answer_page(page: Page, answers: dict[str, str]) -> list[str]:
    """Answer whatever of this is asked on the page; gives the ids that were."""
    asked = [name for name in answers if page.locator(f'input[type=radio][name*="{name}"]').first.is_visible()]
    for name in asked:
        choose(page, name, answers[name])
    return asked


def go_on(page: Page) -> None:
    """Save the page and be on the next one: it asks the server first whether what it has can be saved."""
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").click()


def answer_everything(page: Page, answers: dict[str, str]) -> None:
    """Go through all pages until the review."""
    for _ in range(20):
        if "/sections/" not in page.url:
            break
        answer_page(page, answers)
        go_on(page)
    expect(page).to_have_url(re.compile(r"/review/$"))
