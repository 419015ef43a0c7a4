"""People of several organisations: every page names one, leads on in it, and starts nothing in another."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from answers.models import Line, Submission
from answers.submissions import start, submit
from answers.tests.conftest import Save
from questionnaires.definition import Questionnaire

START = "/questionnaires/small/start/"
LISTS = ("/questionnaires/", "/reports/")


@pytest.fixture
def contoso(alice: User, charlie: User) -> Organisation:
    """Alice's second organisation; the first one is Acme."""
    organisation = charlie.organisation
    alice.join(organisation)
    return organisation


@pytest.fixture
def acme(alice: User, contoso: Organisation) -> Organisation:
    return alice.organisation


def header(page: str) -> str:
    found = re.search(r'<header class="site-header">(.*?)</header>', page, re.DOTALL)
    assert found
    return found[1]


def named(page: str) -> str:
    """The organisation that the header names."""
    found = re.search(r'class="site-organisation">.*?<bdi[^>]*>(.*?)</bdi>', header(page), re.DOTALL)
    assert found
    return found[1]


def carried(page: str) -> set[str]:
    """The organisations that the page's links and forms name, those of the switch left out."""
    rest = re.sub(r'<div id="organisation-menu".*?</div>', "", page, flags=re.DOTALL)
    found = re.findall(r'organisation=([0-9a-f-]{36})|name="organisation" value="([0-9a-f-]{36})"', rest)
    return {one or other for one, other in found}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_about_the_organisation_that_its_address_names(
    alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation, path: str
) -> None:
    for organisation in (contoso, acme):
        page = alice_client.get(f"{path}?organisation={organisation.pk}").content.decode()

        assert named(page) == organisation.name
        assert carried(page) == {str(organisation.pk)}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("organisation", ["00000000-0000-4000-8000-000000000007", "nonsense"])
def test_an_organisation_that_is_none_of_the_persons_is_not_found(
    alice_client: Client, small: Questionnaire, path: str, organisation: object
) -> None:
    assert alice_client.get(path, {"organisation": str(organisation)}).status_code == 404


def test_the_questionnaires_list_does_not_mix_organisations(
    alice: User, alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    ours, theirs = (start(alice, "small", organisation=each) for each in (acme, contoso))

    for organisation, mine, other in ((acme, ours, theirs), (contoso, theirs, ours)):
        page = alice_client.get(f"/questionnaires/?organisation={organisation.pk}").content.decode()
        assert str(mine.pk) in page
        assert str(other.pk) not in page


def test_what_is_started_on_a_page_belongs_to_the_organisation_of_that_page(
    alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    alice_client.get(f"/questionnaires/?organisation={contoso.pk}")
    alice_client.get(f"/reports/?organisation={acme.pk}")  # another tab, later

    alice_client.post(START, {"organisation": str(contoso.pk)})

    assert Submission.objects.get().organisation == contoso


def test_the_one_chosen_last_is_shown_where_the_address_names_none(
    alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    alice_client.get(f"/reports/?organisation={contoso.pk}")

    for path in ("/questionnaires/", "/reports/", "/", "/accounts/password/change/"):
        assert named(alice_client.get(path).content.decode()) == "Contoso", path


def test_where_nothing_was_chosen_it_is_the_organisation_joined_first(
    alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    assert named(alice_client.get("/questionnaires/").content.decode()) == "Acme"


def test_starting_asks_for_the_organisation_where_the_page_does_not_say(
    alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    alice_client.get(f"/questionnaires/?organisation={contoso.pk}")

    page = alice_client.post(START).content.decode()

    assert "For which organisation?" in page
    assert not Submission.objects.exists()
    assert all(f'name="organisation" value="{each.pk}"' in page for each in (acme, contoso))


def test_one_organisation_is_not_asked_for(alice: User, alice_client: Client, small: Questionnaire) -> None:
    alice_client.post(START)

    assert Submission.objects.get().organisation == alice.organisation


def test_nobody_starts_for_an_organisation_of_somebody_else(
    alice_client: Client, small: Questionnaire, charlie: User
) -> None:
    response = alice_client.post(START, {"organisation": str(charlie.organisation.pk)})

    assert response.status_code == 404
    assert not Submission.objects.exists()


@pytest.mark.parametrize("page", ["submission", "submission-review", "submission-delete"])
def test_a_page_of_a_submission_names_its_organisation_and_leads_back_to_its_list(
    alice: User, alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation, page: str
) -> None:
    theirs = start(alice, "small", organisation=contoso)
    alice_client.get(f"/questionnaires/?organisation={acme.pk}")  # another tab

    text = alice_client.get(reverse(page, args=[theirs.pk])).content.decode()

    assert named(text) == "Contoso"
    assert carried(text) == {str(contoso.pk)}


def test_a_section_names_the_organisation_that_it_is_answered_for(
    alice: User, alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    theirs = start(alice, "small", organisation=contoso)
    alice_client.get(f"/questionnaires/?organisation={acme.pk}")

    text = alice_client.get(reverse("submission-section", args=[theirs.pk, "controls"])).content.decode()

    assert named(text) == "Contoso"


def test_deleting_a_draft_leads_to_the_list_of_its_organisation(
    alice: User, alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    theirs = start(alice, "small", organisation=contoso)
    alice_client.get(f"/questionnaires/?organisation={acme.pk}")

    response = alice_client.post(reverse("submission-delete", args=[theirs.pk]))

    assert response.headers["Location"] == f"/questionnaires/?organisation={contoso.pk}"


def test_an_account_page_stays_with_the_organisation_of_the_page_before(
    alice_client: Client, small: Questionnaire, acme: Organisation, contoso: Organisation
) -> None:
    before = f"http://testserver/accounts/password/change/?organisation={contoso.pk}"
    alice_client.get(f"/questionnaires/?organisation={acme.pk}")

    page = alice_client.get("/accounts/email/", headers={"Referer": before}).content.decode()

    assert named(page) == "Contoso"


def test_the_next_page_of_a_long_list_stays_in_the_organisation(
    alice: User, alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    line = Line.objects.create(organisation=contoso, questionnaire_slug="small")
    Submission.objects.bulk_create(
        Submission(
            organisation=contoso,
            created_by=alice,
            line=line,
            questionnaire_slug="small",
            questionnaire_version=small.version,
            questionnaire_digest=small.digest,
        )
        for _ in range(51)
    )

    page = alice_client.get(f"/questionnaires/?organisation={contoso.pk}").content.decode()

    assert f"?organisation={contoso.pk}&amp;page=2" in page


def test_somebody_who_was_taken_out_of_the_organisation_chosen_last_is_told(
    alice: User, alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    alice_client.get(f"/questionnaires/?organisation={contoso.pk}")
    alice.memberships.filter(organisation=contoso).delete()

    page = alice_client.get("/questionnaires/").content.decode()

    assert named(page) == "Acme"
    assert "You are no longer in the organisation that you chose last. This page shows <bdi>Acme</bdi>." in page
    assert "no longer" not in alice_client.get("/questionnaires/").content.decode()


def test_an_open_page_starts_nothing_after_the_membership_is_lost(
    alice: User, alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    alice.memberships.filter(organisation=contoso).delete()

    assert alice_client.post(START, {"organisation": str(contoso.pk)}).status_code == 404
    assert not Submission.objects.exists()


def test_two_organisations_of_one_name_are_told_apart(alice: User, alice_client: Client, small: Questionnaire) -> None:
    other = Organisation.objects.create(name="ACME ")
    alice.join(other)

    page = alice_client.get(f"/questionnaires/?organisation={other.pk}").content.decode()

    for each in (alice.organisation, other):
        assert str(each.pk)[:8] in header(page)
    assert header(page).count("since ") == 2


def test_of_one_organisation_the_header_says_the_name_alone(alice_client: Client, small: Questionnaire) -> None:
    page = alice_client.get("/questionnaires/").content.decode()

    assert named(page) == "Acme"
    assert "organisation-menu" not in page


def test_a_name_is_text_wherever_it_is_shown(
    alice: User, alice_client: Client, small: Questionnaire, contoso: Organisation
) -> None:
    Organisation.objects.filter(pk=contoso.pk).update(name="<b>Bold</b>")
    theirs = start(alice, "small", organisation=contoso)

    for path in (f"/questionnaires/?organisation={contoso.pk}", f"/submissions/{theirs.pk}/"):
        assert "<b>Bold" not in alice_client.get(path).content.decode()


def test_a_colleague_who_reopens_in_the_second_organisation_stays_there(
    alice: User, alice_client: Client, draft: Submission, save: Save, contoso: Organisation
) -> None:
    save(exposed="no", mfa="F", backup="P", plan="full")
    submit(draft.pk, alice)
    alice_client.get(f"/questionnaires/?organisation={contoso.pk}")

    page = alice_client.post(reverse("submission-reopen", args=[draft.pk]), follow=True).content.decode()

    assert named(page) == "Acme"
