"""The pages on which a submission is answered. Every one of them works without JavaScript."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import chosen
from accounts.models import Organisation
from accounts.opening import own_forms_only
from answers import lines, submissions
from answers.continuing import address_of, under_way, where_to_go_on
from answers.fields import fields_for
from answers.models import MAX_LINE_NAME, Line, Submission
from answers.progress import progress_of, sections_of
from answers.requests import PersonRequest, find, get_or_post, who_submitted
from questionnaires import library
from questionnaires.answers import visible_questions

PAGE_SIZE = 50
MOST_CONTINUED = 6
"""The drafts that the list begins with; the others are in its table."""


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
    return _show_submission(request, find(request, submission_id))


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
            "who_submitted": submission.is_submitted and who_submitted(request.user, submission),
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
    submission = find(request, submission_id)
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
@require_safe
def review(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    return _show_review(request, find(request, submission_id))


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
        "who_submitted": submission.is_submitted and who_submitted(request.user, submission),
    }
    return render(request, "answers/review.html", context, status=400 if refused else 200)


@login_required
@get_or_post
@own_forms_only
def submit(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    submission = find(request, submission_id)
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
        messages.info(request, format_html("{} {}", who_submitted(request.user, submitted), nothing))
        return redirect("submission", submission.pk)
    return redirect(f"{reverse('submission', args=[submission.pk])}?submitted=1")


@login_required
@get_or_post
@own_forms_only
def try_again(request: PersonRequest, submission_id: UUID) -> HttpResponse:
    """Have answers evaluated once more whose evaluation failed; the button is in the panel that says so."""
    submission = find(request, submission_id)
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
    submission = find(request, submission_id)
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
    submission = find(request, submission_id)
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
        messages.error(request, format_html("{} {}", who_submitted(request.user, submission), kept))
        return redirect("submission", submission.pk)
    messages.success(request, _("The draft is deleted."))
    return redirect(_list_of(submission.organisation))
