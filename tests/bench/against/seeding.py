"""Makes people of a build, each with an organisation, a session and a draft: run by that build's own `manage.py shell`.

It prints one line of JSON. What it imports is what every build has; a build in which one of these has another name or
takes something else has to be told apart here.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

import accounts
from accounts.models import User
from answers import submissions


def make_one() -> dict[str, str]:
    """Somebody in an organisation of their own, signed in, with a draft of the quick check."""
    person = User.objects.create_user(f"{uuid4().hex}@example.test")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return {"session": str(session.session_key), "submission": str(submissions.start(person, "quick-check").pk)}


people = [make_one() for _ in range(int(os.environ["BENCH_PEOPLE"]))]
# Which code this was: the build has to be sure that it is its own.
root = str(Path(str(accounts.__file__)).resolve().parent.parent)
sys.stdout.write(json.dumps({"root": root, "people": people}) + "\n")
