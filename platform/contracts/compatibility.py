"""Keeping the contracts' promises: the JSON Schema of each version is committed, and may only be widened.

`python -m contracts.compatibility` writes the schemas that are missing or were compatibly extended.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from contracts.answers import AnswerEvent
from contracts.cloudevents import Event
from contracts.mails import MailEvent
from contracts.organisations import OrganisationEvent
from contracts.reports import ReportEvent

FOLDER = Path(__file__).parent / "schemas"
CONTRACTS: tuple[type[Event], ...] = (AnswerEvent, ReportEvent, MailEvent, OrganisationEvent)
_PROSE = {"title", "description", "default"}


def committed_file(contract: type[Event]) -> Path:
    """Where the schema of the contract's present version is kept."""
    return FOLDER / f"{contract.TYPE}.v{contract.VERSION}.json"


def broken_promises(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a document that fits `old` may have and `new` refuses; empty: every stored event can still be read."""
    return _compare(old, new, old, new, "event")


def _compare(old: Any, new: Any, old_root: Any, new_root: Any, place: str) -> list[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [] if old == new or new is True or new == {} else [f"{place}: {old} became {new}"]
    problems = []
    for word in sorted((old.keys() | new.keys()) - _PROSE - {"properties", "required", "enum", "const", "$defs"}):
        problems += _compare_word(word, old, new, old_root, new_root, place)
    problems += [f"{place}.{name}: is required now" for name in _required(new) - _required(old)]
    for name, part in old.get("properties", {}).items():
        kept = new.get("properties", {}).get(name)
        if kept is None:
            problems.append(f"{place}.{name}: is gone")
        else:
            problems += _compare(part, kept, old_root, new_root, f"{place}.{name}")
    old_values, new_values = _values(old), _values(new)
    if new_values is not None:
        lost = {"anything else"} if old_values is None else set(old_values) - set(new_values)
        problems += [f"{place}: {value!r} is refused now" for value in sorted(lost)]
    return problems


def _compare_word(
    word: str, old: dict[str, Any], new: dict[str, Any], old_root: Any, new_root: Any, place: str
) -> list[str]:
    """A restriction may go, but not come or change; what nests is compared inside."""
    if word not in new:
        return []
    if word not in old:
        return [f"{place}: {word} {new[word]!r} is demanded now"]
    if isinstance(old[word], dict):
        return _compare(old[word], new[word], old_root, new_root, f"{place}.{word}")
    if word == "anyOf":
        parts = [
            part for part in old[word] if all(_compare(part, other, old_root, new_root, place) for other in new[word])
        ]
        return [f"{place}: {part} is refused now" for part in parts]
    return [] if old[word] == new[word] else [f"{place}: {word} was {old[word]!r} and is {new[word]!r}"]


def _resolved(part: Any, root: Any) -> Any:
    if isinstance(part, dict) and "$ref" in part:
        return root["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def _required(part: dict[str, Any]) -> set[str]:
    return set(part.get("required", ()))


def _values(part: dict[str, Any]) -> list[Any] | None:
    """The values that are allowed, where they are listed."""
    return [part["const"]] if "const" in part else part.get("enum")


def main() -> int:
    """Write the schemas; refuse what would break a promise."""
    for contract in CONTRACTS:
        file, schema = committed_file(contract), contract.json_schema()
        problems = broken_promises(json.loads(file.read_text()), schema) if file.exists() else []
        if problems:
            sys.stderr.write(f"{contract.TYPE}: raise VERSION, since\n  " + "\n  ".join(problems) + "\n")
            return 1
        file.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
