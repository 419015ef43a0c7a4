from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from questionnaires.library import built_in
from security.scoring import canonical_json, compare, evaluate

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
QUESTIONNAIRE = """\
format: plumbline/1
slug: tiny
version: "1.0"
title: Tiny
summary: Two questions.
minutes: 1
domains:
  - {id: D, title: Domain}
sections:
  - id: all
    title: All
    questions:
      - {id: open, text: Open to the internet?, kind: yes_no, scored: false}
      - {id: A, text: Is it so?, domain: D}
      - {id: B, text: And this?, domain: D, when: {question: open, is: ["yes"]}}
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return write(tmp_path / "answers.json", {"QC-01": "F", "QC-02": "dont_know", "exposed": "no", "QC-13": "N"})


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def in_a_fresh_clone(tmp_path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command where there is no key, no data folder and no database, and a terminal that knows ASCII only."""
    env = {"DATA_DIR": str(tmp_path / "nowhere"), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "evaluate", *map(str, arguments)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        check=False,
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    """The lines with which the command refuses its input."""
    with pytest.raises(SystemExit) as leaving:
        call_command("evaluate", *map(str, arguments))
    captured = capsys.readouterr()
    assert leaving.value.code == 2
    assert captured.out == ""
    return captured.err.splitlines()


def test_it_prints_the_canonical_json_and_leaves_no_trace(tmp_path: Path, answers: Path) -> None:
    result = in_a_fresh_clone(tmp_path, "quick-check", answers)

    given = json.loads(answers.read_text())
    expected = canonical_json(evaluate(built_in("quick-check"), given).to_document())
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == expected.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["answers.json"]


def test_mistakes_in_a_fresh_clone_are_lines_on_standard_error_and_status_2(tmp_path: Path) -> None:
    wrong = write(tmp_path / "wrong.json", {"QC-01": "X", "QC-99": "F"})

    result = in_a_fresh_clone(tmp_path, "quick-check", "wrong.json")

    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().splitlines() == [
        "wrong.json: QC-01: Choose one of the offered answers: N, P, L, F.",
        "wrong.json: QC-99: quick-check has no question with this id.",
    ]
    assert wrong.exists()


def test_missing_arguments_are_status_2(tmp_path: Path) -> None:
    result = in_a_fresh_clone(tmp_path)

    assert (result.returncode, result.stdout) == (2, b"")
    assert b"the following arguments are required: questionnaire, answers" in result.stderr


def test_a_questionnaire_can_be_a_file_and_hidden_answers_are_taken(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    definition = write(tmp_path / "tiny.yaml", QUESTIONNAIRE.replace("Tiny", "Prüfung für Käufer"))
    given = write(tmp_path / "answers.json", {"open": "no", "A": "L", "B": "N"})

    call_command("evaluate", str(definition), str(given))

    document = json.loads(capsysbinary.readouterr().out)
    assert (document["questionnaire"]["slug"], document["score"]) == ("tiny", 66.6667)
    assert document["complete"] == {"answered": 1, "visible": 1}


def test_earlier_answers_give_a_comparison(
    tmp_path: Path, answers: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    previous = write(tmp_path / "previous.json", {"QC-01": "P", "QC-02": "L"})

    call_command("evaluate", "quick-check", str(answers), "--previous", str(previous))

    sheet = built_in("quick-check")
    before, after = (evaluate(sheet, json.loads(path.read_text())) for path in (previous, answers))
    assert capsysbinary.readouterr().out == canonical_json(after.to_document(compare(before, after))).encode()
    assert after.to_document(compare(before, after))["comparison"] == {
        "delta": 0,
        "scope_effect": 0,
        "items": [
            {"question": "QC-01", "change": "resolved", "points": 33.3333},
            {"question": "QC-02", "change": "regressed", "points": -33.3333},
        ],
    }


def test_it_writes_to_the_stream_that_a_caller_gives(answers: Path, tmp_path: Path) -> None:
    with (tmp_path / "out.json").open("w+", encoding="utf-8") as stream:
        call_command("evaluate", "quick-check", str(answers), stdout=stream)

    assert (tmp_path / "out.json").read_bytes().endswith(b"}\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"QC-01": ', "line 1, column 11: this is not JSON (Expecting value)."),
        ("[]", 'A JSON object is needed, for example {"QC-01": "F"}.'),
        ('{"QC-01": "F", "QC-01": "N"}', 'This is not JSON that can be read: "QC-01" is there twice.'),
        ('{"QC-01": NaN}', "This is not JSON that can be read: NaN is not a JSON number."),
        ('{"QC-01": ' + "9" * 5000 + "}", "This is not JSON that can be read: a number has 5000 digits."),
        (
            '{"QC-01": {"not_applicable": "-"}}',
            "QC-01: Say in words why this does not apply to you, for example “We have no servers.”.",
        ),
        ('{"QC-01": true}', "QC-01: Choose one of the offered answers: N, P, L, F."),
        ('{"QC-01": {"not_applicable": " "}}', "QC-01: Say why this does not apply to you."),
        ('{"exposed": {"not_applicable": "x"}}', "exposed: This question cannot be marked as not applicable."),
        ('{"a\\nb": "F"}', "a\\nb: quick-check has no question with this id."),
        ('{"\\ud800": "F"}', "\\ud800: quick-check has no question with this id."),
    ],
)
def test_answers_that_cannot_be_used_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, line: str
) -> None:
    path = write(tmp_path / "answers.json", content)

    assert refused(capsys, "quick-check", path) == [f"{path}: {line}"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 200_000, b"9" * 5_000])
def test_hostile_files_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "answers.json"
    path.write_bytes(content)

    [line] = refused(capsys, "quick-check", path)

    assert line.startswith(f"{path}: This ")


def test_missing_files_are_named(tmp_path: Path, answers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "absent.json"

    assert refused(capsys, "quick-check", absent) == [f"{absent}: This file cannot be read: No such file or directory."]
    assert refused(capsys, "quick-check", tmp_path) == [f"{tmp_path}: This file cannot be read: Is a directory."]
    assert refused(capsys, "quick-check", answers, "--previous", absent) == [
        f"{absent}: This file cannot be read: No such file or directory."
    ]


def test_an_unknown_questionnaire_is_named_with_those_there_are(
    answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [line] = refused(capsys, "quick-chekc", answers)

    assert line.startswith("quick-chekc: there is no such file, and no built-in questionnaire of this name. Built in: ")
    assert "quick-check" in line


def test_each_mistake_in_a_definition_is_a_line_with_its_place(
    tmp_path: Path, answers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = write(tmp_path / "wrong.yaml", QUESTIONNAIRE.replace("minutes: 1", "minutes: soon"))

    [line] = refused(capsys, definition, answers)

    assert line.startswith(f"{definition}:6: ")
