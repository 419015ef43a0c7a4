"""Where `static/js/autosave.js` saves: JSON in, JSON out. `docs/architecture.md` tells the story of a save.

200: stored. 400: not understood, or answers that the questionnaire does not take (a sentence for each in `errors`).
401: signed out, or not the person who opened the page (the header X-Person says who did). 404: no such submission.
409: `conflict` (the other changes of the request are stored) or `submitted`. 413: too much. 415: not JSON. Nothing is
stored with any of them but 200 and `conflict`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from answers.fields import fingerprint
from answers.models import Submission
from answers.progress import progress_of, section_of
from answers.saving import Change, Conflict, InvalidChanges, Saved, SubmissionClosed, save_answers
from answers.words import describe
from questionnaires.answers import visible_questions

if TYPE_CHECKING:
    from accounts.models import User

MAX_BODY = 256 * 1024


class PostedChange(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(max_length=64)]
    value: JsonValue
    note: str = ""
    version: Annotated[int, Field(ge=0, lt=2**31)]


class PostedChanges(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    changes: Annotated[list[PostedChange], Field(min_length=1, max_length=200)]


@never_cache
@require_POST
def save(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    if not request.user.is_authenticated:
        return _refusal(401, "signed_out", _("You are signed out. Sign in in another tab: nothing is lost."))
    if request.headers.get("X-Person", str(request.user.pk)) != str(request.user.pk):
        message = _(
            "Somebody else is signed in in this browser now. Sign in as yourself in another tab: nothing is lost."
        )
        return _refusal(401, "somebody_else", message)
    try:
        saved = save_answers(submission_id, request.user, _read(request))
    except NotUnderstood as problem:
        # Whoever may not see the submission learns nothing about it by sending nonsense.
        get_object_or_404(Submission.objects.visible_to(request.user), pk=submission_id)
        return problem.refusal
    except InvalidChanges as invalid:
        return _refusal(400, "invalid", _("Some answers can't be saved as they are."), errors=invalid.errors)
    except SubmissionClosed:
        return _refusal(409, "submitted", _("This was submitted meanwhile. Reopen it to change answers."))
    except Submission.DoesNotExist:
        raise Http404 from None
    return _outcome(saved, request.user)


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


def _read(request: HttpRequest) -> list[Change]:
    if request.content_type != "application/json":
        raise NotUnderstood(415, "not_json", _("Answers are saved here as JSON."))
    if _is_too_large(request):
        raise NotUnderstood(413, "too_large", _("This is more than can be saved at once."))
    try:
        posted = PostedChanges.model_validate_json(request.body)
    except ValidationError:
        raise NotUnderstood(400, "malformed", _("This is not a save that Plumbline understands.")) from None
    return [
        Change(question=change.question, value=change.value, note=change.note, base_version=change.version)
        for change in posted.changes
    ]


def _refusal(status: int, error: str, message: str, **more: object) -> JsonResponse:
    return JsonResponse({"error": error, "message": message, **more}, status=status)


def _outcome(saved: Saved, user: User) -> JsonResponse:
    questionnaire = saved.submission.questionnaire
    values = {name: answer.value for name, answer in saved.answers.items() if answer.value is not None}
    progress = progress_of(questionnaire, values)
    document: dict[str, Any] = {
        "revision": saved.submission.revision,
        "saved_at": timezone.now().isoformat(),
        "answers": {
            name: {"version": answer.version, "seen": fingerprint(answer.value, answer.note)}
            for name, answer in saved.answers.items()
        },
        "visible": [question.id for question in visible_questions(questionnaire, values)],
        "open": [question.id for question in progress.open],
        "progress": {
            "answered": progress.answered,
            "visible": progress.visible,
            "minutes_left": progress.minutes_left,
            "text": progress.text,
        },
    }
    if not saved.conflicts:
        return JsonResponse(document)
    conflicts = [_conflict(saved.submission, conflict, user) for conflict in saved.conflicts]
    return JsonResponse({"error": "conflict", **document, "conflicts": conflicts}, status=409)


def _conflict(submission: Submission, conflict: Conflict, user: User) -> dict[str, Any]:
    questionnaire, current = submission.questionnaire, conflict.current
    question = questionnaire.by_id[current.question]
    page = reverse("submission-section", args=[submission.pk, section_of(questionnaire, question.id).id])
    return {
        "question": question.id,
        "value": current.value,
        "note": current.note,
        "version": current.version,
        "seen": fingerprint(current.value, current.note),
        "text": describe(question, current.value),
        "yours": describe(question, conflict.change.value),
        "mine": current.updated_by == user,
        "by": str(current.updated_by or _("somebody")),
        "at": current.updated_at.isoformat(),
        "url": f"{page}#q-{question.id}",
    }
