"""People and the organisations that everything belongs to."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """The owner of submissions and reports. People see what belongs to the organisations of which they are members."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes people; nobody is left without an organisation."""

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
        user = self.model(email=email.strip().lower(), **fields)
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
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ("email",)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def organisation(self) -> Organisation:
        """The organisation for which this person starts submissions: the one joined first."""
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

    def clean(self) -> None:
        """Addresses are kept in lower case, so that one person cannot be two."""
        super().clean()
        self.email = self.email.lower()

    def join(self, organisation: Organisation) -> Membership:
        """Make this person a member; once is enough."""
        return Membership.objects.get_or_create(user=self, organisation=organisation)[0]

    def found_organisation(self, name: str = "") -> Organisation:
        """Make an organisation with this person as its first member; without a name it takes that of the mailbox."""
        organisation = Organisation.objects.create(name=name or self.email.partition("@")[0])
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
        return f"{self.user} - {self.organisation}"


class SetupLink(models.Model):
    """The one-time link with which the first administrator is made. Only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"
