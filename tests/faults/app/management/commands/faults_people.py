"""Makes the people of one run."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand

from accounts.models import Organisation, User
from answers import submissions


class Command(BaseCommand):
    """Print a JSON document for each person: the session and a started quick check."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help="a word that no other run has used")
        parser.add_argument("--people", type=int, default=6)
        parser.add_argument("--organisations", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        homes = [
            Organisation.objects.create(name=f"{options['run']} {number}") for number in range(options["organisations"])
        ]
        for number in range(options["people"]):
            home = homes[number % len(homes)]
            person = User.objects.create_user(f"{options['run']}-{number}@example.org", "x", organisation=home)
            document = {
                "session": _session_of(person),
                "submission": str(submissions.start(person, "quick-check").pk),
                "organisation": str(home.pk),
            }
            self.stdout.write(json.dumps(document))


def _session_of(person: User) -> str | None:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return session.session_key
