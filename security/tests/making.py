"""Small questionnaires for the scoring tests."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from questionnaires.definition import Domain, Question, Questionnaire, Section
from security.scoring import Evaluation, evaluate
from security.scoring.items import Item


def question(id_: str, **fields: Any) -> Question:
    """A scored N-P-L-F question in domain D of moderate impact (weight 2), unless told otherwise."""
    return Question(**{"id": id_, "text": f"Is {id_} so?", "domain": "D", **fields})


def profile(id_: str, **fields: Any) -> Question:
    """A yes/no question that is not scored."""
    return Question(**{"id": id_, "text": f"Is {id_} so?", "kind": "yes_no", "scored": False, **fields})


def questionnaire(*questions: Question, domains: tuple[str, ...] = ("D",), **fields: Any) -> Questionnaire:
    """One section with these questions."""
    described = {
        "format": "plumbline/1",
        "slug": "sample",
        "version": "1.0",
        "title": "Sample",
        "summary": "For tests.",
        "minutes": 1,
        "domains": tuple(Domain(id=domain, title=domain) for domain in domains),
        "sections": (Section(id="all", title="All", questions=questions),),
    }
    return Questionnaire(**{**described, **fields})


def shown_when(id_: str, *answers: str) -> dict[str, Any]:
    """The condition that the question's answer is one of these."""
    return {"question": id_, "is": answers}


def item(evaluation: Evaluation, id_: str) -> Item:
    """The evaluation's item with this id."""
    return next(item for item in evaluation.items if item.id == id_)


def value(asked: Question, answer: Any) -> Fraction | None:
    """What scoring makes of one answer to one question."""
    return evaluate(questionnaire(asked), {asked.id: answer}).items[0].value
