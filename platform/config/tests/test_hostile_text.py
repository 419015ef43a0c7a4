"""Whatever an address holds, no page breaks over it: every filter, search and id of the administration, and every
parameter of the product's own pages. tests/test_postgresql.py runs this file there, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse

from accounts.models import User
from config.environment import ROOT
from config.tests.world import World, world_of

pytestmark = [pytest.mark.thorough, pytest.mark.django_db]

HOSTILE = (
    "a\0b",
    "x" * 300,
    "9" * 40,
    "-" + "9" * 5000,
    "2026-02-31",
    "0000-00-00 25:61:61",
    "[",
    "%\\'\"",
    "\u202e\ufeff\U0010ffff",
)
OF_DJANGO = ("q", "o", "p", "_to_field", "_changelist_filters", "no_such_field", "id__x__y")
FOR_COLUMNS = ("a\0b", "9" * 40, "2026-02-31", "[")
LOOKUPS = ("", "__in", "__gte", "__date")
ADMINISTRATION = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def desk(admin_user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    return client


@pytest.fixture
def world(alice: User) -> World:
    return world_of(alice)


def _is_answered(client: Client, address: str) -> bool:
    return client.get(address).status_code in (200, 302, 400, 403, 404, 405)


def _parameters(model: type[models.Model], request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Everything that the address of a list may ask by: Django's own names, the filters', one column of each kind."""
    model_admin = admin.site._registry[model]
    yield from product(OF_DJANGO, HOSTILE)
    filters: Any = model_admin.get_list_filter(request)
    for each in filters:
        name = getattr(each, "parameter_name", None) or (each if isinstance(each, str) else each[0])
        yield from product([f"{name}{lookup}" for lookup in ("", "__exact", "__id__exact", "__gte")], FOR_COLUMNS)
    kinds = {type(field): field.name for field in model._meta.concrete_fields}
    yield from product([f"{name}{lookup}" for name in kinds.values() for lookup in LOOKUPS], FOR_COLUMNS)


@pytest.mark.parametrize("model", ADMINISTRATION, ids=lambda model: model._meta.label_lower)
def test_no_list_breaks_over_what_it_is_asked(
    model: type[models.Model], desk: Client, world: World, admin_user: User
) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    request = RequestFactory().get("/")
    request.user = admin_user

    broken = [
        (name, text[:50])
        for name, text in _parameters(model, request)
        if not _is_answered(desk, f"{address}?{urlencode({name: text})}")
    ]

    assert broken == []


DAYS = [
    {"year": year, "month": month, "day": day}
    for year in ("2026", "0", "9999", "10000", "9" * 40, "x")
    for month in ("2", "13", "9" * 40)
    for day in ("31", "0", "x")
]


@pytest.mark.parametrize("model", [each for each in ADMINISTRATION if admin.site._registry[each].date_hierarchy])
def test_no_day_is_wrong_enough_to_break_a_list(model: type[models.Model], desk: Client) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    column = admin.site._registry[model].date_hierarchy
    asked = [urlencode({f"{column}__{name}": text for name, text in day.items()}) for day in DAYS]
    asked += [urlencode({f"{column}__year": year}) for year in ("9999", "10000", "1", "-1")]

    assert [each for each in asked if not _is_answered(desk, f"{address}?{each}")] == []


def _text_addresses() -> Iterator[tuple[str, str]]:
    """The pages of the administration whose address holds a text, each with the name of its parameter."""
    for model_admin in admin.site._registry.values():
        for pattern in model_admin.get_urls():
            assert isinstance(pattern, URLPattern)
            for name, converter in pattern.pattern.converters.items():
                if type(converter).__name__ in ("StringConverter", "PathConverter") and pattern.name:
                    yield pattern.name, name


@pytest.mark.parametrize(("name", "parameter"), sorted(set(_text_addresses())))
def test_no_id_breaks_a_page(name: str, parameter: str, desk: Client) -> None:
    ids = ("_00", "_5F00", "a_00b", *(text.replace("/", "") for text in HOSTILE if "\0" not in text))
    addresses = [reverse(f"admin:{name}", kwargs={parameter: each}) for each in ids]
    addresses.append(reverse(f"admin:{name}", kwargs={parameter: "x"}).replace("/x/", "/%00/"))

    assert [each for each in addresses if not _is_answered(desk, each)] == []
    assert [each for each in addresses if desk.post(each).status_code >= 500] == []


@pytest.mark.parametrize("changed", ["app_label", "model_name", "field_name", "term", "page"])
def test_no_choice_while_typing_breaks(changed: str, desk: Client) -> None:
    asked = {"app_label": "accounts", "model_name": "membership", "field_name": "organisation", "term": "a"}
    texts = [urlencode(asked | {changed: text}) for text in HOSTILE]

    assert [text[:80] for text in texts if not _is_answered(desk, f"/admin/autocomplete/?{text}")] == []


@pytest.mark.parametrize("model", ADMINISTRATION, ids=lambda model: model._meta.label_lower)
def test_no_ticked_row_breaks_an_action(model: type[models.Model], desk: Client) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    actions = list(admin.site._registry[model].actions or ())

    for action in ("delete_selected", "no_such_action", *map(str, actions)):
        for text in HOSTILE:
            form = {"action": action, "index": text, "_selected_action": text}
            assert desk.post(address, form).status_code < 500, (action, text[:50])


def _own_parameters() -> set[str]:
    """The names that the product's code asks the query for, and those of its libraries' pages."""
    found = {"next", "organisation", "code", "key", "query", "variables", "operationName", "extensions"}
    for folder in ("accounts", "answers", "reports", "platform"):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                found |= set(re.findall(r"request\.GET(?:\.get\(|\.getlist\(|\[)\"(\w+)\"", path.read_text()))
    return found


def test_the_code_is_read_for_the_parameters_of_its_pages() -> None:
    assert {"after", "submission", "page", "wait", "state", "questionnaire", "check"} <= _own_parameters()


def _own_pages(world: World) -> list[str]:
    """Every address without a parameter, and those of what the person has."""
    simple = [route for route in map(_route, get_resolver().url_patterns) if route is not None]
    for resolver in get_resolver().url_patterns:
        prefix = str(resolver.pattern)
        if not isinstance(resolver, URLPattern) and not prefix.startswith("admin"):
            simple += [prefix + route for route in map(_route, resolver.url_patterns) if route is not None]
    assert len(simple) > 30
    mine = [f"/submissions/{world.submitted.pk}/", f"/reports/{world.report.pk}/", "/questionnaires/everything/start/"]
    mine.append(f"/reports/panel/{world.submitted.pk}/")
    return [f"/{route}" for route in simple if "logout" not in route] + mine


def _route(pattern: object) -> str | None:
    route = str(pattern.pattern) if isinstance(pattern, URLPattern) else "<"
    return None if "<" in route or "(" in route else route.lstrip("^").rstrip("$")


def test_no_page_of_the_product_breaks_over_its_parameters(world: World) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.person)

    pages, names = _own_pages(world), _own_parameters()
    broken = [
        (page, text[:50], response.status_code)
        for page in pages
        for text in FOR_COLUMNS
        if (response := client.get(f"{page}?{urlencode(dict.fromkeys(names, text))}")).status_code >= 500
        and page not in ("/health", "/health/ready")
    ]
    broken += [(page, "NUL", 0) for page in pages if client.get(f"{page}?organisation=%00").status_code != 400]

    assert broken == []


def test_a_nul_in_an_address_is_a_bad_request_for_programs_too(client: Client) -> None:
    response = client.get("/reports/?questionnaire=%00", headers={"accept": "application/json"})

    assert (response.status_code, response.json()) == (400, {"error": "This request could not be understood."})
    assert client.get("/questionnaires/%00/start/").status_code == 400
