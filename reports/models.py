"""Reports: evaluations that are kept, and the feed that tells every open tab about them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import connections, models
from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.base import ModelBase
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from reports.coverage import is_large, rating_is_shown
from reports.readings import Reading as Reading  # where Django looks for it


class ImmutableReport(RuntimeError):
    """Somebody tried to change or delete a final report."""

    def __init__(self) -> None:
        super().__init__("a final report is never changed or deleted")


class FeedManager(models.Manager["Feed"]):
    """Hands out positions."""

    def advance(self, organisation: uuid.UUID) -> int:
        """Give the organisation's next position, and hold its feed until the transaction ends.

        So positions become visible in the order of their numbers: a reader who has seen n never misses n - 1.
        One statement, on SQLite and PostgreSQL alike, because every save of an answer comes through here.
        """
        connection = connections[self.db]
        key = self.model._meta.get_field("organisation").get_db_prep_value(organisation, connection)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO reports_feed (organisation_id, last_position) VALUES (%s, 1) "
                "ON CONFLICT (organisation_id) DO UPDATE SET last_position = reports_feed.last_position + 1 "
                "RETURNING last_position",
                [key],
            )
            return int(cursor.fetchall()[0][0])

    def position(self, organisation: Organisation) -> int:
        """The organisation's last position; 0 before its first report."""
        return self.filter(pk=organisation.pk).values_list("last_position", flat=True).first() or 0

    def positions(self, organisations: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The last position of each of these."""
        found = dict(self.filter(pk__in=organisations).values_list("pk", "last_position"))
        return {organisation: found.get(organisation, 0) for organisation in organisations}


class Feed(models.Model):
    """How far an organisation's reports have come: each change of one gets the next position."""

    organisation = models.OneToOneField(Organisation, on_delete=models.CASCADE, primary_key=True, related_name="+")
    last_position = models.PositiveBigIntegerField(default=0)

    objects: ClassVar[FeedManager] = FeedManager()

    def __str__(self) -> str:
        return str(self.last_position)


class ReportQuerySet(models.QuerySet["Report"]):
    """Reports, looked up by who may see them."""

    def of_members(self, user: User | AnonymousUser) -> Self:
        """What belongs to the person's organisations, withdrawn ones too: only for telling tabs to remove them."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation__memberships__user=user)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The reports that this person may read."""
        return self.of_members(user).filter(withdrawn=False)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-position")

    def for_listing(self) -> Self:
        """Without the answers and the evaluation, of which a row shows no more than how much was answered."""
        return self.defer("values", "evaluation").annotate(
            listed_answered=F("evaluation__complete__answered"),
            listed_asked=F("evaluation__complete__visible"),
            listed_share=F("evaluation__not_applicable_share"),
        )

    def finals(self) -> Self:
        return self.filter(provisional=False)

    def finals_of_line(self, organisation: uuid.UUID, line: uuid.UUID) -> Self:
        """An organisation's final reports of one line, the latest first: what a new one is compared with."""
        return self.finals().filter(organisation=organisation, line=line).order_by("-position")

    def previous_finals(self, reports: Collection[Report]) -> dict[uuid.UUID, Report]:
        """Those among these with which the given ones were compared, by the given one's id; see `previous_final`."""
        earlier = (
            Report.objects.finals()
            .filter(
                organisation=OuterRef("organisation"),
                line=OuterRef("line"),
                position__lt=OuterRef("position"),
            )
            .exclude(submission=OuterRef("submission"), revision=OuterRef("revision"))
            .order_by("-position")
        )
        given = Report.objects.filter(pk__in=[report.pk for report in reports])
        pairs = dict(given.annotate(earlier=Subquery(earlier.values("pk")[:1])).values_list("pk", "earlier"))
        found = self.for_listing().in_bulk(set(pairs.values()) - {None})
        return {pk: found[previous] for pk, previous in pairs.items() if previous in found}

    def newest_of_each(self, submissions: Collection[uuid.UUID]) -> dict[uuid.UUID, Report]:
        """The report of the latest answers among these, by submission."""
        place = Window(RowNumber(), partition_by=F("submission"), order_by=("-revision", "-position"))
        found = self.filter(submission__in=submissions).for_listing().annotate(place=place).filter(place=1)
        return {report.submission: report for report in found}

    def last_position(self) -> int:
        """The newest position among these; 0 where there are none."""
        return self.order_by("-position").values_list("position", flat=True).first() or 0

    def update(self, **fields: Any) -> int:
        self._refuse_finals()
        return super().update(**fields)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_finals()
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(
        self,
        objs: Iterable[Report],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Report]:
        if update_conflicts:
            raise ImmutableReport
        return super().bulk_create(objs, batch_size, ignore_conflicts)

    def _refuse_finals(self) -> None:
        if self.order_by().filter(provisional=False).exists():
            raise ImmutableReport


class Report(models.Model):
    """An evaluation with everything it was made from. It never looks back into `answers`.

    A provisional one is replaced by each newer revision of its draft and becomes final in place. A withdrawn one is an
    empty tombstone: its draft was deleted, and it stays only so that open tabs learn of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="reports", verbose_name=_("organisation")
    )
    submission = models.UUIDField(_("submission"))
    line = models.UUIDField(_("line"), help_text=_("Reports of one line are compared."))
    line_name = models.CharField(
        _("name of the line"), max_length=120, blank=True, help_text=_("As it was when the report was made.")
    )
    questionnaire_slug = models.CharField(_("questionnaire"), max_length=64)
    questionnaire_version = models.CharField(_("questionnaire version"), max_length=32)
    questionnaire_digest = models.CharField(_("questionnaire digest"), max_length=64)
    questionnaire_title = models.CharField(_("title"), max_length=255)
    revision = models.PositiveBigIntegerField(_("revision"))
    provisional = models.BooleanField(_("provisional"))
    withdrawn = models.BooleanField(_("withdrawn"), default=False)
    engine = models.CharField(_("scoring engine"), max_length=64)
    values = models.JSONField(_("answers"), default=dict)
    evaluation = models.JSONField(_("evaluation"), null=True)
    score = models.DecimalField(_("score"), max_digits=7, decimal_places=4, null=True)
    score_high = models.DecimalField(_("highest score"), max_digits=7, decimal_places=4, null=True)
    rating = models.CharField(_("rating"), max_length=1, blank=True)
    position = models.PositiveBigIntegerField(_("position"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    event_id = models.UUIDField(_("event"))

    objects: ClassVar[models.Manager[Report]] = models.Manager.from_queryset(ReportQuerySet)()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("-created_at", "-position")
        constraints = (
            models.UniqueConstraint(
                fields=("submission",), condition=models.Q(provisional=True), name="one_provisional_per_submission"
            ),
            models.UniqueConstraint(
                fields=("submission", "revision", "engine"),
                condition=models.Q(provisional=False),
                name="one_final_per_revision_and_engine",
            ),
            models.UniqueConstraint(fields=("organisation", "position"), name="one_report_per_position"),
            models.CheckConstraint(
                condition=models.Q(withdrawn=False) | models.Q(provisional=True), name="final_is_never_withdrawn"
            ),
        )
        indexes = (
            models.Index(fields=("organisation", "-created_at"), name="reports_newest_first"),
            models.Index(fields=("submission", "revision"), name="reports_of_submission"),
            models.Index(
                fields=("organisation", "line", "-position"),
                condition=models.Q(provisional=False),
                name="reports_finals_of_line",
            ),
        )

    def __str__(self) -> str:
        return f"{self.questionnaire_title} ({self.created_at:%Y-%m-%d}, {str(self.pk)[:8]})"

    _stored_as_final: bool | None = False
    """Whether the row is final; None: it was loaded without saying so."""

    def save(
        self,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Store it; raises ImmutableReport where the stored one is final."""
        self._refuse_final()
        # A new object never overwrites a row, even where somebody gave it the id of one.
        super().save(
            force_insert=force_insert or self._state.adding,
            force_update=force_update,
            using=using,
            update_fields=update_fields,
        )
        self._stored_as_final = not self.provisional

    def get_absolute_url(self) -> str:
        return reverse("report", args=[self.pk])

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete it; raises ImmutableReport where it is final."""
        self._refuse_final()
        return super().delete(using, keep_parents)

    def _refuse_final(self) -> None:
        if self._stored_as_final is None:
            self._stored_as_final = Report.objects.finals().filter(pk=self.pk).exists()
        if self._stored_as_final:
            raise ImmutableReport

    @property
    def label(self) -> str:
        """What tells it from others: the questionnaire's title and, where it has one, the name of its line."""
        return f"{self.questionnaire_title}: {self.line_name}" if self.line_name else self.questionnaire_title

    @property
    def state(self) -> str:
        if self.withdrawn:
            return "withdrawn"
        return "provisional" if self.provisional else "final"

    @property
    def newest_at(self) -> datetime:
        """When it became what it is: a provisional one with its newest answers, a final one when it became final."""
        return self.updated_at if self.provisional else self.created_at

    @property
    def answered(self) -> int:
        """How many of the scored questions that are asked have an answer."""
        return int(self._of_evaluation("listed_answered", "complete", "answered"))

    @property
    def asked(self) -> int:
        """How many scored questions are asked."""
        return int(self._of_evaluation("listed_asked", "complete", "visible"))

    @property
    def not_applicable_share(self) -> Decimal:
        """The part of the weight that was declared not applicable, from 0 to 1."""
        return Decimal(str(self._of_evaluation("listed_share", "not_applicable_share")))

    @property
    def has_large_share(self) -> bool:
        """Whether so much does not apply that it has to be said beside the rating."""
        return is_large(self.not_applicable_share)

    @property
    def rating_shown(self) -> bool:
        """Whether people are shown the rating: always that of a final one, else once half of it is answered."""
        return rating_is_shown(self.answered, self.asked, final=not self.provisional)

    def _of_evaluation(self, listed: str, *path: str) -> Any:
        """What `for_listing` brought along, or that part of the evaluation; 0 where there is none."""
        if listed in self.__dict__ and "evaluation" in self.get_deferred_fields():
            return self.__dict__[listed] or 0
        found: Any = self.evaluation or {}
        for key in path:
            found = found.get(key) or {}
        return found or 0

    def previous_final(self) -> Report | None:
        """The report with which this one was compared."""
        finals = Report.objects.finals_of_line(self.organisation_id, self.line)
        earlier = finals.filter(position__lt=self.position)
        return earlier.exclude(submission=self.submission, revision=self.revision).for_listing().first()

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        report = super().from_db(db, field_names, values, **options)
        report._stored_as_final = not report.provisional if "provisional" in report.__dict__ else None
        return report


class ProblemQuerySet(models.QuerySet["Problem"]):
    """Problems, looked up by who may see them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """What belongs to the person's organisations."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation__memberships__user=user)

    def standing(self) -> Self:
        """Those that are not over: there is no report of that or a newer revision."""
        newer = Report.objects.filter(submission=OuterRef("submission"), revision__gte=OuterRef("revision"))
        return self.filter(~models.Exists(newer))

    def of_each(self, submissions: Collection[uuid.UUID]) -> dict[uuid.UUID, Problem]:
        """The standing problem of each of these submissions that has one."""
        return {problem.submission: problem for problem in self.standing().filter(submission__in=submissions)}


class Problem(models.Model):
    """The newest revision of a submission of which no report could be made. It is over as soon as there is a report of
    that or a newer revision: nobody has to look for it when one is stored. See reports.problems."""

    class Reason(models.TextChoices):
        NOT_EVALUATED = "not_evaluated", _("not evaluated")
        NOT_STORED = "not_stored", _("evaluated, but not stored")

    submission = models.UUIDField(_("submission"), primary_key=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    questionnaire_slug = models.CharField(_("questionnaire"), max_length=64)
    revision = models.PositiveBigIntegerField(_("revision"))
    provisional = models.BooleanField(_("provisional"))
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    position = models.PositiveBigIntegerField(_("position"))
    at = models.DateTimeField(_("since"))

    objects: ClassVar[models.Manager[Problem]] = models.Manager.from_queryset(ProblemQuerySet)()

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        ordering = ("-at",)
        indexes = (models.Index(fields=("organisation", "position"), name="problems_by_position"),)

    def __str__(self) -> str:
        return f"{self.submission} r{self.revision}"

    @property
    def message(self) -> str:
        """What happened and what to do."""
        if self.provisional:
            said = _(
                "Your answers could not be evaluated. They are saved. The next change tries again; if that fails too, "
                "tell the person who runs Plumbline."
            )
        else:
            said = _(
                "Your report could not be made. Your answers are saved. Submit them again to try once more; if that "
                "fails too, tell the person who runs Plumbline."
            )
        return str(said)
