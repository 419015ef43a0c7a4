"""What is under way, and where each goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Prefetch
from django.urls import reverse

from answers.models import Answer, Submission, SubmissionQuerySet
from answers.progress import Progress, SectionProgress, progress_of, section_of, sections_of
from questionnaires.definition import Question, Section

if TYPE_CHECKING:
    from accounts.models import User


def address_of(submission: Submission, question: Question) -> str:
    """Where the question is asked."""
    section = section_of(submission.questionnaire, question.id)
    return f"{reverse('submission-section', args=[submission.pk, section.id])}#q-{question.id}"


def where_to_go_on(submission: Submission, progress: Progress, sections: list[SectionProgress]) -> str | None:
    """The first open question, or the first page before any answer, for its optional questions may come first.

    None where nothing is open.
    """
    if not progress.open:
        return None
    if not progress.is_begun:
        return reverse("submission-section", args=[submission.pk, sections[0].section.id])
    return address_of(submission, progress.open[0])


@dataclass(frozen=True)
class UnderWay:
    """A draft as somebody who wants to go on with it looks for it."""

    submission: Submission
    progress: Progress
    next: Section | None
    """The section of the first open question; None where nothing is open."""
    url: str
    by: User | None
    """The person who changed an answer last; before any answer, the person who started it."""
    at: datetime

    @classmethod
    def of(cls, submission: Submission) -> Self:
        questionnaire, values = submission.questionnaire, submission.values
        progress, sections = progress_of(questionnaire, values), sections_of(questionnaire, values)
        newest = max(submission.answers.all(), key=lambda answer: answer.updated_at, default=None)
        return cls(
            submission=submission,
            progress=progress,
            next=section_of(questionnaire, progress.open[0].id) if progress.open else None,
            url=where_to_go_on(submission, progress, sections) or reverse("submission-review", args=[submission.pk]),
            by=newest.updated_by if newest else submission.created_by,
            at=newest.updated_at if newest else submission.created_at,
        )


def under_way(rows: SubmissionQuerySet, limit: int | None = None) -> list[UnderWay]:
    """The drafts among these, the one that was touched last comes first."""
    answers = Prefetch("answers", Answer.objects.select_related("updated_by"))
    drafts = rows.filter(state=Submission.State.DRAFT).select_related("created_by", "line").prefetch_related(answers)
    return [UnderWay.of(draft) for draft in drafts.newest_first()[:limit]]
