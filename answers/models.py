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
MAX_LINE_NAME = 120


class LineQuerySet(models.QuerySet["Line"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of this person's organisations: the only way by which a line may be looked up."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation__memberships__user=user)

    def oldest_first(self) -> Self:
        return self.order_by("created_at", "id")


class Line(models.Model):
    """What an organisation assesses again and again with one questionnaire, for example one of its shops.

    Reports of one line are compared with one another. The first line of an organisation has no name, and an id that
    `contracts.lines` tells.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="lines", verbose_name=_("organisation")
    )
    questionnaire_slug = models.CharField(_("questionnaire"), max_length=64)
    name = models.CharField(_("name"), max_length=MAX_LINE_NAME, blank=True)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)

    objects = LineQuerySet.as_manager()

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        constraints = (
            models.UniqueConstraint(fields=("organisation", "questionnaire_slug", "name"), name="one_line_of_a_name"),
        )

    def __str__(self) -> str:
        """How the administration names it: names are unique within an organisation and questionnaire alone."""
        return f"{self.name or self.questionnaire_slug} ({str(self.id)[:8]})"


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
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("line"))
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
    def has_unsubmitted_answers(self) -> bool:
        """Whether something was saved since it was submitted last, so that there is a provisional report."""
        return self.revision > (self.submitted_revision or 0)

    @property
    def questionnaire(self) -> Questionnaire:
        """The very edition that is being answered."""
        return library.by_digest(self.questionnaire_digest)

    @property
    def label(self) -> str:
        """What tells it from others: the questionnaire's title and, where it has one, the name of its line."""
        title = self.questionnaire.title
        return f"{title}: {self.line.name}" if self.line.name else title

    @property
    def values(self) -> dict[str, JsonValue]:
        """What was answered, by question id, answers to hidden questions included."""
        return {answer.question: answer.value for answer in self.answers.all() if answer.value is not None}


class Answer(models.Model):
    """The answer to one question. It stays, with its version, when the answer is taken back.

    Its two parts, value and note, are changed apart: each knows with which version it changed last, when and by whom.
    """

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(_("question"), max_length=64)
    version = models.PositiveIntegerField(
        _("version"), default=0, help_text=_("Rises by one with each change of value or note.")
    )
    value_version = models.PositiveIntegerField(
        _("version of the value"), default=0, help_text=_("The version with which the value changed last; 0: never.")
    )
    note_version = models.PositiveIntegerField(
        _("version of the note"), default=0, help_text=_("The version with which the note changed last; 0: never.")
    )
    value = models.JSONField(_("value"), null=True)
    note = models.TextField(_("note"), max_length=MAX_NOTE, blank=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )
    updated_at = models.DateTimeField(_("changed"))
    # No index: each save would have to keep it, and only the deletion of a person looks here.
    value_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("value changed by"),
    )
    value_at = models.DateTimeField(_("value changed"), null=True)
    note_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("note changed by"),
    )
    note_at = models.DateTimeField(_("note changed"), null=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = (models.UniqueConstraint(fields=("submission", "question"), name="one_answer_a_question"),)

    def __str__(self) -> str:
        return f"{self.question} v{self.version}"
