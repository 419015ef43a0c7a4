"""Starting a questionnaire. What there is already is offered first: nobody begins twice by mistake, and what is
assessed again goes on in its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import chosen
from accounts.models import Organisation
from accounts.opening import own_forms_only
from answers import lines, submissions
from answers.continuing import UnderWay, under_way
from answers.models import MAX_LINE_NAME, Line, Submission, SubmissionQuerySet
from answers.requests import PersonRequest
from questionnaires import library
from questionnaires.definition import Questionnaire

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Offer:
    """One of the lines in which somebody may start."""

    line: Line
    last: Submission | None
    """What was submitted in it last."""
    draft: UnderWay | None
    """What is under way in it."""


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@own_forms_only
def start(request: PersonRequest, slug: str) -> HttpResponse:
    """Start at once where there is nothing yet; else ask which one goes on, or what the new one is called."""
    questionnaire = _offered(slug)
    mine, organisation = chosen.organisations(request), chosen.named(request)
    if not mine:
        return redirect("questionnaire-list")
    if organisation is None and len(mine) > 1:
        return render(request, "answers/for_whom.html", {"questionnaire": questionnaire})
    organisation = organisation or mine[0]
    chosen.stand_for(request, organisation)
    there = _there(request.user, organisation, slug)
    if request.method != "POST":
        return _ask(request, questionnaire, organisation)
    if "line" not in request.POST and "name" not in request.POST and _is_anything(there, organisation, slug):
        return redirect(_asking(slug, organisation))
    if request.POST.get("newest", newest := _newest(there)) != newest:
        messages.info(request, _("Nothing was started: a draft was started after you opened the page. See below."))
        return redirect(_asking(slug, organisation))
    return _start(request, questionnaire, organisation)


def _offered(slug: str) -> Questionnaire:
    try:
        return library.current(slug)
    except library.UnknownQuestionnaire:
        raise Http404 from None


def _there(user: User, organisation: Organisation, slug: str) -> SubmissionQuerySet:
    """What the organisation has of the questionnaire. The person's own untouched draft is given again anyway."""
    mine = Submission.objects.visible_to(user).filter(organisation=organisation, questionnaire_slug=slug)
    return mine.exclude(created_by=user, revision=0)


def _is_anything(there: SubmissionQuerySet, organisation: Organisation, slug: str) -> bool:
    return there.exists() or len(lines.existing(organisation, slug)) > 1


def _newest(there: SubmissionQuerySet) -> str:
    """The id of the draft that was started last, or nothing: a page that is older than it asks again."""
    found = there.filter(state=Submission.State.DRAFT).order_by("-created_at", "-id").values_list("pk", flat=True)
    return str(found.first() or "")


def _asking(slug: str, organisation: Organisation) -> str:
    return f"{reverse('submission-start', args=[slug])}?{chosen.FIELD}={organisation.pk}"


def _start(request: PersonRequest, questionnaire: Questionnaire, organisation: Organisation) -> HttpResponse:
    line, name = _chosen_line(request.POST.get("line")), request.POST.get("name")
    try:
        submission = submissions.start(
            request.user, questionnaire.slug, organisation=organisation, line=line, name=name
        )
    except lines.InvalidName as problem:
        return _ask(request, questionnaire, organisation, name=name or "", problem=str(problem))
    except submissions.TooManyDrafts as full:
        return _ask(request, questionnaire, organisation, name=name or "", full=str(full))
    except (Line.DoesNotExist, Organisation.DoesNotExist, library.UnknownQuestionnaire):
        raise Http404 from None
    return redirect("submission", submission.pk)


def _chosen_line(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None else None
    except ValueError:
        raise Http404 from None


def _ask(
    request: PersonRequest,
    questionnaire: Questionnaire,
    organisation: Organisation,
    *,
    name: str = "",
    problem: str = "",
    full: str = "",
) -> HttpResponse:
    """The page that asks; `problem`: what is wrong with the name, `full`: why nothing more can be started."""
    slug = questionnaire.slug
    everything = Submission.objects.visible_to(request.user).filter(organisation=organisation, questionnaire_slug=slug)
    drafts = under_way(everything)
    context = {
        "questionnaire": questionnaire,
        "drafts": drafts,
        "shown": [draft.submission.pk for draft in drafts],
        "offers": _offers(organisation, slug, everything, drafts),
        "newest": _newest(_there(request.user, organisation, slug)),
        "name": name,
        "problem": problem,
        "full": full,
        "longest": MAX_LINE_NAME,
    }
    return render(request, "answers/start.html", context, status=409 if full else 400 if problem else 200)


def _offers(
    organisation: Organisation, slug: str, everything: SubmissionQuerySet, drafts: list[UnderWay]
) -> list[Offer]:
    submitted = everything.filter(submitted_at__isnull=False).select_related("submitted_by").order_by("submitted_at")
    last = {submission.line_id: submission for submission in submitted}
    open_ones = {draft.submission.line_id: draft for draft in reversed(drafts)}
    return [Offer(line, last.get(line.pk), open_ones.get(line.pk)) for line in lines.existing(organisation, slug)]
