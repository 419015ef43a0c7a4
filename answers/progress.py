"""How far a submission is: pure functions from a questionnaire and the answers so far."""

from __future__ import annotations

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
    """The questions asked at the moment, and what is still missing."""

    answered: int
    visible: int
    open: tuple[Question, ...]
    """What still needs an answer before submitting, in order."""
    minutes_left: int
    """The questionnaire's minutes, by the share of the needed questions that is open: all of them at the start."""

    @property
    def text(self) -> str:
        """The progress in words, for example "4 of 12 answered, about 4 minutes left"."""
        counted = _("%(answered)d of %(visible)d answered") % {"answered": self.answered, "visible": self.visible}
        if not self.open:
            return _("%(counted)s, ready to submit") % {"counted": counted}
        left = ngettext("about %(n)d minute left", "about %(n)d minutes left", self.minutes_left)
        return f"{counted}, {left % {'n': self.minutes_left}}"


@dataclass(frozen=True)
class SectionProgress:
    section: Section
    answered: int
    visible: int
    status: Status


def progress_of(questionnaire: Questionnaire, answers: Answers) -> Progress:
    visible = visible_questions(questionnaire, answers)
    missing = needed_to_submit(questionnaire, answers)
    used = questionnaire.used_by_conditions
    needed = sum(question.required or question.id in used for question in visible)
    return Progress(
        answered=_count_answered(visible, answers),
        visible=len(visible),
        open=missing,
        minutes_left=ceil(questionnaire.minutes * len(missing) / max(needed, 1)),
    )


def sections_of(questionnaire: Questionnaire, answers: Answers) -> list[SectionProgress]:
    """The sections that ask anything at the moment, in order."""
    shown = {question.id for question in visible_questions(questionnaire, answers)}
    missing = {question.id for question in needed_to_submit(questionnaire, answers)}
    sections = []
    for section in questionnaire.sections:
        visible = tuple(question for question in section.questions if question.id in shown)
        answered = _count_answered(visible, answers)
        if visible:
            has_open = any(question.id in missing for question in visible)
            sections.append(SectionProgress(section, answered, len(visible), _status(answered, has_open)))
    return sections


def section_of(questionnaire: Questionnaire, question_id: str) -> Section:
    """The section that holds the question; raises StopIteration for an id that the questionnaire lacks."""
    return next(s for s in questionnaire.sections if any(q.id == question_id for q in s.questions))


def _count_answered(questions: tuple[Question, ...], answers: Answers) -> int:
    return sum(answers.get(question.id) is not None for question in questions)


def _status(answered: int, has_open: bool) -> Status:
    if not answered:
        return "not_started"
    return "in_progress" if has_open else "completed"
