"""People and organisations in the administration. Whatever is done here, nobody is left without an organisation."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import mails, reviewers, second_factor
from accounts.administration import NamesToldApart
from accounts.erasing_page import ErasingPage
from accounts.fields import AddressField, NameField
from accounts.models import Membership, Organisation, User
from accounts.templatetags.moments import in_words
from reviewing.guarded import GuardedAdmin
from reviewing.reach import within_reach
from securitylog import Kind, note

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


def _to_the_administration(request: HttpRequest) -> HttpResponse:
    """Django's own form would sign in whoever knows a password, past all limits and without the second factor."""
    return redirect("admin:index")


# One login for everybody, so that its rate limits and the second factor guard the administration too.
admin.site.login = secure_admin_login(_to_the_administration)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Plumbline"
admin.site.index_title = _("Administration")
# An address is changed at the person, so that both always agree.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)
# A second factor is switched off at the person. Whoever edited its row could give it to somebody else.
admin.site.unregister(Authenticator)


class _FreeAddress(forms.ModelForm):
    """Refuses an address that another person has, or has verified."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        people = User.objects.filter(email=email).exclude(pk=self.instance.pk)
        addresses = EmailAddress.objects.filter(email=email, verified=True).exclude(user=self.instance.pk)
        if people.exists() or addresses.exists():
            raise forms.ValidationError(_("Another person has this address."))
        return email


class AddUserForm(_FreeAddress, AdminUserCreationForm):
    """A new person, who needs an organisation from the start."""

    organisation = forms.ModelChoiceField(Organisation.objects.described(), label=_("Organisation"))

    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"email": AddressField, "name": NameField}


class ChangeUserForm(_FreeAddress, UserChangeForm):
    """A person as they are."""

    class Meta(UserChangeForm.Meta):
        model = User
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"email": AddressField, "name": NameField}


class OrganisationForm(forms.ModelForm):
    """An organisation as it is."""

    class Meta:
        model = Organisation
        fields = ("name",)
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {"name": NameField}


class OrganisationsOfUser(NamesToldApart, admin.TabularInline):
    """The last membership of a person cannot be taken away."""

    model = Membership
    extra = 0
    min_num = 1
    autocomplete_fields = ("organisation",)

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        """Ask for one membership at least."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)


class PeopleOfOrganisation(NamesToldApart, admin.TabularInline):
    """Colleagues are added here and taken away at the person, where the last membership is guarded."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return False


class OrganisationFilter(admin.RelatedFieldListFilter):
    """The organisations to choose from, each with what tells it from its namesakes; the search finds those of many."""

    most = 50
    include_empty_choice = False

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin) -> Any:
        described = Organisation.objects.described()
        found = list(described[: self.most + 1])
        if len(found) > self.most:
            found = list(described.filter(pk__in=self.lookup_val or []))
        return [(str(each.pk), str(each)) for each in found]

    def has_output(self) -> bool:
        """Also with the one choice that was made; otherwise it would not be followed."""
        return bool(self.lookup_choices)


def _may_touch(request: HttpRequest, person: User | None) -> bool:
    return person is None or reviewers.may_change(cast(User, request.user), person)


@admin.register(Group)
class GroupAdmin(GuardedAdmin, DjangoGroupAdmin):
    """Groups of rights. Only a superuser says which: nobody hands out rights that they do not have."""

    reviewed_by = ""

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Somebody who belongs to a group could otherwise give it, and so themselves, every right."""
        rights = () if request.user.is_superuser else ("permissions",)
        return (*super().get_readonly_fields(request, obj), *rights)


@admin.register(User)
class UserAdmin(GuardedAdmin, DjangoUserAdmin):
    """People by email. An address that an administrator enters counts as verified."""

    form = ChangeUserForm
    add_form = AddUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", ("organisations", OrganisationFilter))
    search_fields = ("email", "name", "organisations__name", "organisations__id__startswith")
    search_help_text = _("Address, name, organisation, or how the id of an organisation begins")
    readonly_fields = ("date_joined", "last_login", "second_factor")
    autocomplete_fields = ("reviewed",)
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "second_factor")}),
        (_("Rights"), {"fields": ("is_active", *RIGHTS, "reviewed")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "organisation", "usable_password", "password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return reviewers.seen_by(cast(User, request.user), User.objects.told_apart()).order_by("email")

    def get_list_filter(self, request: HttpRequest) -> Any:
        """By organisation for superusers: it would tell a reviewer to which others a person belongs, and so would the
        search."""
        return self.list_filter if request.user.is_superuser else self.list_filter[:-1]

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self.search_fields if request.user.is_superuser else ("email", "name")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "reviewed":
            kwargs["queryset"] = Organisation.objects.described()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer those organisations alone that the person at the desk sees."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            seen = within_reach(Organisation.objects.described(), request, "pk")
            form.base_fields["organisation"] = forms.ModelChoiceField(seen, label=_("Organisation"))
        return form

    @admin.display(description=_("second factor"))
    def second_factor(self, user: User) -> str:
        """Since when it is on, and the way to switch it off."""
        found = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        if found is None:
            return gettext("off")
        since = gettext("on since %s") % in_words(found.created_at, "seconds")
        address = reverse("admin:accounts_user_second_factor", args=[user.pk])
        return format_html('{} · <a href="{}">{}</a>', since, address, gettext("Switch it off"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.switch_second_factor_off)
        return [path("<uuid:pk>/second-factor/", view, name="accounts_user_second_factor"), *super().get_urls()]

    def switch_second_factor_off(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask, then let somebody who lost phone and recovery codes in by the password alone."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        person = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method != "POST":
            context = {"opts": self.opts, "title": _("Switch the second factor off"), "person": person}
            context |= self.admin_site.each_context(request)
            return render(request, "admin/accounts/user/second_factor.html", context)

        if second_factor.switch_off(person, by=str(request.user.pk)):
            self.log_change(request, person, [{"changed": {"name": "second factor", "object": "off"}}])
            done = gettext("The second factor of %s is off.") % person
            messages.success(request, f"{done} {mails.how_they_learn_of_it()}")
        return redirect("admin:accounts_user_change", person.pk)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """For superusers: it names every organisation to which the person was ever added."""
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser gives rights: whoever else may edit people could otherwise take all of them."""
        rights = () if request.user.is_superuser else RIGHTS
        return (*super().get_readonly_fields(request, obj), *rights)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Others' organisations are named to superusers alone."""
        shown = super().get_fieldsets(request, obj)
        if request.user.is_superuser or obj is None:
            return shown
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "reviewed")})
            for title, options in shown
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody takes over somebody who has more rights: see `reviewers.may_change`."""
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
        obj.is_told_apart = True  # type: ignore[attr-defined]  # in the message and in the history
        super().save_model(request, obj, form, change)
        if given := sorted({*form.changed_data} & {*RIGHTS}):
            note(Kind.RIGHTS_CHANGED, request, person=obj.pk, rights=given, by=request.user.pk)
        if "email" in form.changed_data:
            obj.vouch_for_email()
            if change:
                note(Kind.ADDRESS_CHANGED, request, person=obj.pk, by=request.user.pk)
        if not change:
            obj.join(cast(Organisation, form.cleaned_data["organisation"]))


@admin.register(Organisation)
class OrganisationAdmin(ErasingPage, GuardedAdmin, admin.ModelAdmin):
    """Organisations; to delete one is to erase it with all that it has."""

    reviewed_by = "pk"
    form = OrganisationForm
    list_display = ("name", "short_id", "number_of_people", "first_person", "created_at")
    search_fields = ("name", "id__startswith", "people__email")
    search_help_text = _("Name, how the id begins, or the address of somebody in it")
    fields = ("name", "id", "number_of_people", "first_person", "created_at")
    readonly_fields = ("id", "number_of_people", "first_person", "created_at")
    ordering = ("name", "id")
    inlines = (PeopleOfOrganisation,)

    @admin.display(description=_("id begins with"), ordering="id")
    def short_id(self, organisation: Organisation) -> str:
        return str(organisation.pk)[:8]

    @admin.display(description=_("people"), ordering="people_count")
    def number_of_people(self, organisation: Organisation) -> str:
        return str(organisation.people_count or 0)

    @admin.display(description=_("first person"), ordering="first_email")
    def first_person(self, organisation: Organisation) -> str:
        """Who has been in it the longest; an address that is not confirmed may be anybody's."""
        if not organisation.first_email:
            return gettext("nobody")
        confirmed = organisation.first_email_confirmed
        return organisation.first_email if confirmed else gettext("%s (not confirmed)") % organisation.first_email

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return within_reach(Organisation.objects.described(), request, "pk").order_by("name", "id")

    def save_model(self, request: HttpRequest, obj: Organisation, form: forms.ModelForm, change: bool) -> None:
        """Save it; a reviewer who makes one sees it from then on."""
        super().save_model(request, obj, form, change)
        if not change and not request.user.is_superuser:
            cast(User, request.user).reviewed.add(obj)
