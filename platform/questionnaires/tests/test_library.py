"""Definitions are found by digest, whatever edition is offered today."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from questionnaires import library
from questionnaires.checks import check
from questionnaires.definition import Questionnaire, from_canonical
from questionnaires.models import Definition
from questionnaires.tests.examples import small, small_with

pytestmark = pytest.mark.django_db


def edition(version: str) -> Questionnaire:
    return check(small_with('"1.0"', f'"{version}"'))


def test_a_stored_definition_is_found_by_its_digest() -> None:
    library.store(small())
    assert library.by_digest(small().digest) == small()


def test_a_definition_that_was_found_once_costs_no_query_again(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    library.store(small())
    library.by_digest(small().digest)
    with django_assert_num_queries(0):
        library.by_digest(small().digest)


def test_an_unknown_digest_or_line_is_said_to_be_unknown() -> None:
    with pytest.raises(library.UnknownQuestionnaire, match=f"digest {'0' * 64}"):
        library.by_digest("0" * 64)
    with pytest.raises(library.UnknownQuestionnaire, match="nothing"):
        library.current("nothing")
    with pytest.raises(library.UnknownQuestionnaire, match="nothing"):
        library.built_in("../nothing")


def test_a_newer_edition_is_offered_and_the_older_one_is_kept() -> None:
    library.store(edition("1.0"))
    library.store(edition("1.1"))
    assert library.current("small").version == "1.1"
    assert library.by_digest(edition("1.0").digest).version == "1.0"
    assert [questionnaire.version for questionnaire in library.offered()] == ["1.1"]


def test_an_edition_that_was_offered_before_can_be_offered_again() -> None:
    for version in ("1.0", "1.1", "1.0"):
        library.store(edition(version))
    assert library.current("small").version == "1.0"
    assert Definition.objects.count() == 2


def test_a_line_never_offers_two_editions() -> None:
    library.store(edition("1.0"))
    library.store(edition("1.1"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Definition.objects.update(offered=True)


def test_offered_questionnaires_come_by_title() -> None:
    library.store(check(small_with("slug: small", "slug: b").replace(b"A small one", b"Beta")))
    library.store(check(small_with("slug: small", "slug: a").replace(b"A small one", b"Gamma")))
    assert [questionnaire.title for questionnaire in library.offered()] == ["Beta", "Gamma"]


def test_loading_the_built_in_ones_twice_changes_nothing() -> None:
    call_command("load_questionnaires", verbosity=0)
    before = list(Definition.objects.values())
    call_command("load_questionnaires", verbosity=0)
    assert list(Definition.objects.values()) == before
    assert [(each["slug"], each["built_in"], each["offered"]) for each in before] == [("quick-check", True, True)]


def test_the_digest_survives_the_database() -> None:
    library.store(library.built_in("quick-check"))
    body = Definition.objects.get().body
    assert from_canonical(json.loads(json.dumps(body))).digest == library.built_in("quick-check").digest


def test_the_digest_changes_with_any_word_and_with_nothing_else() -> None:
    assert check(small_with("impact: high", "impact: low")).digest != small().digest
    assert check(small_with("is: yes", "is: [yes]")).digest == small().digest
    assert check(small_with("impact: high", "impact: high  # for a reason")).digest == small().digest
    assert check(small_with("impact: high", "gate: false\n        impact: high")).digest == small().digest


def test_a_questionnaire_without_a_gap_keeps_the_digest_that_it_had_before_there_were_any() -> None:
    assert small().digest == "3f9284de2ef850a47e0fd8dda9206bf45247427ba6a0f7c35027e27f044965e7"
    assert check(small_with("impact: high", 'gap: ""\n        impact: high')).digest == small().digest
    assert check(small_with("impact: high", "gap: Not all\n        impact: high")).digest != small().digest


def test_the_admin_shows_definitions_but_changes_none(client: Client, admin_user: User) -> None:
    definition = library.store(small())
    client.force_login(admin_user)
    assert b"A small one" in client.get(reverse("admin:questionnaires_definition_changelist")).content
    page = reverse("admin:questionnaires_definition_change", args=[definition.pk])
    assert b"Laptops are encrypted." in client.get(page).content
    assert client.post(page, {"title": "Other"}).status_code == 403
    assert client.get(reverse("admin:questionnaires_definition_add")).status_code == 403
