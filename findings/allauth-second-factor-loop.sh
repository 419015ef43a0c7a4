#!/usr/bin/env bash
# A second factor that is switched off while a sign-in waits for its code leaves django-allauth in a circle of redirects.
#
# Between the password and the code, allauth keeps the sign-in in the session and shows /accounts/2fa/authenticate/. If the
# person loses the second factor in that time (switched off in another browser, or by an administrator for a lost phone), the
# code page finds nothing to ask for and redirects to the sign-in page. The sign-in page finds a sign-in that waits for its
# code, and redirects back. The browser gives up with "too many redirects", and every other page of signing in is closed to
# that session until the sign-in is too old (15 minutes, unless set) or the cookie is deleted.
#
# For whom it matters: people that run allauth.mfa and let anybody remove a second factor. A view of one's own at that
# address can call request._login_stage.exit() where the person has no second factor any more.
#
# Needs Python 3.11 or later with venv, and the package index. Exits 0 while it is so, and 1 once that has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19 'django-allauth[mfa]==65.21.1'

cat > "$folder/switched_off.py" <<'PYTHON'
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
        *("allauth", "allauth.account", "allauth.mfa"),
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
    LOGIN_REDIRECT_URL="/",
)
django.setup()

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.test.client import RedirectCycleError
from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.urls")), path("", lambda request: HttpResponse("home"))]

call_command("migrate", verbosity=0)
dora = User.objects.create_user("dora", "dora@example.org", "a few plain words")
TOTP.activate(dora, generate_totp_secret())
browser = Client()
asked = browser.post("/accounts/login/", {"login": "dora", "password": "a few plain words"})
print("after the password:", asked.headers["Location"], file=sys.stderr)
if sys.argv[1] == "switched off":
    Authenticator.objects.all().delete()
try:
    shown = browser.get(asked.headers["Location"], follow=True)
except RedirectCycleError as error:
    print("a circle:", " -> ".join(address for address, _ in error.redirect_chain[:3]))
else:
    print("a page:", shown.request["PATH_INFO"])
PYTHON

"$folder/venv/bin/python" -c 'import sys; from importlib.metadata import version as of; print("Python", sys.version.split()[0] + ", Django", of("Django") + ", django-allauth", of("django-allauth"))'
changed=0
check() {
	seen=$("$folder/venv/bin/python" "$folder/switched_off.py" "$1")
	echo "second factor $1: one would expect a page; seen: $seen"
	[[ "$seen" == "$2"* ]] || changed=1
}
check "kept" "a page: /accounts/2fa/authenticate/"
check "switched off" "a circle: "
exit $changed
