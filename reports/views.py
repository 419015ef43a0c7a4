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

from accounts.models import Organisation
from reports.models import Feed, Report, ReportQuerySet
from reports.presentation import ReportPage
from reports.templatetags.reporting import newest_report, panel_context

PAGE_SIZE = 50
CHANGES_AT_ONCE = 100
LARGEST_POSITION = 2**63 - 1
STATES = {"provisional": True, "final": False}


@require_safe
@login_required
@never_cache
def report_list(request: HttpRequest) -> HttpResponse:
    """The reports of one of the person's organisations, the first one unless `organisation` names another."""
    organisations = list(_organisations(request))
    organisation = _chosen(request, organisations)
    # Read before the rows: what is stored in between comes again with the changes instead of never.
    position = Feed.objects.position(organisation) if organisation else 0
    mine = Report.objects.visible_to(request.user).filter(organisation=organisation)
    reports = _filtered(request, mine).for_listing().newest_first()
    context = {
        "organisation": organisation,
        "organisations": organisations,
        "position": position,
        "page": Paginator(reports, PAGE_SIZE).get_page(request.GET.get("page")),
        "lines": _lines(mine),
        "state": request.GET.get("state", ""),
        "questionnaire": request.GET.get("questionnaire", ""),
        "query": _query(request),
    }
    return render(request, "reports/list.html", context)


@require_safe
@login_required
@never_cache
def report_changes(request: HttpRequest) -> JsonResponse:
    """What became of the reports after a position, as rows of the list that the same query shows.

    With `submission` of that one's reports alone; of somebody else's there are none, as of one that does not exist.
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
    return JsonResponse({"position": position, "more": more, "changes": [_change(request, report) for report in news]})


@require_safe
@login_required
@never_cache
def report_detail(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """One report, whole."""
    report = get_object_or_404(Report.objects.visible_to(request.user).select_related("organisation"), pk=report_id)
    newest = newest_report(request.user, report.submission) or report
    context = {"page": ReportPage(report), "report": report, "newest": newest, "previous": report.previous_final()}
    return render(request, "reports/report.html", context)


@require_safe
@login_required
@never_cache
def report_panel(request: HttpRequest, submission: UUID) -> HttpResponse:
    """The evaluation so far, as the fragment that answering pages keep beside the questions."""
    report = newest_report(request.user, submission)
    if report is None:
        raise Http404
    return render(request, "reports/_panel.html", panel_context(report))


def _organisations(request: HttpRequest) -> Any:
    return Organisation.objects.filter(memberships__user=request.user.pk).order_by("memberships__joined_at")


def _chosen(request: HttpRequest, organisations: list[Organisation]) -> Organisation | None:
    wanted = request.GET.get("organisation")
    if wanted is None:
        return organisations[0] if organisations else None
    for organisation in organisations:
        if str(organisation.pk) == wanted:
            return organisation
    raise Http404


def _watched(request: HttpRequest) -> ReportQuerySet:
    """The reports whose changes are asked for, withdrawn ones too."""
    mine = Report.objects.of_members(request.user)
    if wanted := request.GET.get("submission"):
        return mine.filter(submission=_submission(wanted))
    organisation = _chosen(request, list(_organisations(request)))
    return mine.filter(organisation=organisation) if organisation else mine.none()


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


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
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
        "row": render_to_string("reports/_row.html", {"report": report}, request) if shown else "",
    }


def _fits(request: HttpRequest, report: Report) -> bool:
    """Whether the list that the query shows has a place for it."""
    state, questionnaire = request.GET.get("state"), request.GET.get("questionnaire")
    right_state = not state or report.provisional is _is_provisional(state)
    return right_state and (not questionnaire or report.questionnaire_slug == questionnaire)
