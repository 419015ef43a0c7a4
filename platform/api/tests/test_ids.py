"""Global ids: opaque, typed, and one text for one object."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest

from accounts.models import User
from api import ids
from config.tests.whole_schema import data

KEY = UUID("0c9dbdba-6f4e-4f4e-8a38-5a1a3a6ac2f5")


def test_an_id_leads_back_to_its_type_and_key() -> None:
    assert ids.decode(ids.encode("Report", KEY)) == ("Report", str(KEY))
    assert ids.key_of("Report", ids.encode("Report", KEY)) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "\ud800",
        "UmVwb3J0",
        ids.encode("Submission", KEY),
        ids.encode("Report", "nonsense"),
        ids.encode("Report", str(KEY).upper()),
        ids.encode("Report", KEY) + "=",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_any_other_text_names_nothing(text: str) -> None:
    assert ids.key_of("Report", text) == ids.NOTHING


@pytest.mark.parametrize("kind", ["Person", "PageInfo", "Query", "Nonsense", "Node", "String"])
def test_a_type_without_ids_has_no_node(alice: User, kind: str) -> None:
    assert data(alice, "query ($id: ID!) { node(id: $id) { id } }", id=ids.encode(kind, KEY)) == {"node": None}


@pytest.mark.parametrize("digest", ["nonsense", "0" * 64, "\0"])
def test_a_questionnaire_that_is_not_installed_is_none(alice: User, digest: str) -> None:
    asked = ids.encode("Questionnaire", digest)

    assert data(alice, "query ($id: ID!) { node(id: $id) { id } }", id=asked) == {"node": None}
