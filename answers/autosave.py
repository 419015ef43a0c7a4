"""Where `static/js/autosave.js` saves and looks: JSON in, JSON out. `docs/architecture.md` tells the story of a save.

A POST saves. 200: stored. 400: not understood, or answers that the questionnaire does not take (a sentence for each in
`errors`). 401: signed out, or not the person who opened the page (the header X-Person says who did). 404: no such
submission. 409: `conflict` (the rest of the request is stored) or `submitted`. 413: too much. 415: not JSON. 429: too
often. 503: `unavailable`, the database or another service is away. With both `Retry-After` says how many seconds to
wait. Nothing is stored with any of them but 200 and `conflict`.

A GET tells every answer as it stands, with the versions of its parts, and how far the submission is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self, get_args
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from answers.fields import versions_of
from answers.models import MAX_NOTE, Answer, Submission, SubmissionQuerySet
from answers.progress import progress_of, section_of, sections_of
from answers.saving import UNCHANGED, Change, Conflict, InvalidChanges, Part, Saved, SubmissionClosed, save_answers
from answers.words import describe
from questionnaires.answers import MAX_TEXT, visible_questions
from questionnaires.definition import Questionnaire
from throttling.buckets import Throttled
from throttling.words import in_words

if TYPE_CHECKING:
    from accounts.models import User

MAX_BODY = 256 * 1024
HALF = re.compile("[\ud800-\udfff]")
PARTS: tuple[Part, ...] = get_args(Part)


Version = Annotated[int, Field(ge=0, lt=2**31)]


class PostedChange(BaseModel):
    """A part that is left out stays as it is. Each is guarded by its own version, or by that of the whole answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(max_length=64)]
    value: JsonValue = None
    note: str = ""
    version: Version = 0
    value_version: Version = 0
    note_version: Version = 0

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        said = self.model_fields_set
        parts = said & {"value", "note"}
        if not parts or any(not said & {"version", f"{part}_version"} for part in parts):
            raise ValueError("a part without the version that the person had before them")
        return self

    def change(self) -> Change:
        said = self.model_fields_set
        return Change(
            question=self.question,
            value=self.value if "value" in said else UNCHANGED,
            note=self.note if "note" in said else UNCHANGED,
            base_version=self.version,
            base_value_version=self.value_version if "value_version" in said else None,
            base_note_version=self.note_version if "note_version" in said else None,
        )


class PostedChanges(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    changes: Annotated[list[PostedChange], Field(min_length=1, max_length=200)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answers(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    if not request.user.is_authenticated:
        return _refusal(401, "signed_out", _("You are signed out. Sign in in another tab: nothing is lost."))
    if request.headers.get("X-Person", str(request.user.pk)) != str(request.user.pk):
        message = _(
            "Somebody else is signed in in this browser now. Sign in as yourself in another tab: nothing is lost."
        )
        return _refusal(401, "somebody_else", message)
    if request.method != "POST":
        submission = get_object_or_404(_shown(request.user), pk=submission_id)
        return JsonResponse(_state(submission, request.user))
    return _save(request, request.user, submission_id)


def _save(request: HttpRequest, user: User, submission_id: UUID) -> HttpResponse:
    try:
        saved = save_answers(submission_id, user, _read(request))
    except NotUnderstood as problem:
        # Whoever may not see the submission learns nothing about it by sending nonsense.
        get_object_or_404(Submission.objects.visible_to(user), pk=submission_id)
        return problem.refusal
    except InvalidChanges as invalid:
        return _refusal(400, "invalid", _("Some answers can't be saved as they are."), errors=invalid.errors)
    except SubmissionClosed:
        return _refusal(409, "submitted", _("This is submitted already. Reopen it to change answers."))
    except Throttled as refused:
        return _wait(refused.retry_after)
    except Submission.DoesNotExist:
        raise Http404 from None
    return _outcome(saved, user)


class NotUnderstood(Exception):
    """The request is no save; `refusal` is the answer to it."""

    def __init__(self, status: int, error: str, message: str) -> None:
        self.refusal = _refusal(status, error, message)
        super().__init__(error)


def _is_too_large(request: HttpRequest) -> bool:
    try:
        return len(request.body) > MAX_BODY
    except RequestDataTooBig:
        return True


def _parsed(body: bytes) -> PostedChanges:
    """Raises ValueError or RecursionError for what is no save."""
    try:
        return PostedChanges.model_validate_json(body)
    except ValidationError:
        # Half an emoji, as it is left where a text was cut, is JSON to a browser. In the place of each comes what is no
        # character and is taken out of texts like one.
        if b"\\ud" not in body.lower():
            raise
        whole = HALF.sub("\ufffe", json.dumps(json.loads(body), ensure_ascii=False))
        return PostedChanges.model_validate_json(whole)


def _read(request: HttpRequest) -> list[Change]:
    if request.content_type != "application/json":
        raise NotUnderstood(415, "not_json", _("Answers are saved here as JSON."))
    if _is_too_large(request):
        message = _(
            "This is more than can be saved at once. A text or reason has room for %(text)d characters, a note for "
            "%(note)d: shorten what is longer."
        )
        raise NotUnderstood(413, "too_large", message % {"text": MAX_TEXT, "note": MAX_NOTE})
    try:
        posted = _parsed(request.body)
    except (ValueError, RecursionError):
        raise NotUnderstood(400, "malformed", _("This is not a save that Plumbline understands.")) from None
    return [change.change() for change in posted.changes]


def _refusal(status: int, error: str, message: str, **more: object) -> JsonResponse:
    return JsonResponse({"error": error, "message": message, **more}, status=status)


def _wait(seconds: int) -> JsonResponse:
    message = _("Too much was saved at once. This is saved by itself in %(wait)s; nothing is lost.")
    refusal = _refusal(429, "throttled", message % {"wait": in_words(seconds)})
    refusal.headers["Retry-After"] = str(seconds)
    return refusal


def _outcome(saved: Saved, user: User) -> JsonResponse:
    document = {
        "revision": saved.submission.revision,
        "saved_at": timezone.now().isoformat(),
        "answers": {name: versions_of(answer) for name, answer in saved.answers.items()},
        **_how_far(saved.submission.questionnaire, _values(saved.answers)),
    }
    if not saved.conflicts:
        return JsonResponse(document)
    conflicts = [_conflict(saved.submission, conflict, user) for conflict in saved.conflicts]
    return JsonResponse({"error": "conflict", **document, "conflicts": conflicts}, status=409)


def _values(answers: Mapping[str, Answer]) -> dict[str, JsonValue]:
    return {name: answer.value for name, answer in answers.items() if answer.value is not None}


def _how_far(questionnaire: Questionnaire, values: Mapping[str, JsonValue]) -> dict[str, Any]:
    progress = progress_of(questionnaire, values)
    return {
        "visible": [question.id for question in visible_questions(questionnaire, values)],
        "open": [question.id for question in progress.open],
        "progress": {
            "answered": progress.answered,
            "visible": progress.visible,
            "minutes_left": progress.minutes_left,
            "text": progress.text,
        },
    }


def _conflict(submission: Submission, conflict: Conflict, user: User) -> dict[str, Any]:
    questionnaire, current, change = submission.questionnaire, conflict.current, conflict.change
    question = questionnaire.by_id[change.question]
    page = reverse("submission-section", args=[submission.pk, section_of(questionnaire, question.id).id])
    parts = {part: _changed(current, part, user) for part in conflict.parts}
    newest = parts[conflict.parts[0]]
    return {
        "question": question.id,
        "parts": [part for part in PARTS if part in parts],
        "value": current.value,
        "note": current.note,
        **versions_of(current),
        "text": describe(question, current.value),
        "yours": describe(question, current.value if change.value is UNCHANGED else change.value),
        "mine": all(changed.mine for changed in parts.values()),
        "by": newest.by or _("somebody"),
        "at": newest.at or current.updated_at.isoformat(),
        **_who_and_when(current, user),
        "url": f"{page}#q-{question.id}",
    }


@dataclass(frozen=True)
class Changed:
    """Who changed a part last, and when; nobody and never where nobody did."""

    by: str | None
    at: str | None
    mine: bool


def _changed(answer: Answer, part: Part, user: User) -> Changed:
    person, moment = (answer.value_by, answer.value_at) if part == "value" else (answer.note_by, answer.note_at)
    if moment is None:
        return Changed(None, None, mine=False)
    return Changed(str(person or _("somebody")), moment.isoformat(), mine=person == user)


def _who_and_when(answer: Answer, user: User) -> dict[str, Any]:
    value, note = _changed(answer, "value", user), _changed(answer, "note", user)
    return {
        "value_by": value.by,
        "value_at": value.at,
        "value_mine": value.mine,
        "note_by": note.by,
        "note_at": note.at,
        "note_mine": note.mine,
    }


def _shown(user: User) -> SubmissionQuerySet:
    answers = Prefetch("answers", Answer.objects.select_related("value_by", "note_by"))
    return Submission.objects.visible_to(user).select_related("submitted_by").prefetch_related(answers)


def _state(submission: Submission, user: User) -> dict[str, Any]:
    """Everything that a page shows of the answers, for a page that was opened earlier."""
    questionnaire, answers = submission.questionnaire, {answer.question: answer for answer in submission.answers.all()}
    values = _values(answers)
    submitted_at = submission.submitted_at if submission.is_submitted else None
    return {
        "revision": submission.revision,
        "state": submission.state,
        "submitted_by": str(submission.submitted_by or _("somebody")) if submission.is_submitted else None,
        "submitted_at": submitted_at.isoformat() if submitted_at else None,
        "answers": {
            name: {
                "value": answer.value,
                "note": answer.note,
                "text": describe(questionnaire.by_id[name], answer.value),
                **versions_of(answer),
                **_who_and_when(answer, user),
            }
            for name, answer in answers.items()
        },
        **_how_far(questionnaire, values),
        "sections": {
            each.section.id: {"answered": each.answered, "visible": each.visible, "status": each.status}
            for each in sections_of(questionnaire, values)
        },
    }
