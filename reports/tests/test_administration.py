"""Reports in the administration."""

from __future__ import annotations

import html
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, User
from questionnaires.definition import Questionnaire
from reports.tests.addresses import report_url
from reports.tests.makers import evaluated, stored, withdrawn


class TestAdministration:
    @pytest.fixture
    def staff(self, client: Client, admin_user: User) -> Client:
        client.force_login(admin_user)
        return client

    def test_reports_can_be_found_and_read_as_the_customer_sees_them(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=False))

        found = staff.get("/admin/reports/report/", {"q": "Acme", "rating": "D"}).content.decode()
        change = staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode()
        preview = staff.get(f"/admin/reports/report/{report.pk}/as-customer/").content.decode()

        assert str(report.pk) in found
        for page in (change, preview):
            assert "Important protections are missing." in page
        assert "Change answers" not in preview

    def test_the_list_does_not_grow_with_the_organisations(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        Organisation.objects.bulk_create(Organisation(name=f"Customer {n}") for n in range(30))
        stored(evaluated(quick_check, alice.organisation))
        page = staff.get("/admin/reports/report/").content.decode()
        assert "Acme" in page
        assert "Customer " not in page

    def test_reports_of_organisations_of_one_name_differ_and_cost_no_statement_each(
        self, staff: Client, alice: User, quick_check: Questionnaire, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        reports = [
            stored(evaluated(quick_check, each))
            for each in (alice.organisation, Organisation.objects.create(name="Acme"))
        ]

        with CaptureQueriesContext(connection) as few:
            rows = html.unescape(staff.get("/admin/reports/report/").content.decode())
        statements = len(few)

        for report in reports:
            label = str(Organisation.objects.described().get(pk=report.organisation_id))
            assert label in rows
            page = html.unescape(staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode())
            assert label in page
            assert str(report.pk)[:8] in page
        for name in range(5):
            stored(evaluated(quick_check, Organisation.objects.create(name=f"Customer {name}")))
        with django_assert_num_queries(statements):
            staff.get("/admin/reports/report/")

    def test_nothing_can_be_changed(self, staff: Client, alice: User, quick_check: Questionnaire) -> None:
        report = stored(evaluated(quick_check, alice.organisation, provisional=False))
        url = f"/admin/reports/report/{report.pk}"

        assert staff.post(f"{url}/change/", {"rating": "A"}).status_code == 403
        assert staff.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
        assert staff.get("/admin/reports/report/add/").status_code == 403

    def test_a_tombstone_can_be_looked_at(self, staff: Client, alice: User, quick_check: Questionnaire) -> None:
        report = stored(withdrawn(quick_check, alice.organisation, uuid4(), revision=1))

        page = staff.get(f"/admin/reports/report/{report.pk}/change/").content.decode()

        assert "Withdrawn: the draft was deleted" in page

    def test_customers_and_staff_without_the_permission_do_not_get_in(
        self, alice: User, alice_client: Client, quick_check: Questionnaire
    ) -> None:
        url = f"/admin/reports/report/{stored(evaluated(quick_check, alice.organisation)).pk}/as-customer/"
        assert alice_client.get(url).status_code == 302

        User.objects.filter(pk=alice.pk).update(is_staff=True)

        assert alice_client.get(url).status_code == 403

    def test_an_administrator_sees_no_foreign_report_on_the_customers_pages(
        self, staff: Client, alice: User, quick_check: Questionnaire
    ) -> None:
        assert staff.get(report_url(stored(evaluated(quick_check, alice.organisation)))).status_code == 404
