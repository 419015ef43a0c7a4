"""The outbox: every event, and one delivery of it for each subscriber."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """A fact as it was published."""

    id = models.BigAutoField(primary_key=True, verbose_name=_("position"))
    uuid = models.UUIDField(_("event id"), unique=True)
    type = models.CharField(_("type"), max_length=100)
    source = models.CharField(_("source"), max_length=100)
    key = models.CharField(_("key"), max_length=100, db_index=True)
    organisation = models.UUIDField(_("organisation"))
    payload = models.JSONField(_("CloudEvents document"), help_text=_("Empty once the event was erased or superseded."))
    correlation_id = models.UUIDField(_("correlation id"), db_index=True)
    causation_id = models.UUIDField(_("caused by event"), null=True)
    supersedable = models.BooleanField(_("gives way to newer ones"), default=False)
    created_at = models.DateTimeField(_("published"), db_default=Now())
    requested_at = models.DateTimeField(
        _("request arrived"), null=True, help_text=_("Empty where no request was the direct cause.")
    )
    erased_at = models.DateTimeField(_("erased"), null=True)
    emptied_at = models.DateTimeField(
        _("emptied"), null=True, help_text=_("When its contents were removed, because a newer event superseded it.")
    )

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("-id",)
        indexes = (
            # Of what has a payload: which of a line is the newest, for emptying the others. With the columns of its
            # condition SQLite reads it alone, and not the payloads, too.
            models.Index(
                "key",
                "type",
                "source",
                "id",
                "supersedable",
                "emptied_at",
                "erased_at",
                condition=Q(emptied_at__isnull=True, erased_at__isnull=True),
                name="event_contents_idx",
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.uuid}"


class Moment(models.Model):
    """Something outside of the database that was done about an event after its commit. For traces: nothing waits for
    it, and one may be missing."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="moments", verbose_name=_("event"))
    what = models.CharField(_("what"), max_length=100)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("moment")
        verbose_name_plural = _("moments")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.what


class Status(models.TextChoices):
    READY = "ready", _("ready")
    LEASED = "leased", _("leased")
    DONE = "done", _("done")
    DEAD = "dead", _("dead")
    SKIPPED = "skipped", _("skipped")


class SubscriptionState(models.Model):
    """What an operator decided about a subscriber. Claims read it as part of their own statement, by its key."""

    subscriber = models.CharField(_("subscriber"), max_length=100, primary_key=True)
    paused_at = models.DateTimeField(_("paused since"), null=True)
    changed_by = models.CharField(_("changed by"), max_length=254)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self) -> str:
        return self.subscriber


def is_paused() -> Exists:
    """For queries of deliveries: whether the delivery's subscriber is paused."""
    return Exists(SubscriptionState.objects.filter(subscriber=OuterRef("subscriber"), paused_at__isnull=False))


def aged_from() -> Coalesce:
    """For queries of deliveries: the time from which the age of one is counted.

    The one definition, for the health check, the metrics, the pages and the longest age at which a delivery is tried
    again: from its creation, or later where an operator gave it a new begin. A redriven one counts from that, one of a
    replay from its turn, one whose subscriber was paused from its resumption.
    """
    return Coalesce("age_from", "created_at")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The rows that matter to workers, read by partial indexes: done rows cost nothing. See also statements.py."""

    def undelivered(self) -> Self:
        """Ready or leased."""
        return self.filter(finished_at__isnull=True)

    def of_replay(self, number: int | OuterRef) -> Self:
        """The undelivered ones of one replay. By an index of their own, which the second condition names."""
        return self.undelivered().filter(generation=number, generation__gt=0)

    def expired(self) -> Self:
        """Leased by a worker that did not finish in time; not those of a paused subscriber, which have to wait."""
        return self.filter(~is_paused(), lease_token__isnull=False, leased_until__lte=Now())

    def finish(self, status: Status, last_error: str = "", **others: Any) -> int:
        """End these deliveries and their leases, and set other fields along; gives how many there were."""
        ended = {"finished_at": Now(), "lease_token": None, "leased_until": None}
        return self.update(status=status, last_error=last_error, **ended, **others)

    def on_the_way(self, key: str, sources: Collection[str]) -> Self:
        """What is still to be delivered of the facts that these modules stated about the key."""
        return self.undelivered().filter(key=key, event__source__in=sources)


class Delivery(models.Model):
    """What one subscriber has yet to do, or has done, about one event."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("event")
    )
    subscriber = models.CharField(_("subscriber"), max_length=100)
    key = models.CharField(_("key"), max_length=100)
    generation = models.PositiveIntegerField(_("generation"), default=0, help_text=_("Rises with each replay."))
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.READY)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_token: models.UUIDField[uuid.UUID | None, uuid.UUID | None] = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(_("leased until"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    age_from = models.DateTimeField(
        _("age counted from"), null=True, help_text=_("If not from its creation: redriven, resumed or replayed.")
    )
    claimed_at = models.DateTimeField(_("last claimed"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    last_error = models.TextField(_("last error"), blank=True, help_text=_("What went wrong and where, no values."))
    note = models.TextField(_("note"), blank=True, default="", db_default="", help_text=_("Who redrove it, and when."))

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("event", "subscriber", "generation"), name="delivery_once"),
            # Workers look for `finished_at IS NULL` or `status = 'ready'`, which every database matches with a partial
            # index.
            models.CheckConstraint(
                condition=Q(status__in=("ready", "leased"), finished_at__isnull=True)
                | Q(status__in=("done", "dead", "skipped"), finished_at__isnull=False),
                name="delivery_finished",
            ),
            models.CheckConstraint(
                condition=Q(status="leased", lease_token__isnull=False, leased_until__isnull=False)
                | (~Q(status="leased") & Q(lease_token__isnull=True, leased_until__isnull=True)),
                name="delivery_leased",
            ),
        )
        indexes = (
            models.Index("subscriber", "due_at", "id", condition=Q(status="ready"), name="delivery_due_idx"),
            models.Index("key", "subscriber", "event", condition=Q(finished_at__isnull=True), name="delivery_line_idx"),
            models.Index("lease_token", condition=Q(lease_token__isnull=False), name="delivery_lease_idx"),
            # Of replays only: live deliveries never enter it, so that it costs them nothing.
            models.Index(
                "generation",
                "id",
                condition=Q(finished_at__isnull=True, generation__gt=0),
                name="delivery_replay_idx",
            ),
            models.Index(F("finished_at").desc(), condition=Q(status="dead"), name="delivery_dead_idx"),
        )

    def __str__(self) -> str:
        return f"{self.subscriber} {self.pk}"


class DeadLetter(Delivery):
    """A delivery that was given up on, as the administration lists it."""

    class Meta:
        proxy = True
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")


class ReplayState(models.TextChoices):
    MAKING = "making", _("being made")
    DELIVERING = "delivering", _("being delivered")
    FINISHED = "finished", _("finished")
    CANCELLING = "cancelling", _("being cancelled")
    CANCELLED = "cancelled", _("cancelled")


BEGUN_WITHIN = timedelta(seconds=30)
"""A replay that no worker has begun by then is left alone: a sweeper looks every second."""


class ReplayQuerySet(models.QuerySet["Replay"]):
    """Orders, and how far the workers are with them."""

    def unfinished(self) -> Self:
        """Those that workers have to go on with: to make their deliveries, or to cancel them."""
        return self.filter(
            Q(finished_at__isnull=True, cancelled_at__isnull=True)
            | Q(cancelled_at__isnull=False, ended_at__isnull=True)
        )

    def with_progress(self) -> Self:
        """With how many deliveries of each `wait`, and how many are `at_work`; reads undelivered ones only."""
        mine = Delivery.objects.of_replay(OuterRef("pk")).order_by().values("generation").annotate(count=Count("pk"))
        ready, leased = (mine.filter(status=status).values("count") for status in (Status.READY, Status.LEASED))
        return self.annotate(waiting=Coalesce(Subquery(ready), 0), at_work=Coalesce(Subquery(leased), 0))


class Replay(models.Model):
    """One order to deliver old events once more. Its id is the generation of the deliveries that are made for it.

    Workers carry it out, a batch in each transaction; what they need to go on from stands in its row. See replays.py.
    """

    event_type = models.CharField(_("type"), max_length=100, blank=True)
    subscriber = models.CharField(_("subscriber"), max_length=100, blank=True)
    since = models.DateTimeField(_("published from"), null=True)
    until = models.DateTimeField(_("published before"), null=True)
    rate = models.PositiveIntegerField(_("deliveries per second"))
    expected = models.PositiveIntegerField(_("deliveries ordered"), default=0, db_default=0)
    deliveries = models.PositiveIntegerField(_("deliveries made"), default=0)
    started_by = models.CharField(_("started by"), max_length=254)
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("all made"), null=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=254, blank=True, default="", db_default="")
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancelled = models.PositiveIntegerField(_("deliveries cancelled"), default=0, db_default=0)
    ended_at = models.DateTimeField(_("all cancelled"), null=True)
    newest = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Position of the last event that it is about."
    )
    next_subscriber = models.CharField(max_length=100, blank=True, default="", db_default="", editable=False)
    position = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Of the last event that is made for that subscriber."
    )
    next_due_at = models.DateTimeField(null=True, editable=False)
    token: models.UUIDField[uuid.UUID | None, uuid.UUID | None] = models.UUIDField(
        null=True, unique=True, editable=False, help_text="Of the page that ordered it, so that none orders twice."
    )

    waiting: int
    at_work: int

    objects: ClassVar[ReplayQuerySet] = ReplayQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.pk)

    # --- what needs `with_progress` ---
    @property
    def state(self) -> ReplayState:
        if self.cancelled_at:
            return ReplayState.CANCELLED if self.ended_at else ReplayState.CANCELLING
        if not self.finished_at:
            return ReplayState.MAKING
        return ReplayState.DELIVERING if self.waiting or self.at_work else ReplayState.FINISHED

    @property
    def is_left_alone(self) -> bool:
        """Whether workers should have begun with it by now, and none has."""
        begun = self.cancelled_at or self.started_at
        untouched = self.deliveries == 0 if self.state == ReplayState.MAKING else self.waiting > 0
        is_due = self.state in (ReplayState.MAKING, ReplayState.CANCELLING)
        return is_due and untouched and timezone.now() - begun > BEGUN_WITHIN

    @property
    def may_be_cancelled(self) -> bool:
        return self.state in (ReplayState.MAKING, ReplayState.DELIVERING)

    @property
    def handed_on(self) -> int:
        """How many deliveries a worker has, or has had: no cancelling takes them back."""
        return self.deliveries - self.cancelled - self.waiting

    @property
    def called_off(self) -> int:
        """How many deliveries are not handed on because it was cancelled: skipped, or not even made."""
        unmade = max(self.expected - self.deliveries, 0) if self.cancelled_at and not self.finished_at else 0
        return self.cancelled + unmade

    @property
    def to_come(self) -> int:
        """How many were not handed on yet: they wait, or have to be made."""
        unmade = max(self.expected - self.deliveries, 0) if self.state == ReplayState.MAKING else 0
        return self.waiting + unmade
