"""The second factor at sign-in: what this project adds to allauth's, which keeps and checks the codes."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import HASH_SESSION_KEY
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from accounts.encryption import UnreadableError, decrypt, encrypt
from accounts.models import User
from securitylog import Kind, note

_SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def is_on(user: User) -> bool:
    """Whether this person is asked for a code at sign-in."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def switch_off(user: User, by: str) -> bool:
    """Take somebody's second factor away, for a lost phone, and end all of their sessions; False where there is none.

    The person is told by mail. `by` names in the log who did it, by an id and not by an address.
    """
    with transaction.atomic():
        removed, _kinds = Authenticator.objects.filter(user=user).delete()
        if not removed:
            return False
        _end_sessions(user)
        note(Kind.SECOND_FACTOR_OFF, person=user.pk, by=by)
        # Robust: it is off, whether the mail server answers or not.
        transaction.on_commit(lambda: _tell(user), robust=True)
    return True


def _tell(user: User) -> None:
    get_adapter().send_mail("account/email/second_factor_removed", user.email, {})


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """End the sessions from before a change of the second factor; this one, with its token, goes on."""
    _end_sessions(user)
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def _end_sessions(user: User) -> None:
    User.objects.filter(pk=user.pk).update(factor_changes=F("factor_changes") + 1)
    user.refresh_from_db(fields=["factor_changes"])
    note(Kind.SESSIONS_ENDED, person=user.pk)


def unreadable() -> Iterator[Authenticator]:
    """Those whose secret no key of this installation opens: their people can't sign in."""
    for authenticator in Authenticator.objects.select_related("user").order_by("pk").iterator():
        try:
            decrypt(authenticator.data[_SECRETS[authenticator.type]])
        except UnreadableError:
            yield authenticator


def encrypt_anew() -> int:
    """Encrypt every secret with the SECRET_KEY of now, so that an older key can be forgotten; gives how many.

    Raises UnreadableError, and changes nothing, where one can't be read. People may sign in while it runs.
    """
    with transaction.atomic():
        authenticators = list(Authenticator.objects.select_for_update().order_by("pk"))
        for authenticator in authenticators:
            name = _SECRETS[authenticator.type]
            authenticator.data[name] = encrypt(decrypt(authenticator.data[name]))
            authenticator.save(update_fields=["data"])
    return len(authenticators)
