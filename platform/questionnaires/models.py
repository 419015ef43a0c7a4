"""The table that keeps every edition of every questionnaire."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Definition(models.Model):
    """One edition of a questionnaire, named by its digest. Its content never changes; write through `library.store`."""

    digest = models.CharField(_("digest"), max_length=64, primary_key=True, editable=False)
    slug = models.CharField(_("line"), max_length=64, db_index=True)
    version = models.CharField(_("version"), max_length=32)
    title = models.CharField(_("title"), max_length=200)
    body = models.JSONField(_("definition"))
    built_in = models.BooleanField(_("built in"), default=False)
    offered = models.BooleanField(
        _("offered"), default=False, help_text=_("Whether people can start it; at most one edition of each line.")
    )
    created_at = models.DateTimeField(_("stored"), auto_now_add=True)

    class Meta:
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")
        ordering = ("title", "-created_at")
        constraints = (
            models.UniqueConstraint(
                fields=("slug",), condition=models.Q(offered=True), name="one_offered_edition_a_line"
            ),
        )

    def __str__(self) -> str:
        return f"{self.title} {self.version} ({self.slug}, {self.digest[:12]})"
