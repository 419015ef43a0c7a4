"""How the bench learns to speak to a build: off its page, its scripts and its answers, never by its revision."""

from __future__ import annotations

import json

import pytest

from tests.bench.against.dialect import (
    NotUnderstood,
    Stored,
    change_of,
    links_to_sections,
    read_page,
    report_of,
    socket_in,
    stored_by,
    unscored,
)

PAGE = """
<form method="post" action="/submissions/7/basics/" data-autosave="/submissions/7/answers/" data-autosave-person="3">
<input type="hidden" name="QC-01:version" value="0"><input type="radio" name="QC-01:value" value="N"></form>
<script type="module" src="/static/js/live.js"></script><script type="module" src="/static/js/autosave.js"></script>
"""


def test_the_page_names_where_answers_are_saved_and_its_scripts() -> None:
    page = read_page(PAGE)
    assert page.autosave == "/submissions/7/answers/"
    assert page.scripts == ["/static/js/live.js", "/static/js/autosave.js"]


def test_a_page_without_an_address_is_refused() -> None:
    with pytest.raises(NotUnderstood, match="names no address that saves"):
        read_page("<form></form>")


def test_the_pages_of_questions_are_found_from_the_overview() -> None:
    overview = """<a href="/submissions/7/basics/">A</a> <a href="/submissions/7/people/#q-QC-05">B</a>
    <a href="/submissions/7/basics/">A</a> <a href="/submissions/8/other/">C</a> <a href="/reports/">D</a>"""
    assert links_to_sections(overview, "7") == ["/submissions/7/basics/", "/submissions/7/people/"]


@pytest.mark.parametrize(
    ("script", "socket"),
    [
        ("new WebSocket(`${location.protocol}://${location.host}/ws/reports/`);", "/ws/reports/"),
        ('const AT = "/ws/reports/v2/";', "/ws/reports/v2/"),
        ("export const nothing = 1;", None),
    ],
)
def test_a_script_names_the_socket(script: str, socket: str | None) -> None:
    assert socket_in(script) == socket


def test_a_first_answer_is_sent_in_the_form_that_every_build_takes() -> None:
    assert json.loads(change_of("QC-01", "N", Stored())) == {
        "changes": [{"question": "QC-01", "value": "N", "note": "", "version": 0}]
    }


def test_a_build_with_one_version_for_an_answer_gets_that() -> None:
    revision, stored = stored_by(b'{"revision": 5, "answers": {"QC-01": {"version": 2, "seen": "x"}}}', "QC-01")
    assert revision == 5
    assert json.loads(change_of("QC-01", "P", stored)) == {
        "changes": [{"question": "QC-01", "value": "P", "note": "", "version": 2}]
    }


def test_a_build_that_versions_value_and_note_apart_gets_the_value_and_its_version() -> None:
    known = {"version": 9, "value_version": 7, "note_version": 9, "seen": "x"}
    answer = json.dumps({"revision": 12, "answers": {"QC-01": known, "QC-02": known}}).encode()
    revision, stored = stored_by(answer, "QC-01")
    assert revision == 12
    assert json.loads(change_of("QC-01", "L", stored)) == {
        "changes": [{"question": "QC-01", "value": "L", "value_version": 7}]
    }


def test_what_a_submission_needs_besides_is_sent_in_the_form_that_every_build_takes() -> None:
    assert json.loads(unscored()) == {
        "changes": [
            {"question": "exposed", "value": "no", "note": "", "version": 0},
            {"question": "provider", "value": "no", "note": "", "version": 0},
        ]
    }


@pytest.mark.parametrize(
    ("message", "report"),
    [
        ({"type": "report.changed", "submission": "7", "revision": 3, "state": "changed"}, ("7", 3)),
        ({"type": "report.changed", "submission": "7", "revision": 3, "state": "removed"}, None),
        ({"type": "answers.changed", "submission": "7", "revision": 3}, None),
        ({"type": "report.changed", "position": 12}, None),
        ({"type": "pong", "positions": {}}, None),
    ],
)
def test_only_a_report_that_is_there_is_taken_for_one(
    message: dict[str, object], report: tuple[str, int] | None
) -> None:
    assert report_of(json.dumps(message).encode()) == report
