"""Events of other versions, as those recorded them: older ones are read, and of newer ones what can be."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contracts import ContractError, UnknownForm, event_from_cloudevent

RECORDED = Path(__file__).resolve().parents[3] / "tests" / "data"
Document = dict[str, Any]


def _of_0_1_0() -> list[Document]:
    with zipfile.ZipFile(RECORDED / "version_0_1_0.plumbline") as archive:
        column = json.loads(archive.read("manifest.json"))["tables"]["eventbus_event"]["columns"].index("payload")
        return [json.loads(row)[column] for row in archive.read("tables/eventbus_event.jsonl").splitlines()]


def _of_0_2_0() -> list[Document]:
    return list(json.loads((RECORDED / "events_of_0_2_0.json").read_text()))


def of_later(kind: str) -> list[Document]:
    """What a later version may publish."""
    return list(json.loads((RECORDED / "events_of_later_versions.json").read_text())[kind])


def _states(documents: list[Document]) -> set[tuple[str, str]]:
    return {(each["source"], each["data"]["state"]) for each in documents}


def test_the_records_hold_the_states_that_there_were() -> None:
    assert len(_of_0_1_0()) >= 9
    assert _states(_of_0_2_0()) == {
        *(("/answers", state) for state in ("new", "changed", "submitted", "deleted")),
        *(("/security", state) for state in ("evaluated", "withdrawn")),
        *(("/reports", state) for state in ("new", "changed", "removed")),
    }


def test_each_event_of_the_first_version_is_read() -> None:
    for document in _of_0_1_0():
        event = event_from_cloudevent(document)
        assert (str(event.id), event.key, f"/{event.source}") == tuple(
            document[name] for name in ("id", "subject", "source")
        )


def test_each_event_of_0_2_0_is_read_with_all_that_it_holds() -> None:
    for document in _of_0_2_0():
        assert event_from_cloudevent(document).to_cloudevent() == document


def _without(document: Any, known: Any) -> Any:
    """The document without what `known` does not have."""
    if isinstance(known, dict):
        return {name: _without(document[name], part) for name, part in known.items() if name in document}
    return document


@pytest.mark.parametrize("document", of_later("unknown members"), ids=lambda each: str(each["type"]))
def test_members_that_nobody_knows_yet_are_ignored_wherever_they_are(document: Document) -> None:
    read = event_from_cloudevent(document).to_cloudevent()

    assert read == _without(document, read)
    assert "round" not in json.dumps(read)
    assert "given_by" not in json.dumps(read)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("unknown version", "dataschema: this version reads /schemas/.*.v1.json, not '/schemas/.*.v2.json'"),
        ("unknown state", "state: Input should be .*'new', .*"),
    ],
)
def test_a_version_or_a_state_that_nobody_knows_yet_is_no_mistake(kind: str, says: str) -> None:
    for document in of_later(kind):
        with pytest.raises(UnknownForm, match=says + ". Where a newer version wrote it") as refusal:
            event_from_cloudevent(document)
        assert "reviewed" not in str(refusal.value)


def test_a_type_that_nobody_knows_yet_is_no_mistake_either() -> None:
    with pytest.raises(UnknownForm, match="type: this version knows no 'WeatherEvent'"):
        event_from_cloudevent(_of_0_2_0()[0] | {"type": "WeatherEvent"})


@pytest.mark.parametrize("name", ["specversion", "dataschema", "data"])
def test_what_lacks_a_part_of_its_envelope_breaks_the_contract(name: str) -> None:
    document = _of_0_2_0()[0]
    del document[name]
    with pytest.raises(ContractError, match=f"^{name}: "):
        event_from_cloudevent(document)
