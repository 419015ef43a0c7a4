"""YAML with line numbers, and only the harmless part of it: mappings, lists and plain values.

Scalars follow YAML 1.2: only `true` and `false` are booleans, so that an author's `yes` stays the answer "yes".
Tags, aliases, complex and duplicate keys are refused: they have no place in a questionnaire, and aliases can blow up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from django.utils.translation import gettext as _
from pydantic import JsonValue
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from questionnaires.numbers import both_readings, is_ambiguous

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_DIGITS = 15
MAX_PROBLEMS = 100

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands: the keys and list positions that lead to it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, JsonValue] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Problem:
    """One mistake in a file: its line, what is wrong, and what to do about it; two sentences."""

    line: int
    wrong: str
    advice: str

    def __str__(self) -> str:
        return f"{self.line}: {' '.join(self.wrong.split())} {self.advice}"


class InvalidDefinition(ValueError):
    """A questionnaire file with mistakes: all that were found, by line, or the first hundred."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems[:MAX_PROBLEMS], key=lambda problem: problem.line)
        if len(problems) > MAX_PROBLEMS:
            last = self.problems[-1].line
            self.problems.append(Problem(last, _("There are more mistakes than these."), _("Correct these first.")))
        super().__init__("\n".join(f"line {problem}" for problem in self.problems))


@dataclass
class Document:
    """What a file says, and on which line it says what."""

    value: JsonValue = None
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of the value at this path, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(content: bytes) -> Document:
    """Parse one YAML document. Raises InvalidDefinition, and nothing else, whatever the content."""
    text = _decode(content)
    reader = _Reader()
    try:
        document = reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, InvalidDefinition):
            raise
        # ValueError: a character that does not exist, written as an escape.
        raise _refusal(1, _("This is not YAML: %(why)s.") % {"why": " ".join(str(error).split())}) from None
    if reader.problems:
        raise InvalidDefinition(reader.problems)
    return document


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _refusal(1, _("The file is larger than 1 MiB."), _("Split it into several questionnaires."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(line, _("This is not UTF-8 text."), _("Save the file as UTF-8.")) from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _refusal(line, _("There is a control character."), _("Delete it."))
    return text


def _refusal(line: int, wrong: str, advice: str = "") -> InvalidDefinition:
    return InvalidDefinition([Problem(line, wrong, advice or _("Correct it and check again."))])


def _syntax_error(error: yaml.MarkedYAMLError) -> InvalidDefinition:
    mark = error.problem_mark or error.context_mark
    wrong = _("This is not YAML: %(why)s.") % {"why": error.problem or error.context or _("it cannot be read")}
    advice = _("Look at the indentation, colons and quotation marks on this line and the one before.")
    return _refusal(mark.line + 1 if mark else 1, wrong, advice)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Reader:
    """Builds the value from the parser's events, which never expand anything."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.document = Document()

    def read(self, events: Iterator[Event]) -> Document:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if self.document.lines:
                    advice = _("Put each questionnaire into a file of its own.")
                    raise _refusal(_line(event), _("A second document begins here."), advice)
                self.document.value = self.value(next(events), events, ())
        return self.document

    def refuse(self, event: Event, wrong: str, advice: str) -> None:
        self.problems.append(Problem(_line(event), wrong, advice))

    def value(self, event: Event, events: Iterator[Event], path: Path) -> JsonValue:
        self.document.lines.setdefault(path, _line(event))
        if len(path) > MAX_DEPTH:
            raise _refusal(_line(event), _("This is nested too deeply."), _("Make it flatter."))
        if isinstance(event, AliasEvent):
            self.refuse(event, _("Aliases (*name) are not allowed."), _("Write the text out."))
            return None
        if getattr(event, "tag", None) not in (None, "!"):
            self.refuse(event, _("Tags (!name) are not allowed."), _("Remove the tag."))
        if isinstance(event, SequenceStartEvent):
            return self.sequence(events, path)
        if isinstance(event, MappingStartEvent):
            return self.mapping(events, path)
        if isinstance(event, ScalarEvent):
            text = self.text(event)
            return self.plain(event, text) if event.implicit[0] else text
        return None

    def plain(self, event: ScalarEvent, text: str) -> JsonValue:
        if is_ambiguous(text) and "." in text:
            whole, decimal = both_readings(text)
            self.refuse(
                event,
                _("“%(number)s” can be read in two ways.") % {"number": text},
                _("Write %(whole)s or %(decimal)s, or put it in quotation marks if it is a text.")
                % {"whole": whole, "decimal": decimal},
            )
        return _plain_value(text)

    def sequence(self, events: Iterator[Event], path: Path) -> list[JsonValue]:
        items: list[JsonValue] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self.value(event, events, (*path, len(items))))
        return items

    def mapping(self, events: Iterator[Event], path: Path) -> dict[str, JsonValue]:
        entries: dict[str, JsonValue] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self.key(event, events, path)
            if key in entries:
                self.refuse(event, _("“%(key)s” is given twice.") % {"key": key}, _("Keep one of the two."))
            self.document.lines.setdefault((*path, key), _line(event))
            entries[key] = self.value(next(events), events, (*path, key))
        return entries

    def key(self, event: Event, events: Iterator[Event], path: Path) -> str:
        if isinstance(event, ScalarEvent):
            return self.text(event)
        self.refuse(event, _("Only a word can stand before the colon."), _("Remove the brackets or the question mark."))
        self.value(event, events, (*path, "?"))
        return "?"

    def text(self, event: ScalarEvent) -> str:
        if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in event.value):
            self.refuse(event, _("There is a control character in this text."), _("Remove it."))
            return "?"
        return str(event.value)


def _plain_value(text: str) -> JsonValue:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
