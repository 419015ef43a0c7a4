"""The settings as tests run them: the product's own, with a place of their own and nothing slow."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="plumbline-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
# What a shell has for the product is not for its tests. (What a test gives to a process that it starts is.)
if "pytest" in sys.modules:
    _named = (Path(__file__).parents[2] / ".env.example").read_text()
    for _name in re.findall(r"^#?([A-Z][A-Z0-9_]*)=", _named, re.MULTILINE):
        os.environ.pop(_name, None)
# Given and empty, so that a developer's `.env` does not count either.
os.environ |= dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL"), "") | {
    "DATA_DIR": _folder,
    "SECRET_KEY": "for-tests-only",
    "SECRET_KEY_FALLBACKS": "",
    "SECOND_FACTOR": "optional",
    "PORT": "8000",
    "BASE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "SIGNUP": "open",
    "TRUSTED_PROXIES": "0",
}

from config import production  # noqa: E402
from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, THROTTLING  # noqa: E402

(DATA_DIR / "static").mkdir()
# A file, as in the product: threads of one test each have their own connection and see WAL and IMMEDIATE at work.
DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
DATABASES["default"]["OPTIONS"] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
}
# `make test` runs the bus's tests and the reports' a second time, on PostgreSQL.
if postgres := os.environ.get("TEST_DATABASE_URL"):
    DATABASES["default"] = production.database(postgres)
# In a test one person does in a moment what people do in an hour. Tests of limits say which.
THROTTLING = dict.fromkeys(THROTTLING)
LIVE_MERGE_SECONDS = 0.0
# No test depends on how fast the machine is.
GRAPHQL_STEP_MICROSECONDS = 1_000_000
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
