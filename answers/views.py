"""The pages on which a submission is answered. Every one of them works without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import chosen
from accounts.models import Organisation
from accounts.opening import own_forms_only
from accounts.templatetags.moments import as_element
from answers import lines, submissions
from answers.continuing import address_of, under_way, where_to_go_on
from answers.fields import QuestionField, fields_for, given_up, posted_changes
from answers.models import MAX_LINE_NAME, Line, Submission
from answers.progress import progress_of, sections_of
from answers.saving import UNCHANGED, Change, Conflict, InvalidChanges, Saved, SubmissionClosed, save_answers
from questionnaires import library
from questionnaires.answers import visible_questions
from questionnaires.definition import Section
from throttling.buckets import Throttled
from throttling.words import in_words

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
MOST_CONTINUED = 6
"""The drafts that the list begins with; the others are in its table."""
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class PersonRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def _find(request: PersonRequest, submission_id: UUID) -> Submission:
    mine = Submission.objects.visible_to(request.user).select_related("organisation", "submitted_by", "line")
    submission = get_object_or_404(mine, pk=submission_id)
    chosen.stand_for(request, submission.organisation)
    return submission


def _who_submitted(user: User, submission: Submission) -> SafeString:
    """The sentence that says by whom and when, as a page shows it."""
    time = as_element(submission.submitted_at)
    if submission.submitted_by == user:
        return format_html(_("You submitted this on {time}."), time=time)
    person = format_html("<bdi>{}</bdi>", submission.submitted_by or _("Somebody"))
    return format_html(_("{person} submitted this on {time}."), person=person, time=time)


def _list_of(organisation: Organisation | None) -> str:
    query = f"?{chosen.FIELD}={organisation.pk}" if organisation else ""
    return f"{reverse('questionnaire-list')}{query}"


@never_cache
@login_required
@require_safe
def questionnaire_list(request: PersonRequest) -> HttpResponse:
    organisation = chosen.chosen(request)
    ours = Submission.objects.visible_to(request.user).filter(organisation=organisation)
    rows = ours.newest_first().select_related("created_by", "line")
    page = Paginator(rows.prefetch_related("answers"), PAGE_SIZE).get_page(request.GET.get("page"))
    mine = [(submission, progress_of(submission.questionnaire, submission.values)) for submission in page]
    begun = ours.filter(Q(revision__gt=0) | Q(created_by=request.user))
    drafts = under_way(begun, MOST_CONTINUED) if page.number == 1 else []
    context = {
        "offered": library.offered(),
        "under_way": drafts,
        "mine": mine,
        "shown": {draft.submission.pk for draft in drafts} | {submission.pk for submission, _progress in mine},
        "page": page,
    }
    return render(request, "answers/list.html", context)


@never_cache
@login_required
@require_safe
def submission(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    return _show_submission(request, _find(request, submission_id))


def _show_submission(
    request: PersonRequest, submission: Submission, *, name: str | None = None, problem: str = ""
) -> HttpResponse:
    if "submitted" in request.GET and not submission.is_submitted:
        messages.info(
            request, _("Somebody reopened this before you came here. What you submitted has its report all the same.")
        )
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
            "who_submitted": submission.is_submitted and _who_submitted(request.user, submission),
            "resume_url": where_to_go_on(submission, progress, sections),
            "name": submission.line.name if name is None else name,
            "problem": problem,
            "longest": MAX_LINE_NAME,
        },
        status=400 if problem else 200,
    )


@login_required
@get_or_post
@own_forms_only
def rename(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    """Give the line of a submission another name."""
    submission = _find(request, submission_id)
    if request.method != "POST":
        return redirect("submission", submission.pk)
    name = request.POST.get("name", "")
    try:
        line = lines.rename(submission.line_id, request.user, name)
    except Line.DoesNotExist:
        raise Http404 from None
    except lines.InvalidName as problem:
        return _show_submission(request, submission, name=name, problem=str(problem))
    messages.success(request, format_html(_("The name is now “{}”."), format_html("<bdi>{}</bdi>", line.name)))
    return redirect("submission", submission.pk)


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
        reopen = _("Reopen it to change answers.")
        messages.info(request, format_html("{} {}", _who_submitted(request.user, submission), reopen))
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
        "open": [(question, address_of(submission, question)) for question in progress.open],
        "refused": refused,
        "who_submitted": submission.is_submitted and _who_submitted(request.user, submission),
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
        submitted = submissions.submit(submission.pk, request.user)
    except Submission.DoesNotExist:
        raise Http404 from None
    except submissions.Incomplete:
        return _show_review(request, submission, refused=True)
    is_news = submission.is_submitted or submission.submitted_revision != submitted.submitted_revision
    if is_news and submitted.submitted_by != request.user:
        nothing = _("You pressed Submit after that, so nothing was submitted a second time.")
        messages.info(request, format_html("{} {}", _who_submitted(request.user, submitted), nothing))
        return redirect("submission", submission.pk)
    return redirect(f"{reverse('submission', args=[submission.pk])}?submitted=1")


@login_required
@get_or_post
@own_forms_only
def try_again(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    """Have answers evaluated once more whose evaluation failed; the button is in the panel that says so."""
    submission = _find(request, submission_id)
    address = reverse("submission", args=[submission.pk])
    if request.method != "POST":
        return redirect(address)
    try:
        is_tried = submissions.try_again(submission.pk, request.user)
    except Submission.DoesNotExist:
        raise Http404 from None
    if is_tried:
        messages.info(request, _("Your answers are being evaluated again."))
    else:
        messages.info(request, _("There was nothing to do: the evaluation exists, or it is under way."))
    return redirect(f"{address}?submitted=1" if submission.is_submitted else address)


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
        if submission.is_submitted:
            messages.info(request, _("Reopened. The report stays as it is; a new one is made when you submit again."))
        else:
            messages.info(request, _("This was open already: somebody else reopened it. You can change answers."))
    return redirect("submission", submission.pk)


@never_cache
@login_required
@get_or_post
@own_forms_only
def delete(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = _find(request, submission_id)
    is_as_shown = request.POST.get("revision", str(submission.revision)) == str(submission.revision)
    if submission.can_be_deleted and (request.method != "POST" or not is_as_shown):
        context = {"submission": submission, "questionnaire": submission.questionnaire, "changed": not is_as_shown}
        return render(request, "answers/delete.html", context, status=200 if is_as_shown else 409)
    try:
        submissions.delete_draft(submission.pk, request.user)
    except Submission.DoesNotExist:
        raise Http404 from None
    except submissions.NotDeletable:
        kept = _("What was submitted once is kept, and so is its report.")
        submission.refresh_from_db()
        messages.error(request, format_html("{} {}", _who_submitted(request.user, submission), kept))
        return redirect("submission", submission.pk)
    messages.success(request, _("The draft is deleted."))
    return redirect(_list_of(submission.organisation))
