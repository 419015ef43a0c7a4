"""A line of the security log: ids and networks, and nothing that somebody typed."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from django.test import RequestFactory

from securitylog import Kind, network_of, note

PERSON = UUID("00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::77", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("", None),
        ("alice@example.org", None),
        (None, None),
    ],
)
def test_of_an_address_the_network_is_kept(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


def test_a_line_has_its_facts_in_words_and_for_programs(caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.77")
    with caplog.at_level(logging.INFO, "plumbline.security"):
        note(Kind.SIGNED_IN, request, person=PERSON, by=None)

    (record,) = caplog.records
    assert record.getMessage() == f"event=signed_in person={PERSON} network=192.0.2.0/24"
    assert record.__dict__["facts"] == {"event": "signed_in", "person": str(PERSON), "network": "192.0.2.0/24"}
    assert record.levelname == "INFO"


def test_what_was_refused_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    note(Kind.DENIED, view="admin:index")

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "event=denied view=admin:index")
    ]


@pytest.mark.parametrize("value", ["alice@example.org", "two words", "line\nbreak", "event=denied", "ü", "x" * 201, ""])
def test_what_is_no_id_is_left_out(value: str, caplog: pytest.LogCaptureFixture) -> None:
    note(Kind.DENIED, view=value)

    assert caplog.messages == ["event=denied view=-"]


def test_of_many_ids_the_first_are_written_and_their_number(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "plumbline.security"):
        note(Kind.ADMINISTRATION, objects=list(range(1000)))

    line = caplog.messages[0]
    assert line.startswith("event=administration objects=0,1,2,")
    assert line.endswith(",48,49 objects_in_all=1000")
