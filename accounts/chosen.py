"""The organisation that a page is about, for people may belong to several and have pages of two of them open.

A page of an object is about the owner of the object. A list is about the organisation that its address names, and all
its links and forms name it again. The session only helps where an address names none.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import names
from accounts.models import Organisation

FIELD = "organisation"
"""The name in addresses and forms; its value is the id."""
REMEMBERED = "organisation"
"""Where the session keeps the id that was chosen last."""


def organisations(request: HttpRequest) -> list[Organisation]:
    """The person's, the one joined first comes first. Those of one name have `particulars` to tell them apart."""
    if not hasattr(request, "organisations"):
        request.organisations = _described(request) if request.user.is_authenticated else []  # type: ignore[attr-defined]
    found: list[Organisation] = request.organisations  # type: ignore[attr-defined]
    return found


def _described(request: HttpRequest) -> list[Organisation]:
    mine = Organisation.objects.filter(memberships__user=request.user.pk)
    found = list(mine.order_by("memberships__joined_at", "memberships__pk"))
    alike = [one.pk for one in found for other in found if one is not other and names.same(one.name, other.name)]
    if alike:
        described = Organisation.objects.described().in_bulk(set(alike))
        for one in found:
            one.particulars = " · ".join(names.particulars(described[one.pk])) if one.pk in described else ""
    return found


def stand_for(request: HttpRequest, organisation: Organisation) -> None:
    """Say that this page is about the organisation; its links lead on in it."""
    request.organisation = organisation  # type: ignore[attr-defined]


def named(request: HttpRequest) -> Organisation | None:
    """The one that the form or the address names; Http404 where that is none of the person's."""
    wanted = request.POST.get(FIELD) or request.GET.get(FIELD)
    if not wanted:
        return None
    found = _by_id(request, wanted)
    if found is None:
        raise Http404
    return found


def chosen(request: HttpRequest) -> Organisation | None:
    """The organisation of a list: the one named, else the one chosen last, else the one joined first.

    None for somebody who belongs to none. What is named is remembered. Somebody who was taken out of the organisation
    that they chose last is told that they see another one now.
    """
    organisation = named(request)
    if organisation is None:
        organisation = _without_a_name(request)
    elif request.session.get(REMEMBERED) != str(organisation.pk):
        request.session[REMEMBERED] = str(organisation.pk)
    if organisation is not None:
        stand_for(request, organisation)
    return organisation


def _without_a_name(request: HttpRequest) -> Organisation | None:
    mine = organisations(request)
    remembered = request.session.get(REMEMBERED)
    if remembered and (found := _by_id(request, remembered)):
        return found
    if remembered:
        del request.session[REMEMBERED]
        if mine:
            words = _("You are no longer in the organisation that you chose last. This page shows {name}.")
            messages.warning(request, format_html(words, name=format_html("<bdi>{}</bdi>", mine[0].name)))
    return mine[0] if mine else None


def shown(request: HttpRequest) -> Organisation | None:
    """What the header of any page names: what the page is about, else what the page before it was about."""
    about: Organisation | None = getattr(request, "organisation", None)
    if about is not None:
        return _by_id(request, str(about.pk)) or about
    asked = (request.POST.get(FIELD), request.GET.get(FIELD), _came_from(request), request.session.get(REMEMBERED))
    found = (_by_id(request, each) for each in asked if each)
    return next((each for each in found if each), None) or next(iter(organisations(request)), None)


def _came_from(request: HttpRequest) -> str:
    """The organisation that the address of the page before it named."""
    try:
        return parse_qs(urlsplit(request.headers.get("Referer", "")).query).get(FIELD, [""])[0]
    except ValueError:
        return ""


def _by_id(request: HttpRequest, text: str) -> Organisation | None:
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    return next((each for each in organisations(request) if each.pk == wanted), None)
