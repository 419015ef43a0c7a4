"""What the processes of an installation tell one another about themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class WorkerProcessQuerySet(models.QuerySet["WorkerProcess"]):
    """Workers by how long they have been silent, by the database's clock."""

    def heard_within(self, seconds: float) -> Self:
        return self.filter(beaten_at__gt=Now() - timedelta(seconds=seconds))


class WorkerProcess(models.Model):
    """A process that delivers or serves: it writes its row every few seconds, and with it what it has counted."""

    name = models.CharField(_("process"), max_length=200, primary_key=True)
    sweeps = models.BooleanField(_("sweeps"), default=False)
    counters = models.JSONField(_("counters"), default=dict)
    deliveries = models.JSONField(_("deliveries"), default=list)
    version = models.CharField(_("version"), max_length=40, default="", db_default="")
    """As in `operations.VERSION`; empty where the process is older than 0.3.0, which did not say it."""
    beaten_at = models.DateTimeField(_("last heartbeat"), db_default=Now())

    objects: ClassVar[WorkerProcessQuerySet] = WorkerProcessQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("worker process")
        verbose_name_plural = _("worker processes")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
