from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from config.admin_site import MAX_SEARCH


@pytest.mark.parametrize("model", ["accounts_user", "answers_submission", "reports_report", "eventbus_delivery"])
def test_a_search_of_thousands_of_words_is_a_bad_request(model: str, client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    address = reverse(f"admin:{model}_changelist")
    assert client.get(address, {"q": "a " * 2000}).status_code == 400


@pytest.mark.django_db
def test_the_longest_search_is_answered_on_every_list(client: Client, admin_user: User) -> None:
    client.force_login(admin_user)
    for model in admin.site._registry:
        if admin.site._registry[model].search_fields:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert client.get(address, {"q": "a " * (MAX_SEARCH // 2)}).status_code == 200, address
