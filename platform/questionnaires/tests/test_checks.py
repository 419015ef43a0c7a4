"""Each mistake in a questionnaire file is named with its line and with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from questionnaires.checks import InvalidDefinition, Problem, check, check_file, read_questionnaire
from questionnaires.tests.examples import SMALL, small, small_with


class Mistake(TypedDict):
    """A part of the small questionnaire, what replaces it, and how the lines begin that the author reads."""

    replace: str
    by: str
    told: list[str]


MISTAKES: dict[str, list[Mistake]] = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text("utf-8"))


def mistakes(content: bytes) -> list[str]:
    """The lines that an author reads; empty where all is right."""
    try:
        check(content)
    except InvalidDefinition as refused:
        return [str(problem) for problem in refused.problems]
    return []


def test_a_right_file_is_read() -> None:
    questionnaire = check(SMALL.encode())
    assert [question.id for question in questionnaire.questions] == ["remote", "S-1", "S-2"]


def test_yes_and_no_stay_words() -> None:
    condition = small().by_id["S-2"].when
    assert condition is not None
    assert condition.model_dump(by_alias=True) == {"question": "remote", "is": ("yes",)}


@pytest.mark.parametrize("mistake", [*MISTAKES["form"], *MISTAKES["rules"]], ids=lambda each: each["told"][0][:50])
def test_a_mistake_is_explained_with_its_line(mistake: Mistake) -> None:
    found = mistakes(small_with(mistake["replace"], mistake["by"]))
    assert len(found) == len(mistake["told"]), found
    for line, beginning in zip(found, mistake["told"], strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize("weakness", MISTAKES["weak"], ids=lambda each: each["by"][:50])
def test_what_works_and_is_hardly_meant_is_a_warning_with_its_line(weakness: Mistake, tmp_path: Path) -> None:
    file = tmp_path / "weak.yaml"
    file.write_bytes(small_with(weakness["replace"], weakness["by"]))
    found = [str(warning) for warning in check_file(file).warnings if "has no gap" not in warning.wrong]
    assert len(found) == len(weakness["told"]), found
    for line, beginning in zip(found, weakness["told"], strict=True):
        assert line.startswith(beginning)


def test_a_questionnaire_without_a_scored_question_is_refused() -> None:
    begin, _rest = SMALL.split("      - id: S-1")
    assert mistakes(begin.encode()) == ["10: No question is scored. Give at least one question a domain and a score."]


def test_several_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    content = small_with("impact: high", "impact: huge").replace(b"minutes: 1", b"minutes: 0")
    assert [line.split(":")[0] for line in mistakes(content)] == ["6", "21"]


def test_after_a_hundred_mistakes_the_check_stops_telling() -> None:
    found = mistakes(
        small_with("impact: high", "\n".join(["impact: high", *(f"        wrong{n}: 1" for n in range(300))]))
    )
    assert len(found) == 101
    assert found[-1] == "121: There are more mistakes than these. Correct these first."


def test_a_mistake_stays_on_one_line_whatever_was_written() -> None:
    (found,) = mistakes(small_with("impact: high", 'impact: "hi\\nthere"'))
    assert found == "21: Question S-1: “impact” cannot be “hi there”. Use high, moderate or low."


YAML = [
    (b"", "1: This is not a questionnaire. Begin with “format: plumbline/1”."),
    (b"# only a comment\n", "1: This is not a questionnaire."),
    (b"- 1\n", "1: This is not a questionnaire."),
    (b"title: a\ntitle: b\n", "2: “title” is given twice. Keep one of the two."),
    (b"a: &x 1\nb: *x\n", "2: Aliases (*name) are not allowed. Write the text out."),
    (b"a: !!python/object:os.system x\n", "1: Tags (!name) are not allowed. Remove the tag."),
    (b"a: 1\nb: !local [1]\n", "2: Tags (!name) are not allowed."),
    (b"? [a]\n: b\n", "1: Only a word can stand before the colon."),
    (b"a: [1\nb: 2\n", "2: This is not YAML: "),
    (b"a:\n\t- b\n", "2: This is not YAML: "),
    (b"a: 1\n---\nb: 2\n", "2: A second document begins here. Put each questionnaire into a file of its own."),
    (b"a: 1\nb: \xff\n", "2: This is not UTF-8 text. Save the file as UTF-8."),
    (b"a: 1\nb: \x00\n", "2: There is a control character. Delete it."),
    (b'a: 1\nb: "\\0"\n', "2: There is a control character in this text. Remove it."),
    (b'"\\e[31m": 1\n', "1: There is a control character in this text. Remove it."),
    (b"a: " + b"[" * 100 + b"]" * 100, "1: This is nested too deeply. Make it flatter."),
    (b"a: " + b"[" * 100_000, "1: This is nested too deeply."),
    (b"#" * (1024 * 1024 + 1), "1: The file is larger than 1 MiB. Split it into several questionnaires."),
]


@pytest.mark.parametrize(("content", "told"), YAML, ids=[told[:40] for _content, told in YAML])
def test_what_is_not_harmless_yaml_is_refused(content: bytes, told: str) -> None:
    assert mistakes(content)[0].startswith(told)


def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert mistakes(bomb.encode())[0] == "2: Aliases (*name) are not allowed. Write the text out."


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    assert check(b"\xef\xbb\xbf" + SMALL.encode()) == small()


def test_windows_line_ends_change_nothing() -> None:
    assert check(SMALL.replace("\n", "\r\n").encode()).digest == small().digest


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_questionnaire(tmp_path / "nothing.yaml")


def checked_or_refused(content: bytes) -> None:
    problems: list[Problem] = []
    try:
        check(content)
    except InvalidDefinition as refused:
        problems = refused.problems
    assert all(problem.line >= 1 and problem.wrong and problem.advice for problem in problems)


@given(st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode))
@example(b'"\\U00110000"')
@example(b'"\\ud800"')
@example(b"? ")
@example(b"{: }")
@example(b"a: 99999999999999999999999999999")
def test_arbitrary_content_is_refused_cleanly(content: bytes) -> None:
    checked_or_refused(content)


@given(st.data())
def test_a_spoilt_file_is_refused_cleanly(data: st.DataObject) -> None:
    lines = SMALL.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    junk = data.draw(
        st.sampled_from(["", "[]", "{}", "- ", "? ", "a: b", "null", "'", "5", "~: ~", "- - -", "when: 5", "all: []"])
        | st.text(st.characters(codec="utf-8"), max_size=12)
    )
    indent = data.draw(st.integers(0, 12))
    lines[at : at + data.draw(st.integers(0, 2))] = [" " * indent + junk]
    checked_or_refused("\n".join(lines).encode())


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists, max_leaves=5)
)
def test_any_value_anywhere_is_refused_cleanly(value: object) -> None:
    shown = repr(value).replace("None", "null").replace("True", "true").replace("False", "false")
    for key in ("minutes: 1", "impact: high", "is: yes", "kind: yes_no", "scored: false"):
        checked_or_refused(small_with(key, f"{key.split(':')[0]}: {shown}"))
