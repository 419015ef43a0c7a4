"""People and organisations in the administration. Whatever is done here, nobody is left without an organisation."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import second_factor
from accounts.models import Membership, Organisation, User


def _to_the_administration(request: HttpRequest) -> HttpResponse:
    """Django's own form would sign in whoever knows a password, past all limits and without the second factor."""
    return redirect("admin:index")


# One login for everybody, so that its rate limits and the second factor guard the administration too.
admin.site.login = secure_admin_login(_to_the_administration)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Plumbline"
admin.site.index_title = _("Administration")
# An address is changed at the person, so that both always agree.
admin.site.unregister(EmailAddress)
# A second factor is switched off at the person. Whoever edited its row could give it to somebody else.
admin.site.unregister(Authenticator)


class _FreeAddress(forms.ModelForm):
    """Refuses an address that another person has, or has verified."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        people = User.objects.filter(email=email).exclude(pk=self.instance.pk)
        addresses = EmailAddress.objects.filter(email=email, verified=True).exclude(user=self.instance.pk)
        if people.exists() or addresses.exists():
            raise forms.ValidationError(_("Another person has this address."))
        return email


class AddUserForm(_FreeAddress, AdminUserCreationForm):
    """A new person, who needs an organisation from the start."""

    organisation = forms.ModelChoiceField(Organisation.objects.all(), label=_("Organisation"))

    class Meta:
        model = User
        fields = ("email", "name")


class ChangeUserForm(_FreeAddress, UserChangeForm):
    """A person as they are."""


class OrganisationsOfUser(admin.TabularInline):
    """The last membership of a person cannot be taken away."""

    model = Membership
    extra = 0
    min_num = 1
    autocomplete_fields = ("organisation",)

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        """Ask for one membership at least."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)


class PeopleOfOrganisation(admin.TabularInline):
    """Colleagues are added here and taken away at the person, where the last membership is guarded."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False


def _may_touch(request: HttpRequest, person: User | None) -> bool:
    return person is None or not person.is_superuser or bool(request.user.is_superuser)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People by email. An address that an administrator enters counts as verified."""

    form = ChangeUserForm
    add_form = AddUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "organisations")
    search_fields = ("email", "name", "organisations__name")
    readonly_fields = ("date_joined", "last_login", "second_factor")
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "second_factor")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "organisation", "usable_password", "password1", "password2")}),
    )

    @admin.display(description=_("second factor"))
    def second_factor(self, user: User) -> str:
        """Since when it is on, and the way to switch it off."""
        found = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        if found is None:
            return gettext("off")
        since = gettext("on since %s") % date_format(localtime(found.created_at), "DATETIME_FORMAT")
        address = reverse("admin:accounts_user_second_factor", args=[user.pk])
        return format_html('{} · <a href="{}">{}</a>', since, address, gettext("Switch it off"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.switch_second_factor_off)
        return [path("<uuid:pk>/second-factor/", view, name="accounts_user_second_factor"), *super().get_urls()]

    def switch_second_factor_off(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask, then let somebody who lost phone and recovery codes in by the password alone."""
        person = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method != "POST":
            context = {"opts": self.opts, "title": _("Switch the second factor off"), "person": person}
            context |= self.admin_site.each_context(request)
            return render(request, "admin/accounts/user/second_factor.html", context)

        if second_factor.switch_off(person, by=str(request.user.pk)):
            self.log_change(request, person, [{"changed": {"name": "second factor", "object": "off"}}])
            messages.success(request, gettext("The second factor of %s is off. A mail tells them.") % person)
        return redirect("admin:accounts_user_change", person.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser gives rights: whoever else may edit people could otherwise take all of them."""
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser's address and password are changed by superusers alone."""
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Likewise; without a person it is about the bulk deletion, which would not look at each."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (request.user.is_superuser if obj is None else _may_touch(request, obj))

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """A new person gets the organisation by the form."""
        return [OrganisationsOfUser] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Save the person; vouch for a new address."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            obj.vouch_for_email()
        if not change:
            obj.join(cast(Organisation, form.cleaned_data["organisation"]))


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    """Organisations; one can be deleted only when nobody is left in it."""

    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    inlines = (PeopleOfOrganisation,)

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        """Also keeps the bulk deletion away, which would not look at the members."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not obj.memberships.exists()
