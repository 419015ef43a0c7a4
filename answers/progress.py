"""How far a submission is: pure functions from a questionnaire and the answers so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from questionnaires.answers import Answers, needed_to_submit, visible_questions
from questionnaires.definition import Question, Questionnaire, Section

Status = Literal["completed", "in_progress", "not_started"]


@dataclass(frozen=True)
class Progress:
    """The questions asked at the moment that need an answer before submitting; optional ones are counted apart."""

    answered: int
    visible: int
    optional_answered: int
    optional: int
    open: tuple[Question, ...]
    """What still needs an answer before submitting, in order."""
    minutes_left: int
    """The questionnaire's minutes, by the share of the needed questions that is open: all of them at the start."""

    @property
    def counted(self) -> str:
        """For example "4 of 12 answered"."""
        return _counted(self.answered, self.visible)

    @property
    def text(self) -> str:
        """The progress in words, for example "4 of 12 answered, about 4 minutes left"."""
        if not self.open:
            return _("%(counted)s, ready to submit") % {"counted": self.counted}
        left = ngettext("about %(n)d minute left", "about %(n)d minutes left", self.minutes_left)
        return f"{self.counted}, {left % {'n': self.minutes_left}}"

    @property
    def is_begun(self) -> bool:
        return bool(self.answered or self.optional_answered)


@dataclass(frozen=True)
class SectionProgress:
    """The same of one section."""

    section: Section
    answered: int
    visible: int
    optional_answered: int
    optional: int
    status: Status

    @property
    def text(self) -> str:
        """For example "3 of 4 answered, 1 of 2 optional"."""
        optional = {"answered": self.optional_answered, "optional": self.optional}
        if not self.optional:
            return _counted(self.answered, self.visible)
        if not self.visible:
            return _("%(answered)d of %(optional)d optional answered") % optional
        counted = _counted(self.answered, self.visible)
        return f"{counted}, {_('%(answered)d of %(optional)d optional') % optional}"

    @property
    def is_only_optional(self) -> bool:
        """Whether nothing in it needs an answer, and nothing has one."""
        return not self.visible and not self.optional_answered


def progress_of(questionnaire: Questionnaire, answers: Answers) -> Progress:
    visible = visible_questions(questionnaire, answers)
    missing = needed_to_submit(questionnaire, answers)
    needed, optional = _told_apart(questionnaire, visible)
    return Progress(
        answered=_count_answered(needed, answers),
        visible=len(needed),
        optional_answered=_count_answered(optional, answers),
        optional=len(optional),
        open=missing,
        minutes_left=ceil(questionnaire.minutes * len(missing) / max(len(needed), 1)),
    )


def sections_of(questionnaire: Questionnaire, answers: Answers) -> list[SectionProgress]:
    """The sections that ask anything at the moment, in order."""
    shown = {question.id for question in visible_questions(questionnaire, answers)}
    sections = []
    for section in questionnaire.sections:
        visible = tuple(question for question in section.questions if question.id in shown)
        if not visible:
            continue
        needed, optional = _told_apart(questionnaire, visible)
        answered, optional_answered = _count_answered(needed, answers), _count_answered(optional, answers)
        status = _status(answered + optional_answered, has_open=answered < len(needed))
        sections.append(SectionProgress(section, answered, len(needed), optional_answered, len(optional), status))
    return sections


def section_of(questionnaire: Questionnaire, question_id: str) -> Section:
    """The section that holds the question; raises StopIteration for an id that the questionnaire lacks."""
    return next(s for s in questionnaire.sections if any(q.id == question_id for q in s.questions))


def _told_apart(questionnaire: Questionnaire, questions: Iterable[Question]) -> tuple[list[Question], list[Question]]:
    """Those that need an answer before submitting, and the optional ones."""
    needed: list[Question] = []
    optional: list[Question] = []
    for question in questions:
        is_needed = question.required or question.id in questionnaire.used_by_conditions
        (needed if is_needed else optional).append(question)
    return needed, optional


def _counted(answered: int, visible: int) -> str:
    if not visible:
        return _("No answer is needed")
    return _("%(answered)d of %(visible)d answered") % {"answered": answered, "visible": visible}


def _count_answered(questions: Iterable[Question], answers: Answers) -> int:
    return sum(answers.get(question.id) is not None for question in questions)


def _status(answered: int, *, has_open: bool) -> Status:
    if not answered:
        return "not_started"
    return "in_progress" if has_open else "completed"
