"""The page on which a superuser erases an organisation as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import erasure, names
from accounts.models import Organisation, User
from contracts.erasure import Counts

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Organisation]
else:
    Base = object


class EraseForm(forms.Form):
    """The name, typed out."""

    name = forms.CharField(label=_("Name of the organisation"), required=False)

    def __init__(self, organisation: Organisation, *args: Any) -> None:
        super().__init__(*args)
        self.organisation = organisation
        self.fields["name"].widget.attrs |= {
            "autocomplete": "off",
            "aria-describedby": "id_name_helptext",
            "class": "vTextField",  # a name may be long
        }

    def clean_name(self) -> str:
        typed = str(self.cleaned_data["name"])
        if not names.same(typed, self.organisation.name):
            raise forms.ValidationError(_("This is not its name. Nothing was erased."))
        return typed


class ErasingPage(Base):
    """For the `ModelAdmin` of organisations: deleting one is erasing all that it has, by superusers alone."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.erase_view)
        return [path("<uuid:pk>/erase/", view, name="accounts_organisation_erase"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Organisation | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_actions(self, request: HttpRequest) -> Any:
        """Not several at once: each is confirmed by its name."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the page that says what goes."""
        organisation = self.get_object(request, object_id)
        if not self.has_delete_permission(request, organisation):
            raise PermissionDenied
        if organisation is None:
            return super().delete_view(request, object_id, extra_context)
        return redirect("admin:accounts_organisation_erase", organisation.pk)

    def erase_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Say what goes and who; erase what was confirmed."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        organisation = get_object_or_404(self.get_queryset(request), pk=pk)
        form = EraseForm(organisation, request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            self._erase(request, organisation)
            return redirect("admin:accounts_organisation_changelist")
        going = erasure.people_who_go(pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Erase an organisation"),
            "organisation": organisation,
            "form": form,
            "counts": erasure.preview(organisation),
            "going": User.objects.told_apart().filter(pk__in=going.values("pk")),
            "staying": User.objects.told_apart().filter(organisations=pk).exclude(pk__in=going.values("pk")),
        }
        return render(request, "admin/accounts/organisation/erase.html", context)

    def _erase(self, request: HttpRequest, organisation: Organisation) -> None:
        by = cast(User, request.user)
        counts = erasure.erase(organisation.pk, by=by.pk)
        _note(by, organisation.pk, counts)
        told = gettext("Organisation %(id)s is erased. What went: %(counts)s.")
        shown = ", ".join(f"{gettext(name)}: {count}" for name, count in counts.items() if count)
        messages.success(request, told % {"id": str(organisation.pk)[:8], "counts": shown})


def _note(by: User, organisation: UUID, counts: Counts) -> None:
    """Keep in the history that it was done: ids and counts only."""
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Organisation),
        object_id=str(organisation),
        object_repr=str(organisation),
        action_flag=DELETION,
        change_message=erasure.in_words(counts),
    )
