"""People and the organisations that everything belongs to."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import addresses, hashers, names
from securitylog import Kind, note


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Organisations, for those who have to tell one from the other."""

    def described(self) -> Self:
        """With what `names.of_organisation` says of each beside its name, in the same statement."""
        members = Membership.objects.filter(organisation=OuterRef("pk"))
        first = members.order_by("joined_at", "pk").values("user__email")[:1]
        confirmed = EmailAddress.objects.filter(
            user__memberships__organisation=OuterRef("pk"), email=OuterRef("first_email"), verified=True
        )
        counted = members.order_by().values("organisation").annotate(number=Count("pk")).values("number")
        return self.annotate(people_count=Coalesce(Subquery(counted), 0), first_email=Subquery(first)).annotate(
            first_email_confirmed=Exists(confirmed)
        )


class Organisation(models.Model):
    """The owner of submissions and reports. People see what belongs to the organisations of which they are members."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # What `described()` finds.
    people_count: int | None = None
    first_email: str | None = None
    first_email_confirmed: bool = False
    # What `accounts.chosen` adds where a person belongs to several of one name.
    particulars: str = ""

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ("name", "id")

    def __str__(self) -> str:
        """How the administration names it; its own people read `name`."""
        return names.of_organisation(self)


class UserManager(BaseUserManager["User"]):
    """Makes people; nobody is left without an organisation."""

    def told_apart(self) -> QuerySet[User]:
        """People whose `str` is the label by which the administration tells two of one name apart."""
        return self.annotate(is_told_apart=Value(True))

    @transaction.atomic
    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        organisation: Organisation | None = None,
        **fields: Any,
    ) -> User:
        """Make a person whose address somebody vouches for, with a membership; without `organisation`, one is made."""
        user = self.model(email=addresses.normalised(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        user.vouch_for_email()
        if organisation:
            user.join(organisation)
        else:
            user.found_organisation()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make an administrator."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        note(Kind.RIGHTS_CHANGED, person=user.pk, rights="is_superuser")
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Untick instead of deleting the person."))
    is_staff = models.BooleanField(_("may enter the administration"), default=False)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)
    factor_changes = models.PositiveIntegerField(
        default=0, editable=False, help_text="How often the second factor was switched on or off; ends older sessions."
    )
    organisations: models.ManyToManyField[Organisation, Membership] = models.ManyToManyField(
        Organisation, through="Membership", related_name="people", verbose_name=_("organisations")
    )
    reviewed: models.ManyToManyField[Organisation, models.Model] = models.ManyToManyField(
        Organisation,
        related_name="reviewers",
        verbose_name=_("organisations to review"),
        blank=True,
        help_text=_("In the administration this person sees what belongs to these. A superuser sees all of them."),
    )

    # Of somebody who is not stored yet: the rules of passwords look at them (`accounts.passwords`).
    names_of_organisations: tuple[str, ...] = ()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("email",)

    def __str__(self) -> str:
        return names.of_person(self) if getattr(self, "is_told_apart", False) else self.name or self.email

    @property
    def organisation(self) -> Organisation:
        """The organisation joined first; raises Organisation.DoesNotExist for somebody who belongs to none.

        It says nothing about what somebody who belongs to several works on at the moment. So nothing is made, listed or
        counted by it: pages and the API carry the organisation that they are about.
        """
        return Organisation.objects.filter(memberships__user=self).earliest("memberships__joined_at")

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session has to know to count: the password, as in Django, and the latest change of the second factor.

        Sessions of people who never had a second factor stay as Django makes them.
        """
        by_password: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # the stubs don't have it
        if not self.factor_changes:
            return by_password
        both = f"{by_password}/{self.factor_changes}"
        return salted_hmac("accounts.second_factor", both, secret=secret, algorithm="sha256").hexdigest()

    def set_password(self, raw_password: str | None) -> None:
        """Set a password, hashed in a form that each process reads which runs beside this one."""
        self.password = hashers.make(raw_password)
        self._password = raw_password

    def check_password(self, raw_password: str | None) -> bool:
        """Whether it is the password. Unlike Django's, this replaces no older hash, which would end this very session:
        that is for `accounts.backends`, where somebody signs in. A wrong password costs the same for every person."""
        if check_password(raw_password, self.password):
            return True
        hashers.even_out(raw_password or "", self.password)
        return False

    def clean(self) -> None:
        """Addresses are kept in lower case, so that one person cannot be two."""
        super().clean()
        self.email = self.email.lower()

    def join(self, organisation: Organisation) -> Membership:
        """Make this person a member; once is enough."""
        return Membership.objects.get_or_create(user=self, organisation=organisation)[0]

    def found_organisation(self, name: str = "") -> Organisation:
        """Make an organisation with this person as its first member; without a name it is called after the person."""
        organisation = Organisation.objects.create(name=names.cleaned(name) or names.after(self.name, self.email))
        self.join(organisation)
        return organisation

    def vouch_for_email(self) -> None:
        """Count the address as verified, and no other one: what an administrator may do, and nobody else."""
        with transaction.atomic():
            EmailAddress.objects.filter(user=self).delete()
            EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


class Membership(models.Model):
    """One person in one organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("organisation")
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (models.UniqueConstraint(fields=("user", "organisation"), name="one_membership_each"),)

    def __str__(self) -> str:
        return f"{names.of_person(self.user)} - {self.organisation}"


class OpenSession(models.Model):
    """A browser or a client in which somebody is signed in, as the person recognises it. The session itself is
    Django's; this row alone lets nobody in, and one whose session has ended is thrown away."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Without a constraint: during an upgrade a process that does not know this table may delete the person.
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, db_constraint=False, related_name="open_sessions", verbose_name=_("person")
    )
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=80, blank=True)
    network = models.CharField(max_length=50, blank=True)
    is_client = models.BooleanField(default=False)
    """Whether it has a token instead of a cookie."""
    began_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(default=timezone.now)
    """When it was used last, to the hour."""

    def __str__(self) -> str:
        return f"{self.device} {self.began_at:%Y-%m-%d %H:%M}"


class Erased(models.Model):
    """What was erased, by its id alone. No backup has this table, and no restore clears it: see `accounts.erasure`."""

    class Kind(models.TextChoices):
        ORGANISATION = "organisation", _("organisation")
        PERSON = "person", _("person")

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    at = models.DateTimeField(_("when"), db_default=Now())
    by = models.UUIDField(_("by"), null=True, help_text=_("The superuser who did it; empty: a command."))
    counts = models.JSONField(_("how much"), default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        verbose_name = _("erased")
        verbose_name_plural = _("erased")

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SetupLink(models.Model):
    """The one-time link with which the first administrator is made. Only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    """When it made the administrator, or when a newer one took its place."""

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"
