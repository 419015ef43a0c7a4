#!/usr/bin/env bash
# A password with a space at its end works on django-allauth's pages and is refused by its JSON log-in.
#
# The pages take a password as it is (PasswordField has strip=False). The inputs of allauth.headless for signing up, logging in,
# changing and resetting a password are plain CharFields, which cut spaces off both ends. So a person whose password ends with a
# space, as passwords from a generator may, gets in by the page and is told by a native client that the password is wrong; and
# who signs up by the client with such a password has another one on the page than the one that was typed.
#
# For whom it matters: people that use allauth.headless beside pages. Subclass the inputs and set strip=False on these fields.
#
# Needs Python 3.11 or later with venv, and the package index. Exits 0 while it is so, and 1 once that has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19 'django-allauth[headless]==65.21.1'

cat > "$folder/spaces.py" <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for this run",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")),
        *("allauth", "allauth.account", "allauth.headless"),
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ACCOUNT_EMAIL_VERIFICATION="none",
    HEADLESS_CLIENTS=("app",),
    LOGIN_REDIRECT_URL="/",
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("", lambda request: HttpResponse("home")),
]

call_command("migrate", verbosity=0)
password = {"plain": "a few plain words", "spaced": "a few plain words "}[sys.argv[1]]
User.objects.create_user("dora", "dora@example.org", password)
page = Client().post("/accounts/login/", {"login": "dora", "password": password})
sent = {"username": "dora", "password": password}
answer = Client().post("/_allauth/app/v1/auth/login", sent, "application/json")
print(f"page {page.status_code}, JSON {answer.status_code}")
PYTHON

"$folder/venv/bin/python" -c 'import sys; from importlib.metadata import version as of; print("Python", sys.version.split()[0] + ", Django", of("Django") + ", django-allauth", of("django-allauth"))'
changed=0
check() {
	seen=$("$folder/venv/bin/python" "$folder/spaces.py" "$1")
	echo "$1 password: one would expect both to let in (page 302, JSON 200); seen: $seen"
	[[ "$seen" == "$2" ]] || changed=1
}
check "plain" "page 302, JSON 200"
check "spaced" "page 302, JSON 400"
exit $changed
