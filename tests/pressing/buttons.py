"""Finds the submit buttons of pages, presses them as a person does, and sees what the page answers."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, Error, Page, Request

from tests.conftest import Server

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=sections/)[\w-]+|(?<=setup/)[\w-]+|\?.*")
SUBMITTERS = "form button:not([type=button], [type=reset]), form input[type=submit], button[form], input[type=image]"
NAME_OF = """button => {
  const action = new URL(button.form.action, location.href).pathname;
  const page = button.closest("header") ? "every page" : location.pathname;
  return [page, action, button.textContent.trim() || button.value];
}"""
SHOW = """button => {
  window.pressed = button;
  for (let each = button; each; each = each.parentElement) {
    if (each.localName === "details") each.open = true;
    if (each.popover && !each.matches(":popover-open")) each.showPopover();
  }
  document.activeElement?.blur();
  for (const place of document.querySelectorAll("[data-press-state]")) place.textContent = "";
  button.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = button.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""
FILL = """button => {
  const given = { email: `dora-${Date.now()}@example.org`, password: "not the password", text: "000000" };
  for (const input of button.form.elements) {
    if (input.required && !input.value && given[input.type]) input.value = given[input.type];
    if (input.required && input.type === "checkbox") input.checked = true;
  }
}"""
EMPTY = """button => {
  const needed = [...button.form.elements].filter((input) => input.required && input.type !== "hidden");
  for (const input of needed) input.value = "";
  return needed.length > 0 && !button.formNoValidate && !button.form.noValidate;
}"""
# What a person sees and where they are: the next page, a field that the browser asks for, or words close to the button
# while the focus is on them or on what they are about.
# The page tells it by itself: while a navigation is under way, Chromium lets nobody ask a page.
WATCH = """button => {
  const answer = () => {
    const active = document.activeElement;
    if (!button.isConnected || active === button || active === document.body) return "";
    if (active.matches(":invalid") && button.form.contains(active)) return "asks for what is missing";
    const isNear = (box, other) => box.top - other.bottom < 150 && other.top - box.bottom < 150;
    const isShown = (box) => box.height > 0 && box.bottom > 0 && box.top < innerHeight;
    const words = [...document.querySelectorAll("[data-press-state]")].find((place) =>
      place.textContent.trim() && isNear(place.getBoundingClientRect(), button.getBoundingClientRect()));
    return words && isShown(active.getBoundingClientRect()) ? words.textContent : "";
  };
  clearInterval(window.watching);
  window.watching = setInterval(() => {
    const words = answer();
    if (!words) return;
    clearInterval(window.watching);
    console.info("The page answers: " + words);
  }, 50);
}"""
TOLD = "The page answers: "
PATIENCE = 15_000
LOOK_EVERY = 50
TRIES = 20

Name = tuple[str, ...]  # of a button, without ids: its page, where its form goes, what it says


@dataclass(frozen=True)
class Place:
    """A page that has forms, and the session in which it is open."""

    path: str
    session: str = ""


@dataclass
class Presser:
    """Opens pages and presses what is on them."""

    server: Server
    context: BrowserContext
    page: Page = field(init=False)
    devtools: CDPSession = field(init=False)
    faults: list[str] = field(default_factory=list)
    _answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.on("requestfinished", self._hear)
        self.page.on("console", self._listen)
        self.page.on("framenavigated", lambda _frame: self._answers.append("goes on"))
        self.devtools = self.context.new_cdp_session(self.page)

    def _hear(self, request: Request) -> None:
        response = request.response()
        if response and response.status >= 500 and not response.headers.get("x-made-by-the-test"):
            self.faults.append(f"{response.status} {request.method} {request.url}")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.text.startswith(TOLD):
            self._answers.append(message.text.removeprefix(TOLD))

    def be(self, session: str) -> None:
        """Be signed in with that session from now on; without one, signed out."""
        self.context.clear_cookies(name="sessionid")
        if session:
            self.context.add_cookies([{"name": "sessionid", "value": session, "url": self.server.url}])

    def open(self, place: Place) -> dict[Name, int]:
        """The buttons of the page, by their names."""
        self.be(place.session)
        self.page.goto(place.path)
        names = self.page.evaluate(f"(window.buttons = [...document.querySelectorAll(`{SUBMITTERS}`)]).map({NAME_OF})")
        return {tuple(ID.sub("", part) for part in name): button for button, name in enumerate(names)}

    def leave(self) -> None:
        """Nothing that waits on the page goes on, and the network is as usual."""
        for _ in range(TRIES):
            try:
                self.page.goto("about:blank")
                break
            except Error:  # its press is just leading somewhere else; after that nothing interrupts this
                self.page.wait_for_timeout(LOOK_EVERY)
        else:
            raise AssertionError("the page can't be left")
        self.page.unroute_all(behavior="ignoreErrors")
        self.context.set_offline(False)

    def do(self, script: str, button: int) -> Any:
        """What a script makes of one of the page's buttons."""
        return self.page.evaluate(f"({script})(window.buttons[{button}])")

    def press(self, button: int) -> str:
        """What the page answers; empty where it is silent."""
        x, y = self.do(SHOW, button)
        self.do(WATCH, button)
        self._answers.clear()
        for event in ("mousePressed", "mouseReleased"):
            at = {"type": event, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.devtools.send("Input.dispatchMouseEvent", at)
        for _ in range(0, PATIENCE, LOOK_EVERY):
            if self._answers:
                break
            self.page.wait_for_timeout(LOOK_EVERY)
        self._stop_loading()
        return next(iter(self._answers), "")

    def _stop_loading(self) -> None:
        """Give up a navigation that the server never answers: until then nobody could go on with the page."""
        with suppress(Error):  # the next page is just replacing this one: nothing is left to give up
            self.devtools.send("Page.stopLoading")
