"""Submissions and the answers in them. Written only by `answers.saving` and `answers.submissions`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from pydantic import JsonValue

from accounts.models import Organisation
from questionnaires import library
from questionnaires.definition import Questionnaire

if TYPE_CHECKING:
    from accounts.models import User

MAX_NOTE = 4_000


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """What belongs to this person's organisations: the only way by which a submission may be looked up."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation__memberships__user=user)

    def newest_first(self) -> Self:
        """The one that was touched last comes first."""
        return self.order_by("-updated_at", "-id")


class Submission(models.Model):
    """One organisation's answers to one edition of a questionnaire."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("organisation")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("started by")
    )
    questionnaire_slug = models.CharField(_("questionnaire"), max_length=64)
    questionnaire_version = models.CharField(_("version"), max_length=32)
    questionnaire_digest = models.CharField(_("digest"), max_length=64)
    revision = models.PositiveIntegerField(
        _("revision"), default=0, help_text=_("Rises by one with each save and with submitting.")
    )
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.DRAFT)
    submitted_revision = models.PositiveIntegerField(_("submitted revision"), null=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("submitted by")
    )
    first_submitted_at = models.DateTimeField(_("first submitted"), null=True)
    submitted_at = models.DateTimeField(_("last submitted"), null=True)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        indexes = (models.Index(fields=("organisation", "-updated_at", "-id"), name="submissions_of_organisation"),)

    def __str__(self) -> str:
        return f"{self.questionnaire_slug} {self.questionnaire_version} ({self.id})"

    @property
    def is_submitted(self) -> bool:
        return self.state == self.State.SUBMITTED

    @property
    def can_be_deleted(self) -> bool:
        """Only what was never submitted: a final report must not lose its source."""
        return self.first_submitted_at is None

    @property
    def questionnaire(self) -> Questionnaire:
        """The very edition that is being answered."""
        return library.by_digest(self.questionnaire_digest)

    @property
    def values(self) -> dict[str, JsonValue]:
        """What was answered, by question id, answers to hidden questions included."""
        return {answer.question: answer.value for answer in self.answers.all() if answer.value is not None}


class Answer(models.Model):
    """The answer to one question. It stays, with its version, when the answer is taken back."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(_("question"), max_length=64)
    version = models.PositiveIntegerField(_("version"), default=0)
    value = models.JSONField(_("value"), null=True)
    note = models.TextField(_("note"), max_length=MAX_NOTE, blank=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = (models.UniqueConstraint(fields=("submission", "question"), name="one_answer_a_question"),)

    def __str__(self) -> str:
        return f"{self.question} v{self.version}"
