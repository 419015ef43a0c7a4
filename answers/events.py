"""What `answers` tells the others about a submission."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from answers.models import Answer, Submission
from contracts import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef
from contracts.answers import AnswerState


def event_of(
    submission: Submission, state: AnswerState, answers: Iterable[Answer], *, line_name: str | None = None
) -> AnswerEvent:
    """The fact to publish about the submission and its answers as they stand now; looks its line's name up."""
    return AnswerEvent(
        answer=AnswerSnapshot(
            submission=submission.pk,
            organisation=submission.organisation_id,
            questionnaire=QuestionnaireRef(
                slug=submission.questionnaire_slug,
                version=submission.questionnaire_version,
                digest=submission.questionnaire_digest,
            ),
            revision=submission.revision,
            values=_given(answers),
            line=submission.line_id,
            line_name=submission.line.name if line_name is None else line_name,
        ),
        state=state,
    )


def _given(answers: Iterable[Answer]) -> dict[str, GivenAnswer]:
    return {
        answer.question: GivenAnswer(value=answer.value, note=answer.note)
        for answer in sorted(answers, key=attrgetter("question"))
        if answer.value is not None or answer.note
    }
