"""The pages on which a submission is answered. Every one of them works without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organisation
from accounts.opening import own_forms_only
from answers import submissions
from answers.fields import QuestionField, fields_for, posted_changes
from answers.models import Submission
from answers.progress import Progress, SectionProgress, progress_of, section_of, sections_of
from answers.saving import Change, Conflict, InvalidChanges, Saved, SubmissionClosed, save_answers
from questionnaires import library
from questionnaires.answers import visible_questions
from questionnaires.definition import Question, Section

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class PersonRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def _find(request: PersonRequest, submission_id: UUID) -> Submission:
    return get_object_or_404(Submission.objects.visible_to(request.user), pk=submission_id)


@login_required
@require_safe
def questionnaire_list(request: PersonRequest) -> HttpResponse:
    rows = Submission.objects.visible_to(request.user).newest_first().select_related("created_by", "organisation")
    page = Paginator(rows.prefetch_related("answers"), PAGE_SIZE).get_page(request.GET.get("page"))
    mine = [(submission, progress_of(submission.questionnaire, submission.values)) for submission in page]
    return render(request, "answers/list.html", {"offered": library.offered(), "mine": mine, "page": page})


@login_required
@get_or_post
def start(request: PersonRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        return redirect("questionnaire-list")
    try:
        submission = submissions.start(request.user, slug)
    except library.UnknownQuestionnaire:
        raise Http404 from None
    except Organisation.DoesNotExist:
        raise PermissionDenied(_("You belong to no organisation. Ask an administrator to add you to one.")) from None
    return redirect("submission", submission.pk)


@never_cache
@login_required
@require_safe
def submission(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = _find(request, submission_id)
    if "submitted" in request.GET and not submission.is_submitted:
        messages.info(request, _("This was reopened meanwhile. What you submitted has its report all the same."))
    questionnaire, values = submission.questionnaire, submission.values
    progress, sections = progress_of(questionnaire, values), sections_of(questionnaire, values)
    return render(
        request,
        "answers/submission.html",
        {
            "submission": submission,
            "questionnaire": questionnaire,
            "progress": progress,
            "sections": sections,
            "just_submitted": submission.is_submitted and "submitted" in request.GET,
            "resume_url": _where_to_go_on(submission, progress, sections),
        },
    )


def _where_to_go_on(submission: Submission, progress: Progress, sections: list[SectionProgress]) -> str | None:
    """The first open question, or the first page before any answer, for its optional questions may come first."""
    if not progress.open:
        return None
    if not progress.answered:
        return reverse("submission-section", args=[submission.pk, sections[0].section.id])
    return _address(submission, progress.open[0])


@never_cache
@login_required
@get_or_post
@own_forms_only
def section(request: PersonRequest, submission_id: UUID, section_id: str) -> HttpResponse:
    submission = _find(request, submission_id)
    section = next((s for s in submission.questionnaire.sections if s.id == section_id), None)
    if section is None:
        raise Http404
    if request.method == "POST":
        return _save_section(request, submission, section)
    if submission.is_submitted:
        messages.info(request, _("This was submitted. Reopen it to change answers."))
        return redirect("submission", submission.pk)
    return _show_section(request, submission, section)


def _save_section(request: PersonRequest, submission: Submission, section: Section) -> HttpResponse:
    changes = posted_changes(request.POST, section.questions)
    asked_before = _visible(submission)
    try:
        saved = save_answers(submission.pk, request.user, changes)
    except Submission.DoesNotExist:
        raise Http404 from None
    except SubmissionClosed as closed:
        return _show_section(request, closed.submission, section, changes, status=409)
    except InvalidChanges as invalid:
        return _show_section(request, submission, section, changes, errors=invalid.errors, status=400)
    if saved.conflicts:
        return _show_section(request, saved.submission, section, changes, conflicts=saved.conflicts, status=409)
    return _after_saving(request, saved, section, asked_before)


def _show_section(
    request: PersonRequest,
    submission: Submission,
    section: Section,
    changes: Sequence[Change] = (),
    *,
    errors: dict[str, str] | None = None,
    conflicts: Sequence[Conflict] = (),
    status: int = 200,
) -> HttpResponse:
    """The page with the stored answers, and with what was typed where that is not stored."""
    errors, by_question = errors or {}, {conflict.change.question: conflict for conflict in conflicts}
    questionnaire = submission.questionnaire
    stored = {answer.question: answer for answer in submission.answers.select_related("updated_by")}
    values = {name: answer.value for name, answer in stored.items() if answer.value is not None}
    visible = frozenset(question.id for question in visible_questions(questionnaire, values))
    fields = fields_for(questionnaire, section, answers=stored, visible=visible)
    unsaved = {change.question: change for change in changes if not conflicts or change.question in by_question}
    shown = [
        _as_typed(request, field, change, errors.get(field.question.id, ""), by_question.get(field.question.id))
        if (change := unsaved.get(field.question.id))
        else field
        for field in fields
    ]
    return render(
        request,
        "answers/section.html",
        {
            "submission": submission,
            "questionnaire": questionnaire,
            "section": section,
            "number": questionnaire.sections.index(section) + 1,
            "fields": shown,
            "problems": [field for field in shown if field.error or field.conflict],
            "progress": progress_of(questionnaire, values),
        },
        status=status,
    )


def _as_typed(
    request: PersonRequest, field: QuestionField, change: Change, error: str, conflict: Conflict | None
) -> QuestionField:
    return replace(
        field,
        value=change.value,
        note=change.note,
        version=change.base_version,
        seen=request.POST.get(f"{field.question.id}:seen", ""),
        error=error,
        conflict=conflict,
        is_unsaved=True,
    )


def _after_saving(request: PersonRequest, saved: Saved, section: Section, asked_before: frozenset[str]) -> HttpResponse:
    submission = saved.submission
    visible = _visible(submission)
    new_here = [q for q in section.questions if q.id in visible - asked_before]
    if new_here:
        text = ngettext(
            "Saved. Your answers brought up %(n)d more question on this page.",
            "Saved. Your answers brought up %(n)d more questions on this page.",
            len(new_here),
        )
        messages.info(request, text % {"n": len(new_here)})
        return redirect(_address(submission, new_here[0]))
    if request.POST.get("then") == "overview":
        return redirect("submission", submission.pk)
    return redirect(_next_page(submission, section, visible))


def _next_page(submission: Submission, section: Section, visible: frozenset[str]) -> str:
    sections = submission.questionnaire.sections
    for following in sections[sections.index(section) + 1 :]:
        if any(question.id in visible for question in following.questions):
            return reverse("submission-section", args=[submission.pk, following.id])
    return reverse("submission-review", args=[submission.pk])


def _visible(submission: Submission) -> frozenset[str]:
    return frozenset(question.id for question in visible_questions(submission.questionnaire, submission.values))


def _address(submission: Submission, question: Question) -> str:
    """Where the question is asked."""
    section = section_of(submission.questionnaire, question.id)
    return f"{reverse('submission-section', args=[submission.pk, section.id])}#q-{question.id}"


@never_cache
@login_required
@require_safe
def review(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    return _show_review(request, _find(request, submission_id))


def _show_review(request: PersonRequest, submission: Submission, *, refused: bool = False) -> HttpResponse:
    questionnaire = submission.questionnaire
    answers = {answer.question: answer for answer in submission.answers.all()}
    values = {name: answer.value for name, answer in answers.items() if answer.value is not None}
    visible = frozenset(question.id for question in visible_questions(questionnaire, values))
    groups = [
        (section, [field for field in fields if field.visible])
        for section in questionnaire.sections
        for fields in [fields_for(questionnaire, section, answers=answers, visible=visible)]
    ]
    progress = progress_of(questionnaire, values)
    context = {
        "submission": submission,
        "questionnaire": questionnaire,
        "progress": progress,
        "groups": [(section, fields) for section, fields in groups if fields],
        "open": [(question, _address(submission, question)) for question in progress.open],
        "refused": refused,
    }
    return render(request, "answers/review.html", context, status=400 if refused else 200)


@login_required
@get_or_post
@own_forms_only
def submit(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = _find(request, submission_id)
    if request.method != "POST":
        return redirect("submission-review", submission.pk)
    try:
        submissions.submit(submission.pk, request.user)
    except Submission.DoesNotExist:
        raise Http404 from None
    except submissions.Incomplete:
        return _show_review(request, submission, refused=True)
    return redirect(f"{reverse('submission', args=[submission.pk])}?submitted=1")


@login_required
@get_or_post
@own_forms_only
def reopen(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = _find(request, submission_id)
    if request.method == "POST":
        try:
            submissions.reopen(submission.pk, request.user)
        except Submission.DoesNotExist:
            raise Http404 from None
        messages.info(request, _("Reopened. The report stays as it is; a new one is made when you submit again."))
    return redirect("submission", submission.pk)


@never_cache
@login_required
@get_or_post
@own_forms_only
def delete(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = _find(request, submission_id)
    if request.method != "POST" and submission.can_be_deleted:
        context = {"submission": submission, "questionnaire": submission.questionnaire}
        return render(request, "answers/delete.html", context)
    try:
        submissions.delete_draft(submission.pk, request.user)
    except Submission.DoesNotExist:
        raise Http404 from None
    except submissions.NotDeletable:
        messages.error(request, _("What was submitted once is kept, and so is its report."))
        return redirect("submission", submission.pk)
    messages.success(request, _("The draft is deleted."))
    return redirect("questionnaire-list")
