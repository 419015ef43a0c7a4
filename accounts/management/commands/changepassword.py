"""`manage.py changepassword`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts.models import User
from securitylog import Kind, note, operator


class Command(changepassword.Command):
    """Django's, which leaves a line in the security log."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        person = User.objects.get_by_natural_key(options["username"])
        note(Kind.PASSWORD_CHANGED, person=person.pk, by=operator())
        return said
