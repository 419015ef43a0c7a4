"""Mails that wait to be sent. Of those that were, only that they were is kept."""

from __future__ import annotations

from typing import ClassVar, Self
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    DEAD = "dead", _("given up")
    EXPIRED = "expired", _("expired")


class MailQuerySet(models.QuerySet["Mail"]):
    """Mails by what is to be done about them, by the database's clock."""

    def waiting(self) -> Self:
        return self.filter(state=State.WAITING)

    def of_use(self) -> Self:
        """Those that wait and whose code, if they have one, still works."""
        return self.waiting().filter(expires_at__gt=Now())

    def outlived(self) -> Self:
        """Those that wait and are of no use any more."""
        return self.waiting().filter(expires_at__lte=Now())

    def end(self, state: State, reason: str = "") -> int:
        """Note how these mails ended and empty them; gives how many there were. No values in the reason."""
        return self.update(state=state, reason=reason, ended_at=Now(), recipient="", subject="", text="")

    def expire(self) -> int:
        """End these mails because nobody needs them any more."""
        return self.end(State.EXPIRED)


class Mail(models.Model):
    """One mail to one address. Recipient, subject and text are there only as long as it waits: the database sees to it.

    They are in no event, no log and no backup.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=100, help_text=_("The name of its template."))
    recipient = models.CharField(_("recipient"), max_length=254, blank=True)
    subject = models.TextField(_("subject"), blank=True)
    text = models.TextField(_("text"), blank=True)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    reason = models.CharField(
        _("reason"), max_length=200, blank=True, help_text=_("Why it was given up; never with an address or a text.")
    )
    tries = models.PositiveIntegerField(_("tries"), default=0, help_text=_("Counted when they begin."))
    created_at = models.DateTimeField(_("written"), db_default=Now())
    expires_at = models.DateTimeField(_("expires"), help_text=_("It is not sent after that."))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects: ClassVar[MailQuerySet] = MailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at__isnull=True)
                | (~Q(state="waiting") & Q(ended_at__isnull=False, recipient="", subject="", text="")),
                name="mail_emptied",
            ),
        )
        indexes = (
            models.Index("expires_at", condition=Q(state="waiting"), name="mail_waiting_idx"),
            models.Index("ended_at", condition=Q(ended_at__isnull=False), name="mail_ended_idx"),
            models.Index("created_at", "id", name="mail_newest_idx"),
        )

    def __str__(self) -> str:
        return str(self.pk)
