"""Lookup of definitions: the built-in ones from files, all of them from the database by digest."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path

from django.db import transaction

from questionnaires.checks import read_questionnaire
from questionnaires.definition import Questionnaire, from_canonical
from questionnaires.models import Definition

BUILT_IN = Path(__file__).parent / "builtin"
"""The folder of the built-in questionnaires, one `<slug>.yaml` each."""


class UnknownQuestionnaire(LookupError):
    """No such definition."""


@cache
def built_in(slug: str) -> Questionnaire:
    """The built-in questionnaire of this line, from its file; needs no database. Raises UnknownQuestionnaire."""
    if slug not in built_in_slugs():
        raise UnknownQuestionnaire(f'There is no built-in questionnaire "{slug}".')
    return from_file(BUILT_IN / f"{slug}.yaml")


def built_in_slugs() -> list[str]:
    """The lines that are built in, sorted."""
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def from_file(path: str | Path) -> Questionnaire:
    """Read and check a definition file; needs no database.

    Raises OSError, or InvalidDefinition with every mistake in it.
    """
    return read_questionnaire(Path(path))


@lru_cache(maxsize=512)
def by_digest(digest: str) -> Questionnaire:
    """The definition with this digest; cached in the process, for it never changes. Raises UnknownQuestionnaire."""
    body = Definition.objects.filter(digest=digest).values_list("body", flat=True).first()
    if body is None:
        raise UnknownQuestionnaire(f"There is no questionnaire with the digest {digest}.")
    return from_canonical(body)


def current(slug: str) -> Questionnaire:
    """The newest edition of a line that is offered to people. Raises UnknownQuestionnaire."""
    digest = Definition.objects.filter(slug=slug, offered=True).values_list("digest", flat=True).first()
    if digest is None:
        raise UnknownQuestionnaire(f'There is no questionnaire "{slug}".')
    return by_digest(digest)


def offered() -> list[Questionnaire]:
    """What people can start now, one edition a line, by title."""
    digests = Definition.objects.filter(offered=True).order_by("title", "slug").values_list("digest", flat=True)
    return [by_digest(digest) for digest in digests]


@transaction.atomic
def store(questionnaire: Questionnaire, *, built_in: bool = False) -> Definition:
    """Keep this edition and offer it from now on instead of the line's other ones; storing it again changes nothing."""
    definition, _created = Definition.objects.get_or_create(
        digest=questionnaire.digest,
        defaults={
            "slug": questionnaire.slug,
            "version": questionnaire.version,
            "title": questionnaire.title,
            "body": json.loads(questionnaire.canonical_json),
            "built_in": built_in,
        },
    )
    if not definition.offered:
        Definition.objects.filter(slug=questionnaire.slug, offered=True).update(offered=False)
        definition.offered = True
        definition.save(update_fields=["offered"])
    return definition
