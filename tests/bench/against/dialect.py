"""How a build wants to be spoken to: read off its own page, as a browser does, and off its answers to saves.

Nothing here knows a revision. The load is the same for every build; only addresses and the names of fields are its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VALUES = "NPLF"
"""The steps of the rating scale, of which each save gives the next."""

UNSCORED = {"exposed": "no", "provider": "no"}
"""Answers that a submission needs besides the rated ones."""
STEPS = "/submissions/{submission}/"
"""Below it a draft is submitted and reopened, by forms without fields."""


class NotUnderstood(RuntimeError):
    """The page is not what a questionnaire's page looks like; the message says what is missing."""


@dataclass
class Page:
    """What the page of questions offers to its scripts."""

    autosave: str = ""
    """Where answers are saved."""
    scripts: list[str] = field(default_factory=list)
    rated: list[str] = field(default_factory=list)
    """The questions that take a step of the rating scale."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._values: dict[str, set[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.autosave = given.get("data-autosave") or self.page.autosave
        if tag == "script" and given.get("src"):
            self.page.scripts.append(given["src"])
        if tag == "input" and given.get("name", "").endswith(":value"):
            self._note(given["name"].removesuffix(":value"), given.get("value", ""))

    def _note(self, question: str, value: str) -> None:
        known = self._values.setdefault(question, set())
        known.add(value)
        if known >= set(VALUES) and question not in self.page.rated:
            self.page.rated.append(question)


def read_page(html: str) -> Page:
    """Raises NotUnderstood."""
    reader = _Reader()
    reader.feed(html)
    if not reader.page.autosave:
        raise NotUnderstood("the page of questions names no address that saves")
    return reader.page


def links_to_sections(html: str, submission: str) -> list[str]:
    """The addresses of the pages of questions, from a submission's overview, in their order."""
    found = re.findall(rf'href="(/submissions/{submission}/[^"#?/]+/)', html)
    return list(dict.fromkeys(found))


def socket_in(script: str) -> str | None:
    """The address of the socket for reports that a page's script names."""
    found = re.search(r"/ws/reports/[\w/-]*", script)
    return found[0] if found else None


@dataclass
class Stored:
    """What is known of a stored answer: the versions by which the build calls it."""

    versions: dict[str, int] = field(default_factory=dict)


def change_of(question: str, value: str, stored: Stored) -> str:
    """The body of a save of one answer's value, in the words that the build used for that answer last.

    Before the first answer it is `version`, which every build takes, with value and note. A build that versions value
    and note apart says so in what it answers, and is then told the value alone, as its own page does.
    """
    change: dict[str, object] = {"question": question, "value": value}
    if "value_version" in stored.versions:
        change["value_version"] = stored.versions["value_version"]
    else:
        change |= {"note": "", "version": stored.versions.get("version", 0)}
    return json.dumps({"changes": [change]}, separators=(",", ":"))


def unscored() -> str:
    """The body of a save of what a submission needs besides the rated answers. Sent again it changes nothing."""
    changes = [{"question": question, "value": value, "note": "", "version": 0} for question, value in UNSCORED.items()]
    return json.dumps({"changes": changes}, separators=(",", ":"))


def stored_by(answer: bytes, question: str) -> tuple[int, Stored]:
    """The revision that a save made, and what is stored of the question since."""
    document = json.loads(answer)
    known = document["answers"][question]
    versions = {name: number for name, number in known.items() if name == "version" or name.endswith("_version")}
    return int(document["revision"]), Stored(versions)


def report_of(frame: bytes) -> tuple[str, int] | None:
    """The submission and the revision of which a frame on the socket says that its report is there; None for others."""
    message = json.loads(frame)
    if not str(message.get("type", "")).startswith("report.") or message.get("state") == "removed":
        return None
    try:
        return str(message["submission"]), int(message["revision"])
    except (KeyError, TypeError, ValueError):
        return None
