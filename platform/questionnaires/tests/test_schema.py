"""Questionnaires through GraphQL: whole, and with conditions that a client can evaluate by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from django.conf import settings
from graphql import get_named_type, is_composite_type
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from accounts.models import User
from api import ids
from api.execution import prepare
from api.parameters import Parameters
from config.tests.whole_schema import data, schema
from config.tests.world import DEFINITION, everything
from questionnaires import definition
from questionnaires.answer_values import Date, from_graphql, to_graphql
from questionnaires.answers import InvalidAnswer, clean_answer, visible_questions
from questionnaires.definition import Choice, Condition, Question
from questionnaires.schema import Part, flattened
from questionnaires.tests.examples import questionnaire_of

DOCUMENTATION = settings.ROOT / "docs" / "api-schema.md"
LEAF = st.builds(
    lambda question, answers: {"question": question, "is": answers},
    st.sampled_from(["a", "b", "c"]),
    st.lists(st.sampled_from(["yes", "no", "dont_know"]), min_size=1, max_size=2, unique=True),
)
CONDITIONS = st.recursive(
    LEAF,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        below.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)
CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)


def holds(parts: list[Part], answers: Mapping[str, str]) -> bool:
    """What the documentation tells a client to do with a condition."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENTATION.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102  (our own documentation)
    told = [asdict(part) | {"operator": part.operator.upper()} for part in parts]
    return bool(names["holds"](told, {key: [value] for key, value in answers.items()}))


@given(CONDITIONS, st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["yes", "no", "dont_know"])))
def test_a_flattened_condition_asks_what_the_condition_asks(condition: dict[str, Any], answers: dict[str, str]) -> None:
    earlier: list[dict[str, Any]] = [{"id": key, "text": "?", "kind": "yes_no", "scored": False} for key in "abc"]
    questionnaire = questionnaire_of(
        *earlier, {"id": "last", "text": "?", "kind": "yes_no", "scored": False, "when": condition}
    )

    asked = "last" in [question.id for question in visible_questions(questionnaire, answers)]

    assert holds(flattened(CONDITION.validate_python(condition)), answers) == asked


def test_a_definition_comes_whole_and_in_order(alice: User) -> None:
    everything()
    document = """
    {
      questionnaires {
        slug version title summary minutes language
        domains { key title }
        sections {
          key title questions { key kind needed when { operator parts question answers } options { value worth } }
        }
      }
    }
    """

    (found,) = data(alice, document)["questionnaires"]

    assert (found["slug"], found["version"], found["minutes"], found["language"]) == ("everything", "1.0", 5, "en")
    assert found["domains"] == [{"key": "PR", "title": "Protect"}, {"key": "RC", "title": "Recover"}]
    questions = {each["key"]: each for section in found["sections"] for each in section["questions"]}
    assert list(questions) == [each["id"] for section in DEFINITION["sections"] for each in section["questions"]]
    assert questions["plan"]["options"] == [{"value": "none", "worth": 0.0}, {"value": "full", "worth": 1.0}]
    assert [each["value"] for each in questions["mfa"]["options"]] == ["N", "P", "L", "F"]
    assert [key for key, each in questions.items() if not each["needed"]] == ["site", "since", "ways"]
    assert [(each["operator"], each["parts"], each["question"]) for each in questions["ways"]["when"]] == [
        ("ALL", [1, 4], None),
        ("ANY", [2, 3], None),
        ("IS", [], "exposed"),
        ("IS", [], "exposed"),
        ("NOT", [5], None),
        ("IS", [], "exposed"),
    ]


# What the schema calls otherwise than the format.
NAMES: dict[tuple[type[definition.Model], str], str] = {
    (definition.Question, "choices"): "options",
    (definition.Question, "required"): "needed",
    (definition.Choice, "id"): "value",
    (definition.Choice, "text"): "label",
    (definition.Choice, "value"): "worth",
    (definition.Threshold, "value"): "worth",
}
# Of the format itself; conditions are flattened, and both are tested above.
ELSEWHERE = {"format", "when"}
PARTS = (
    definition.Questionnaire,
    definition.Domain,
    definition.Section,
    definition.Question,
    definition.References,
    definition.Choice,
    definition.Threshold,
)


def names_of(part: type[definition.Model]) -> dict[str, str]:
    """What the schema calls each field of a part of the format."""
    plain = {name: "key" if name == "id" else name for name in part.model_fields if name not in ELSEWHERE}
    named = {name: NAMES.get((part, name), given) for name, given in plain.items()}
    return {name: re.sub(r"_(.)", lambda found: found[1].upper(), given) for name, given in named.items()}


def same(part: Any, shown: Any) -> bool:
    """Whether the schema shows a value of the format as it is, with everything in it."""
    if isinstance(part, tuple):
        return len(part) == len(shown) and all(map(same, part, shown))
    if isinstance(part, definition.Question):
        return _same_question(part, shown)
    if isinstance(part, definition.Model):
        return all(same(getattr(part, name), shown[given]) for name, given in names_of(type(part)).items())
    return bool(part == shown)


def _same_question(question: Question, shown: Any) -> bool:
    names = names_of(Question)
    own = {"kind", "impact", "not_applicable", "choices", "required"}
    return (
        all(same(getattr(question, name), shown[given]) for name, given in names.items() if name not in own)
        and (shown["kind"], shown["impact"]) == (question.kind.upper(), question.impact.upper())
        and shown["notApplicable"] is (question.scored and question.not_applicable)
        and (not question.choices or [each["value"] for each in shown["options"]] == list(question.choice_ids))
        and (not question.choices or [each["label"] for each in shown["options"]] == [c.text for c in question.choices])
        and (shown["when"] is None) is (question.when is None)
    )


def selection(name: str) -> str:
    """Every field of a type and of those below it; there are no circles among them."""
    fields = schema.type_map[name].fields  # type: ignore[attr-defined]
    below = {each: get_named_type(field.type) for each, field in fields.items()}
    parts = (f"{each} {selection(kind.name) if is_composite_type(kind) else ''}" for each, kind in below.items())
    return f"{{ {' '.join(parts)} }}"


def test_every_part_of_the_format_is_in_the_schema() -> None:
    shown_as: dict[type[definition.Model], str] = {definition.Choice: "AnswerOption"}
    missing = {
        (part.__name__, name)
        for part in PARTS
        for name, given in names_of(part).items()
        if given not in schema.type_map[shown_as.get(part, part.__name__)].fields  # type: ignore[attr-defined]
    }

    assert missing == set()


def test_a_definition_is_shown_as_it_is(alice: User, quick_check: definition.Questionnaire) -> None:
    definitions = {each.slug: each for each in (everything(), quick_check)}

    shown = data(alice, f"{{ questionnaires {selection('Questionnaire')} }}")["questionnaires"]

    assert {each["slug"] for each in shown} == set(definitions)
    assert [each["slug"] for each in shown if not same(definitions[each["slug"]], each)] == []


def test_a_whole_definition_can_be_asked_for_at_once(alice: User, quick_check: definition.Questionnaire) -> None:
    document = f"query ($id: ID!) {{ questionnaire(id: $id) {selection('Questionnaire')} }}"
    given = ids.encode("Questionnaire", quick_check.digest)

    # Raises where it is beyond the limits.
    prepare(Parameters(query=document, variables={"id": given}))

    assert same(quick_check, data(alice, document, id=given)["questionnaire"])


def test_an_id_of_another_type_is_no_questionnaires(alice: User, quick_check: definition.Questionnaire) -> None:
    given = ids.encode("Report", quick_check.digest)

    assert data(alice, "query ($id: ID!) { questionnaire(id: $id) { slug } }", id=given) == {"questionnaire": None}


@pytest.mark.parametrize(
    ("kind", "value", "fields"),
    [
        ("nplf", "F", {"choice": "F"}),
        ("multiple_choice", ["a"], {"choices": ["a"]}),
        ("number", 0, {"number": 0}),
        ("text", "yes", {"text": "yes"}),
        ("text", {"text": "dont_know"}, {"text": "dont_know"}),
        ("text", "dont_know", {"dont_know": True}),
        ("nplf", "dont_know", {"dont_know": True}),
        ("nplf", {"not_applicable": "None here."}, {"not_applicable": "None here."}),
    ],
)
def test_an_answer_has_one_field_and_comes_back_by_it(kind: Any, value: Any, fields: dict[str, Any]) -> None:
    question = Question(id="q", text="?", kind=kind)

    assert to_graphql(question, value) == fields
    assert from_graphql(question, fields) == value


@pytest.mark.parametrize("value", [None, "", []])
def test_what_is_not_answered_has_no_value(value: Any) -> None:
    assert to_graphql(Question(id="q", text="?"), value) is None


@pytest.mark.parametrize(
    ("value", "field"), [("F", "text"), (["a"], "choices"), (2.5, "number"), ("dont_know", "dont_know")]
)
def test_without_its_question_an_answer_shows_its_form(value: Any, field: str) -> None:
    assert list(to_graphql(None, value) or {}) == [field]


def test_a_text_that_reads_like_dont_know_stays_a_text_where_that_is_not_offered() -> None:
    question = Question(id="q", text="?", kind="text", scored=False, dont_know=False)

    assert to_graphql(question, "dont_know") == {"text": "dont_know"}
    with pytest.raises(InvalidAnswer):
        from_graphql(question, {"dont_know": True})


ONE = "Set exactly one field of the answer; null takes it back."
CAN_ONLY_BE_TRUE = "“dontKnow” can only be true. Leave it out, or set the whole answer to null."
OF_AN_OPTION = "Set “choice” to the value of an option; null in place of the answer takes it back."


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("nplf", {}, ONE),
        *[
            (kind, {name: None}, ONE)
            for kind in ("nplf", "multiple_choice", "number", "date", "text")
            for name in ("choice", "choices", "number", "date", "text", "dont_know", "not_applicable")
        ],
        ("nplf", {"dont_know": False}, CAN_ONLY_BE_TRUE),
        ("text", {"dont_know": False}, CAN_ONLY_BE_TRUE),
        ("nplf", {"choice": ""}, OF_AN_OPTION),
        ("nplf", {"choice": "dont_know"}, "For “don't know” set “dontKnow” to true instead of “choice”."),
        ("nplf", {"text": "F"}, "An answer to this question goes into “choice”."),
        ("number", {"text": "5"}, "An answer to this question goes into “number”."),
        ("text", {"choice": ""}, "An answer to this question goes into “text”."),
        (
            "nplf",
            {"choice": "F", "dont_know": False},
            "Set exactly one field of the answer, and leave out the others: “choice”, “dontKnow”.",
        ),
        (
            "nplf",
            {"not_applicable": "", "dont_know": True},
            "Set exactly one field of the answer, and leave out the others: “notApplicable”, “dontKnow”.",
        ),
    ],
)
def test_the_wrong_shape_of_an_answer_is_refused_for_what_is_wrong(kind: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        from_graphql(Question(id="q", text="?", kind=kind), given)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("nplf", {"choice": "not_applicable"}, "Choose one of the offered answers: N, P, L, F."),
        ("nplf", {"not_applicable": ""}, "Say why this does not apply to you."),
        ("text", {"not_applicable": "None here."}, "This question cannot be marked as not applicable."),
        ("multiple_choice", {"choices": ["dont_know"]}, "Choose one of the offered answers: a, b."),
    ],
)
def test_the_right_shape_with_a_wrong_answer_is_refused_by_the_rules_of_answers(
    kind: Any, given: dict[str, Any], told: str
) -> None:
    choices = (Choice(id="a", text="A"), Choice(id="b", text="B"))
    asked = Question(id="q", text="?", kind=kind, scored=kind == "nplf", choices=choices if "choice" in kind else ())
    with pytest.raises(InvalidAnswer) as refused:
        clean_answer(asked, from_graphql(asked, given))
    assert str(refused.value) == told


@pytest.mark.parametrize(("kind", "given"), [("text", {"text": ""}), ("multiple_choice", {"choices": []})])
def test_an_empty_text_or_list_takes_the_answer_back(kind: Any, given: dict[str, Any]) -> None:
    asked = Question(id="q", text="?", kind=kind)
    assert clean_answer(asked, from_graphql(asked, given)) is None


@pytest.mark.parametrize("written", ["20260531", "2026-W22-7", "2026-5-31", "2026-05-31T00:00"])
def test_a_day_has_one_spelling_in_the_api(written: str) -> None:
    with pytest.raises(ValueError, match="Date cannot represent value"):
        Date.parse_value(written)
    assert Date.parse_value("2026-05-31").isoformat() == "2026-05-31"
