"""A person's request that is about a submission."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import chosen
from accounts.templatetags.moments import as_element
from answers.models import Submission

if TYPE_CHECKING:
    from accounts.models import User

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


class PersonRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User


def find(request: PersonRequest, submission_id: UUID) -> Submission:
    mine = Submission.objects.visible_to(request.user).select_related("organisation", "submitted_by", "line")
    submission = get_object_or_404(mine, pk=submission_id)
    chosen.stand_for(request, submission.organisation)
    return submission


def who_submitted(user: User, submission: Submission) -> SafeString:
    """The sentence that says by whom and when, as a page shows it."""
    time = as_element(submission.submitted_at)
    if submission.submitted_by == user:
        return format_html(_("You submitted this on {time}."), time=time)
    person = format_html("<bdi>{}</bdi>", submission.submitted_by or _("Somebody"))
    return format_html(_("{person} submitted this on {time}."), person=person, time=time)
