"""Pages and fragments of reports. Everything is looked up through `visible_to`: somebody else's gives the same 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import chosen
from accounts.models import Organisation
from reports.models import Feed, Problem, Report, ReportQuerySet
from reports.presentation import ReportPage
from reports.problems import standing_of
from reports.templatetags.reporting import has_problem, is_final, newest_report, panel_context

PAGE_SIZE = 50
PROBLEMS = 5
"""At most so many evaluations that failed are named above the list, the newest first."""
CHANGES_AT_ONCE = 100
LARGEST_POSITION = 2**63 - 1
STATES = {"provisional": True, "final": False}


@require_safe
@login_required
@never_cache
def report_list(request: HttpRequest) -> HttpResponse:
    """The reports of one of the person's organisations."""
    organisation = chosen.chosen(request)
    # Read before the rows: what is stored in between comes again with the changes instead of never.
    position = Feed.objects.position(organisation) if organisation else 0
    context = {"position": position, **_list_of(request, organisation)}
    return render(request, "reports/list.html", context)


@require_safe
@login_required
@never_cache
def report_changes(request: HttpRequest) -> JsonResponse:
    """What became of the reports after a position, as rows of the list that the same query shows.

    With `submission` of that one's reports alone; of somebody else's there are none, as of one that does not exist.
    Where no report could be made of a newer revision, `problem` says of which.
    With `page`, and where something happened, that page of the list as a whole: its filter, rows and pager.
    """
    after = _position(request.GET.get("after", ""))
    if after is None:
        return JsonResponse({"error": _("“after” has to be a whole number, 0 or more.")}, status=400)
    watched = _watched(request)
    news = list(watched.filter(position__gt=after).for_listing().order_by("position")[: CHANGES_AT_ONCE + 1])
    more = len(news) > CHANGES_AT_ONCE
    news = news[:CHANGES_AT_ONCE]
    # Nothing new: our own last position, for after a restore from a backup the client's may be ahead of it.
    position = news[-1].position if news else min(after, watched.last_position())
    document = {"position": position, "more": more, "changes": [_change(request, report) for report in news]}
    if submission := request.GET.get("submission"):
        failed = Problem.objects.visible_to(request.user).standing().filter(submission=_submission(submission)).first()
        document |= {"problem": failed.revision} if failed else {}
    if news and "page" in request.GET:
        context = _list_of(request, _organisation_of_changes(request))
        document["list"] = render_to_string("reports/_list.html", context, request)
    return JsonResponse(document)


@require_safe
@login_required
@never_cache
def report_detail(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """One report, whole."""
    report = get_object_or_404(Report.objects.visible_to(request.user).select_related("organisation"), pk=report_id)
    chosen.stand_for(request, report.organisation)
    found = newest_report(request.user, report.submission)
    newest, newer_failed = found or report, found is not None and has_problem(found)
    previous = report.previous_final()
    context = {"page": ReportPage(report, previous), "report": report, "newest": newest, "previous": previous}
    context["newer_failed"] = newer_failed
    return render(request, "reports/report.html", context)


@require_safe
@login_required
@never_cache
def report_panel(request: HttpRequest, submission: UUID) -> HttpResponse:
    """The evaluation so far, as the fragment that answering pages keep beside the questions.

    `wait`: the submitted revision that the page waits for. `late`: it has waited for a while, so look what is missing.
    """
    report = newest_report(request.user, submission)
    wait, is_late = _position(request.GET.get("wait", "")), "late" in request.GET
    standing = None
    if report is None or has_problem(report) or is_late or (wait is not None and not is_final(report, wait)):
        awaited = None if wait is not None and is_final(report, wait) else wait
        standing = standing_of(request.user, submission, awaited, is_late=is_late)
    if report is None and not (standing and standing.is_known):
        raise Http404
    return render(request, "reports/_panel.html", {**panel_context(report, wait, standing), "submission": submission})


def _watched(request: HttpRequest) -> ReportQuerySet:
    """The reports whose changes are asked for, withdrawn ones too."""
    mine = Report.objects.of_members(request.user)
    if wanted := request.GET.get("submission"):
        return mine.filter(submission=_submission(wanted))
    organisation = _organisation_of_changes(request)
    return mine.filter(organisation=organisation) if organisation else mine.none()


def _organisation_of_changes(request: HttpRequest) -> Organisation | None:
    """Not the one chosen last: another tab may have chosen it, and this is no page."""
    return chosen.named(request) or next(iter(chosen.organisations(request)), None)


def _list_of(request: HttpRequest, organisation: Organisation | None) -> dict[str, Any]:
    """A page of the organisation's reports; the last one where the query names one beyond it."""
    mine = Report.objects.visible_to(request.user).filter(organisation=organisation)
    reports = _filtered(request, mine).for_listing().newest_first()
    failed = Problem.objects.visible_to(request.user).standing()
    return {
        "organisation": organisation,
        "page": Paginator(reports, PAGE_SIZE).get_page(request.GET.get("page")),
        "lines": _lines(mine),
        "problems": failed.filter(organisation=organisation).order_by("-at")[:PROBLEMS],
        "state": request.GET.get("state", ""),
        "questionnaire": request.GET.get("questionnaire", ""),
        "query": _query(request, organisation),
    }


def _submission(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(_("There is no such submission.")) from None


def _filtered(request: HttpRequest, reports: ReportQuerySet) -> ReportQuerySet:
    state, questionnaire = request.GET.get("state"), request.GET.get("questionnaire")
    if state:
        reports = reports.filter(provisional=_is_provisional(state))
    if questionnaire:
        if not questionnaire.isprintable():
            raise BadRequest(_("There is no such questionnaire."))
        reports = reports.filter(questionnaire_slug=questionnaire)
    return reports


def _is_provisional(state: str) -> bool:
    if state not in STATES:
        raise BadRequest(_("There are only provisional and final reports."))
    return STATES[state]


def _lines(reports: ReportQuerySet) -> list[tuple[str, str]]:
    """The questionnaires that there are reports of: slug and title."""
    found = reports.order_by("questionnaire_title").values_list("questionnaire_slug", "questionnaire_title").distinct()
    return list(dict(found).items())


def _query(request: HttpRequest, organisation: Organisation | None) -> str:
    kept = request.GET.copy()
    if organisation:
        kept[chosen.FIELD] = str(organisation.pk)
    for name in [name for name in kept if name not in ("organisation", "state", "questionnaire")]:
        del kept[name]
    return kept.urlencode()


def _position(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    return min(int(text), LARGEST_POSITION)


def _change(request: HttpRequest, report: Report) -> dict[str, Any]:
    shown = not report.withdrawn and _fits(request, report)
    return {
        "id": str(report.pk),
        "submission": str(report.submission),
        "revision": report.revision,
        "removed": not shown,
        "title": report.label if shown else "",
        "row": render_to_string("reports/_row.html", {"report": report}, request) if shown else "",
    }


def _fits(request: HttpRequest, report: Report) -> bool:
    """Whether the list that the query shows has a place for it."""
    state, questionnaire = request.GET.get("state"), request.GET.get("questionnaire")
    right_state = not state or report.provisional is _is_provisional(state)
    return right_state and (not questionnaire or report.questionnaire_slug == questionnaire)
