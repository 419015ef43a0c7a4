"""The command that authors use, the committed JSON Schema and the example in the documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from questionnaires.checks import check
from questionnaires.definition import json_schema
from questionnaires.tests.examples import SMALL, small_with

APP = Path(__file__).parent.parent
DOCUMENTATION = APP.parent.parent / "docs" / "questionnaires.md"
Capture = pytest.CaptureFixture[str]


def check_files(*files: Path) -> int:
    """The command's exit status."""
    try:
        call_command("check_questionnaire", *map(str, files))
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


@pytest.fixture
def right(tmp_path: Path) -> Path:
    file = tmp_path / "right.yaml"
    gaps = SMALL.replace("        domain: PR\n", "        domain: PR\n        gap: It is not everywhere\n")
    file.write_text(gaps, encoding="utf-8")
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.yaml"
    file.write_bytes(small_with("impact: high", "impact: huge").replace(b"minutes: 1", b"minutes: 0"))
    return file


def test_a_right_file_is_summed_up_in_one_line(right: Path, capsys: Capture) -> None:
    assert check_files(right) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{right}: A small one 1.0, 3 questions, {check(right.read_bytes()).digest}\n"
    assert printed.err == ""


def test_each_mistake_is_one_line_with_file_and_line(wrong: Path, capsys: Capture) -> None:
    assert check_files(wrong) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{wrong}:6: “minutes” cannot be 0. Use at least 1.",
        f"{wrong}:21: Question S-1: “impact” cannot be “huge”. Use high, moderate or low.",
    ]


def test_a_scored_question_without_a_gap_is_a_warning_and_no_mistake(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "gapless.yaml"
    file.write_bytes(small_with("impact: high", "action: Encrypt all laptops"))

    assert check_files(file) == 0

    printed = capsys.readouterr()
    assert printed.out.startswith(f"{file}: A small one 1.0, 3 questions, ")
    advice = "Add “gap: ...”: what is missing, as a short negative."
    assert printed.err.splitlines() == [
        f"{file}:18: warning: Question S-1 has no gap, so reports say “Not in place: Encrypt all laptops”. {advice}",
        f"{file}:22: warning: Question S-2 has no gap, so reports say “Not in place: Remote access asks for a second "
        f"proof.”. {advice}",
    ]


def test_a_file_with_mistakes_is_told_the_mistakes_alone(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "mistaken.yaml"
    file.write_bytes(small_with("is: yes", "is: maybe"))

    assert check_files(file) == 1
    assert "warning" not in capsys.readouterr().err


def test_a_file_that_cannot_be_read_has_a_status_of_its_own(
    tmp_path: Path, right: Path, wrong: Path, capsys: Capture
) -> None:
    assert check_files(wrong, tmp_path / "nothing.yaml", right) == 2
    printed = capsys.readouterr()
    assert f"{tmp_path / 'nothing.yaml'}: cannot be read: No such file or directory." in printed.err
    assert str(right) in printed.out


def test_a_folder_is_not_a_file(tmp_path: Path, capsys: Capture) -> None:
    assert check_files(tmp_path) == 2
    assert "cannot be read: Is a directory." in capsys.readouterr().err


def test_without_a_file_it_says_what_it_needs(capsys: Capture) -> None:
    assert check_files() == 2
    assert capsys.readouterr().err == "Name at least one file, or --schema.\n"


def test_the_committed_json_schema_is_the_one_of_the_models(capsys: Capture) -> None:
    call_command("check_questionnaire", "--schema")
    committed = (APP / "format" / "plumbline-1.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == json_schema()
    assert committed == capsys.readouterr().out, (
        "Regenerate: manage.py check_questionnaire --schema > platform/questionnaires/format/plumbline-1.schema.json"
    )


def test_the_example_in_the_documentation_passes_the_check() -> None:
    examples = re.findall(r"```yaml\n(format: .*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    found = [check(example.encode()) for example in examples]
    assert [questionnaire.slug for questionnaire in found] == ["workshop"]
    assert [question.id for each in found for question in each.questions if question.scored and not question.gap] == []
