"""The page of a section: it asks, saves, and shows once more what could not be saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from accounts.opening import own_forms_only
from answers.continuing import address_of
from answers.fields import QuestionField, fields_for, given_up, posted_changes
from answers.models import Submission
from answers.progress import progress_of
from answers.requests import PersonRequest, find, get_or_post, who_submitted
from answers.saving import UNCHANGED, Change, Conflict, InvalidChanges, Saved, SubmissionClosed, save_answers
from questionnaires.answers import visible_questions
from questionnaires.definition import Section
from throttling.buckets import Throttled
from throttling.words import in_words


@never_cache
@login_required
@get_or_post
@own_forms_only
def section(request: PersonRequest, submission_id: UUID, section_id: str) -> HttpResponse:
    submission = find(request, submission_id)
    section = next((s for s in submission.questionnaire.sections if s.id == section_id), None)
    if section is None:
        raise Http404
    if request.method == "POST":
        return _save_section(request, submission, section)
    if submission.is_submitted:
        reopen = _("Reopen it to change answers.")
        messages.info(request, format_html("{} {}", who_submitted(request.user, submission), reopen))
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
        errors, conflicts = invalid.errors, invalid.conflicts
        return _show_section(request, submission, section, changes, errors=errors, conflicts=conflicts, status=400)
    except Throttled as refused:
        page = _show_section(request, submission, section, changes, wait=in_words(refused.retry_after), status=429)
        page.headers["Retry-After"] = str(refused.retry_after)
        return page
    _keep_within_reach(request, section)
    if saved.conflicts:
        return _show_section(request, saved.submission, section, changes, conflicts=saved.conflicts, status=409)
    return _after_saving(request, saved, section, asked_before)


def _keep_within_reach(request: PersonRequest, section: Section) -> None:
    """What a person leaves for a colleague's answer is shown once more, so that it can be copied."""
    for question, part, words in given_up(request.POST, section.questions):
        said = _("Your note was:") if part == "note" else _("Your answer was:")
        text = format_html('{}<br>{} <bdi class="by-hand">{}</bdi>', question.text, said, words)
        messages.info(request, text)


def _show_section(
    request: PersonRequest,
    submission: Submission,
    section: Section,
    changes: Sequence[Change] = (),
    *,
    errors: dict[str, str] | None = None,
    conflicts: Sequence[Conflict] = (),
    wait: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page with the stored answers, and with what was typed where that is not stored; `wait`: in how long
    it can be saved."""
    errors, by_question = errors or {}, {conflict.change.question: conflict for conflict in conflicts}
    questionnaire = submission.questionnaire
    stored = {answer.question: answer for answer in submission.answers.all()}
    values = {name: answer.value for name, answer in stored.items() if answer.value is not None}
    visible = frozenset(question.id for question in visible_questions(questionnaire, values))
    fields = fields_for(questionnaire, section, answers=stored, visible=visible)
    unsaved = {
        change.question: change for change in changes if errors or not conflicts or change.question in by_question
    }
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
            "nothing_saved": bool(errors),
            "wait": wait,
            "progress": progress_of(questionnaire, values),
        },
        status=status,
    )


def _as_typed(
    request: PersonRequest, field: QuestionField, change: Change, error: str, conflict: Conflict | None
) -> QuestionField:
    """The question with what was typed in the place of the parts that are not stored."""
    post, name = request.POST, field.question.id
    if change.value is not UNCHANGED and (conflict is None or conflict.value):
        base = change.base_value_version
        version = min(field.value_version, change.base_version) if base is None else base
        seen = post.get(f"{name}:seen_value", "")
        field = replace(field, value=change.value, value_version=version, seen_value=seen)
    if change.note is not UNCHANGED and (conflict is None or conflict.note):
        base = change.base_note_version
        version = min(field.note_version, change.base_version) if base is None else base
        seen = post.get(f"{name}:seen_note", "")
        field = replace(field, note=change.note, note_version=version, seen_note=seen)
    seen = post.get(f"{name}:seen", "")
    return replace(field, version=change.base_version, seen=seen, error=error, conflict=conflict, is_unsaved=True)


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
        return redirect(address_of(submission, new_here[0]))
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
