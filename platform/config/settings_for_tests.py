"""The settings as tests run them: the product's own, with a place of their own and nothing slow."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="plumbline-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ |= {
    "DATA_DIR": _folder,
    "SECRET_KEY": "for-tests-only",
    "PORT": "8000",
    "BASE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
}

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES, STATIC_ROOT  # noqa: E402

STATIC_ROOT.mkdir()
# A file, as in the product: threads of one test each have their own connection and see WAL and IMMEDIATE at work.
DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
DATABASES["default"]["OPTIONS"] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
