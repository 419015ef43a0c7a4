"""`manage.py second_factor`: for lost phones, and for a new SECRET_KEY."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import mails, second_factor
from accounts.addresses import normalised
from accounts.encryption import UnreadableError
from accounts.models import User
from securitylog import operator


class Command(BaseCommand):
    """The second factors of this installation. No secret and no code is ever shown."""

    help = "Switch somebody's second factor off, or encrypt the secrets of all with a new SECRET_KEY."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        off = actions.add_parser("off", help="let somebody who lost phone and recovery codes in by the password alone")
        off.add_argument("email", metavar="EMAIL")
        actions.add_parser("encrypt", help="encrypt all secrets with the SECRET_KEY of now, before an old one goes")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "off":
            self._switch_off(options["email"])
        else:
            self._encrypt()

    def _switch_off(self, email: str) -> None:
        try:
            person = User.objects.filter(email=normalised(email)).first()
        except ValidationError as error:
            raise CommandError(error.message) from None
        if person is None:
            raise CommandError(f"Nobody signs in with {email}.")
        if not second_factor.switch_off(person, by=operator()):
            raise CommandError(f"{email} has no second factor.")
        self.stdout.write(
            f"The second factor of {email} is off. They are signed out everywhere. {mails.how_they_learn_of_it()}"
        )

    def _encrypt(self) -> None:
        try:
            count = second_factor.encrypt_anew()
        except UnreadableError:
            raise CommandError(
                "Nothing was changed: a secret can't be read. Put the key it was written with into "
                "SECRET_KEY_FALLBACKS; manage.py doctor tells how many there are."
            ) from None
        self.stdout.write(f"{count} secrets are encrypted with the SECRET_KEY of now.")
