"""A stored report as its page shows it: pure, from the snapshot and the definition that was answered."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any

from questionnaires import library
from questionnaires.answers import NOT_APPLICABLE, visible_questions
from questionnaires.definition import Question, Questionnaire
from questionnaires.words import answer_in_words, reason_of
from reports import wording
from reports.coverage import Coverage, coverage_of, rating_is_shown
from reports.models import Report
from reports.numbers import printed, show, show_fraction, split, to_tenth
from reports.page_parts import (
    Action,
    AnsweredSection,
    Asked,
    Change,
    ChangeGroup,
    Difference,
    DomainBar,
    Finding,
    FindingGroup,
    Wave,
    Working,
    Workings,
)
from reports.storing import plain_answers
from security.scoring import ENGINE, evaluate


class ReportPage:
    """Everything that the report's page shows. Nothing here is stored; it all follows from the report.

    Figures that are printed are rounded so that they add up; the document keeps the exact ones.
    """

    def __init__(self, report: Report, previous: Report | None = None) -> None:
        self.report = report
        self.previous = previous
        """The report with which it was compared, where its score is to be printed beside this one's."""
        self.document: dict[str, Any] = report.evaluation or {}
        self.questionnaire = _questionnaire(report)

    @property
    def scored(self) -> bool:
        return self.document["score"] is not None

    @property
    def so_far(self) -> bool:
        """Whether something that counts is still unanswered."""
        return bool(self.document["provisional"])

    @property
    def headline(self) -> str:
        return wording.headline(self.document, self.coverage, rating_shown=self.rating_shown)

    @cached_property
    def verdict(self) -> list[str]:
        # Sorting is stable: of equal gains, the plan's order decides.
        by_gain = sorted(self.document["plan"], key=lambda row: -row["points"])
        gains = [(self.asked(row["question"]).title, self._steps[row["question"]]) for row in by_gain]
        return wording.verdict(self.document, self.coverage, gains, rating_shown=self.rating_shown)

    @property
    def rating_shown(self) -> bool:
        return self.report.rating_shown

    @cached_property
    def coverage(self) -> Coverage:
        """How much of what was asked counts."""
        scored = {question.id for question in self._visible if question.scored}
        not_applicable = sum(
            isinstance(given["value"], dict) and NOT_APPLICABLE in given["value"]
            for key, given in self.report.values.items()
            if self.questionnaire is None or key in scored
        )
        gates = frozenset(question.id for question in self._visible if question.gate and question.scored)
        return coverage_of(self.document, not_applicable, gates, self._open)

    @property
    def coverage_sentence(self) -> str:
        return wording.coverage_sentence(self.coverage)

    @property
    def has_band(self) -> bool:
        return bool(self.document["find_out"]) and self.scored

    @property
    def band_width(self) -> Decimal:
        return Decimal(str(self.document["score_high"] or 0)) - Decimal(str(self.document["score"] or 0))

    @property
    def unanswered(self) -> int:
        return int(self.document["complete"]["visible"]) - int(self.document["complete"]["answered"])

    @cached_property
    def failed_gates(self) -> list[Asked]:
        """All of them, whether or not they lower the rating, in the questionnaire's order."""
        failed = {row["question"] for row in self.document["findings"] if row["severity"] == "critical"}
        failed.update(self.document["capped_by"])
        order = {key: number for number, key in enumerate(self.questionnaire.by_id)} if self.questionnaire else {}
        return [self.asked(key) for key in sorted(failed, key=lambda key: (order.get(key, 0), key))]

    @cached_property
    def short(self) -> frozenset[str]:
        """The questions whose answers leave something open."""
        return frozenset([*self._ids("findings"), *(asked.id for asked in self.failed_gates)])

    @property
    def failed_gates_sentence(self) -> str:
        unknown = sum(not asked.is_known for asked in self.failed_gates)
        rating = self.document["rating"] if self.rating_shown else ""
        return wording.failed_gates_sentence(len(self.failed_gates) - unknown, unknown, rating)

    @cached_property
    def gates_not_applicable(self) -> list[Asked]:
        """The gates that do not count."""
        return [self.asked(key) for key in self.coverage.gates_not_applicable]

    @property
    def gates_not_applicable_sentence(self) -> str:
        return wording.gates_not_applicable_sentence(len(self.gates_not_applicable))

    @cached_property
    def find_out(self) -> list[Asked]:
        return [self.asked(key) for key in self.document["find_out"]]

    @cached_property
    def domains(self) -> list[DomainBar]:
        titles = {domain.id: domain.title for domain in self.questionnaire.domains} if self.questionnaire else {}
        return [
            DomainBar(
                row["id"],
                titles.get(row["id"], row["id"]),
                row["score"],
                row["score_high"],
                wording.TIERS.get(row["tier"], row["tier"] or "") if self._shows_tier(row["id"]) else "",
            )
            for row in self.document["domains"]
        ]

    def _shows_tier(self, domain: str) -> bool:
        """A tier judges as much as a rating does, so it waits for half of its domain's questions in the same way."""
        asked = [question.id for question in self._visible if question.scored and question.domain == domain]
        if not self.rating_shown or not asked:
            return self.rating_shown
        answered = sum(key not in self._open for key in asked)
        return rating_is_shown(answered, len(asked), final=not self.report.provisional)

    @cached_property
    def finding_groups(self) -> list[FindingGroup]:
        grouped = groupby(self.document["findings"], key=lambda row: row["severity"])
        return [
            FindingGroup(severity, *wording.SEVERITIES[severity], [self._finding(row) for row in rows])
            for severity, rows in grouped
        ]

    @cached_property
    def waves(self) -> list[Wave]:
        actions = [(row["wave"], self._action(number, row)) for number, row in enumerate(self.document["plan"], 1)]
        found = ((wave, [action for name, action in actions if name == wave]) for wave in wording.WAVES)
        return [Wave(wave, *wording.WAVES[wave], mine) for wave, mine in found if mine]

    @property
    def steps(self) -> int:
        return len(self.document["plan"])

    @property
    def chart_width(self) -> int:
        return self.steps + 1

    @property
    def last_step(self) -> dict[str, Any]:
        return dict(self.document["plan"][-1])

    @property
    def step_line(self) -> str:
        """The projected scores as an SVG path: one unit wide for today and for each step, 0 to 100 upwards."""
        start = f"M0 {_height(self.document['score'])}h1"
        return start + "".join(f"V{_height(row['projected_score'])}h1" for row in self.document["plan"])

    @property
    def step_area(self) -> str:
        return f"{self.step_line}V100H0Z"

    @property
    def comparison(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.document["comparison"]
        return found

    @property
    def answers_effect(self) -> Decimal | None:
        """The part of the difference that comes from better or worse answers; exact."""
        if self.comparison is None or self.comparison["delta"] is None:
            return None
        return _exact(self.comparison["delta"]) - _exact(self.comparison["scope_effect"])

    @cached_property
    def difference(self) -> Difference | None:
        """As it is printed; None where there is no difference in points."""
        if self.comparison is None or self.answers_effect is None:
            return None
        score, scope = _exact(self.document["score"]), _exact(self.comparison["scope_effect"])
        before = self.previous.score if self.previous else None
        if before is None:
            before = score - _exact(self.comparison["delta"])
        total = printed(score) - printed(before)
        return Difference(total, *split(total, [self.answers_effect, scope]))

    @cached_property
    def change_groups(self) -> list[ChangeGroup]:
        changes = [self._change(row) for row in self.changes]
        kinds = [row["change"] for row in self.changes]
        found = (
            (kind, [each for each, its in zip(changes, kinds, strict=True) if its == kind]) for kind in wording.CHANGES
        )
        return [ChangeGroup(kind, wording.CHANGES[kind], items) for kind, items in found if items]

    @cached_property
    def _change_points(self) -> dict[str, Decimal]:
        """What each change did to the score, as it is printed: together they are the answers' part."""
        rows = [row for row in self.changes if row["points"] is not None]
        if self.difference is None:
            return {}
        parts = split(self.difference.answers, [_exact(row["points"]) for row in rows])
        return {row["question"]: part for row, part in zip(rows, parts, strict=True)}

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What changed since the earlier report; not what only waits for an answer."""
        return [row for row in self._changes if row["question"] not in self._open]

    @property
    def not_yet_answered(self) -> int:
        """How many questions that counted the last time still wait for an answer: no change, only not there yet."""
        return sum(row["question"] in self._open for row in self._changes)

    @property
    def _changes(self) -> list[dict[str, Any]]:
        return self.comparison["items"] if self.comparison else []

    @cached_property
    def _open(self) -> set[str]:
        """The visible questions without an answer."""
        if self.questionnaire is None:
            return set()
        return {question.id for question in self._visible if self._answers.get(question.id) in (None, "", [])}

    @cached_property
    def _visible(self) -> tuple[Question, ...]:
        """What was asked; nothing is known of it where the edition is not installed."""
        return tuple(visible_questions(self.questionnaire, self._answers)) if self.questionnaire else ()

    @cached_property
    def answered_sections(self) -> list[AnsweredSection]:
        """All that was asked; what a condition hid is left out."""
        if self.questionnaire is None:
            return [AnsweredSection(self.report.questionnaire_title, [self.asked(key) for key in self.report.values])]
        visible = {question.id for question in self._visible}
        sections = (
            AnsweredSection(section.title, [self.asked(q.id) for q in section.questions if q.id in visible])
            for section in self.questionnaire.sections
        )
        return [section for section in sections if section.questions]

    @cached_property
    def workings(self) -> Workings | None:
        """None where another engine made the report: these numbers would not be its own."""
        if self.questionnaire is None or self.report.engine != ENGINE:
            return None
        items = evaluate(self.questionnaire, self._answers).items
        counted = [(item, item.value) for item in items if item.value is not None]
        rows = [
            Working(
                item.id,
                self.asked(item.id).answer,
                show_fraction(item.weight),
                show_fraction(value),
                show_fraction(item.weight * value),
            )
            for item, value in counted
        ]
        achieved = sum((item.weight * value for item, value in counted), Fraction(0))
        weight = sum((item.weight for item, _value in counted), Fraction(0))
        is_exact = bool(weight) and 100 * achieved / weight == Fraction(printed(self.document["score"]))
        return Workings(rows, show_fraction(weight), show_fraction(achieved), "=" if is_exact else "≈")

    @property
    def flags(self) -> list[str]:
        """For a reviewer; customers don't see them."""
        return [wording.flag_in_words(flag) for flag in self.document["reviewer_flags"]]

    def asked(self, key: str) -> Asked:
        question = self.questionnaire.by_id.get(key) if self.questionnaire else None
        given = self.report.values.get(key) or {}
        value = given.get("value")
        return Asked(key, question, answer_in_words(question, value), reason_of(value), given.get("note", ""), value)

    @cached_property
    def _answers(self) -> dict[str, Any]:
        return plain_answers(self.report.values)

    @cached_property
    def _steps(self) -> dict[str, Decimal]:
        """The points of each step of the plan as they are printed: from one printed score to the next."""
        scores = [
            printed(self.document["score"] or 0),
            *(printed(row["projected_score"]) for row in self.document["plan"]),
        ]
        return {
            key: after - before for key, before, after in zip(self._ids("plan"), scores[:-1], scores[1:], strict=True)
        }

    def _ids(self, part: str) -> Iterable[str]:
        return (row["question"] for row in self.document[part])

    def _finding(self, row: dict[str, Any]) -> Finding:
        asked = self.asked(row["question"])
        impact = wording.IMPACTS[asked.question.impact] if asked.question else ""
        # A finding of a lower target promises more than its step brings, so it has points of its own.
        points = self._steps[asked.id] if row["target"] == 1 else to_tenth(row["points"])
        return Finding(asked, row["severity"], points, impact)

    def _action(self, number: int, row: dict[str, Any]) -> Action:
        asked = self.asked(row["question"])
        effort = Decimal(str(row["effort"]))
        return Action(
            number=number,
            asked=asked,
            points=self._steps[asked.id],
            projected_score=row["projected_score"],
            projected_rating=row["projected_rating"],
            effort=wording.EFFORTS.get(effort, show(effort)),
            cost=wording.COSTS[asked.question.cost] if asked.question else "",
            complexity=wording.COMPLEXITIES[asked.question.complexity] if asked.question else "",
        )

    def _change(self, row: dict[str, Any]) -> Change:
        key, asked = row["question"], self.asked(row["question"])
        words = asked.gap if row["change"] == "regressed" and key in self.short else asked.title
        return Change(key, words, self._change_points.get(key))


def _questionnaire(report: Report) -> Questionnaire | None:
    try:
        return library.by_digest(report.questionnaire_digest)
    except library.UnknownQuestionnaire:
        return None


def _exact(number: Any) -> Decimal:
    return Decimal(str(number))


def _height(score: Any) -> str:
    return format((100 - Decimal(str(score or 0))).normalize(), "f")
