"""Lines: which one a started submission goes on in, and what renaming one changes."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from accounts.models import Organisation, User
from answers.lines import InvalidName, clean_name, rename
from answers.models import MAX_LINE_NAME, Line, Submission
from answers.saving import Change, save_answers
from answers.submissions import OrganisationNeeded, delete_draft, reopen, start, submit
from answers.tests.conftest import Save
from answers.tests.test_saving import published
from answers.tests.test_submissions import at_once
from config.tests.world import deliver
from contracts.lines import first_line
from questionnaires.definition import Questionnaire
from reports.models import Report


def answer(submission: Submission, user: User, **values: str) -> None:
    versions = dict(submission.answers.values_list("question", "version"))
    changes = [Change(question=q, value=v, base_version=versions.get(q, 0)) for q, v in values.items()]
    save_answers(submission.pk, user, changes)


def complete(submission: Submission, user: User, mfa: str = "F") -> None:
    answer(submission, user, exposed="no", mfa=mfa, backup="P", plan="full")


def names(organisation: Organisation) -> list[str]:
    return [line.name for line in Line.objects.filter(organisation=organisation).oldest_first()]


def test_the_first_one_has_no_name_and_an_id_that_everybody_can_tell(alice: User, small: Questionnaire) -> None:
    draft = start(alice, "small")

    assert draft.line.pk == first_line(alice.organisation.pk, "small")
    assert (draft.line.name, draft.label) == ("", "Small check")


def test_the_first_line_of_each_organisation_and_questionnaire_is_another() -> None:
    acme, other = UUID(int=1), UUID(int=2)

    assert first_line(acme, "small") == UUID("16a63de4-0b9b-561f-bdd6-22333cd3d885")
    assert len({first_line(acme, "small"), first_line(acme, "large"), first_line(other, "small")}) == 3


def test_without_a_choice_the_next_one_goes_on_in_the_only_line(alice: User, bob: User, small: Questionnaire) -> None:
    first = start(alice, "small", name="Linz")
    answer(first, alice, mfa="F")

    assert start(alice, "small").line == first.line
    assert start(bob, "small").line == first.line


def test_a_name_makes_a_line_once(alice: User, bob: User, small: Questionnaire) -> None:
    first = start(alice, "small", name=" Shop \t Linz ")
    answer(first, alice, mfa="F")
    second = start(bob, "small", name="Shop Linz")

    assert second != first
    assert second.line == first.line
    assert (second.line.name, second.label) == ("Shop Linz", "Small check: Shop Linz")


def test_a_line_is_chosen_by_its_id(alice: User, small: Questionnaire) -> None:
    linz, wels = (start(alice, "small", name=name) for name in ("Linz", "Wels"))
    for each in (linz, wels):
        answer(each, alice, mfa="F")

    assert start(alice, "small", line=linz.line.pk).line == linz.line


def test_without_a_choice_between_several_there_is_a_new_one_with_a_free_name(
    alice: User, small: Questionnaire
) -> None:
    answer(start(alice, "small"), alice, mfa="F")
    answer(start(alice, "small", name="Linz"), alice, mfa="F")
    answer(start(alice, "small"), alice, mfa="F")
    answer(start(alice, "small", name="3"), alice, mfa="F")
    start(alice, "small")

    assert names(alice.organisation) == ["", "Linz", "2", "3", "4"]


def test_a_second_click_gives_the_same_untouched_draft(alice: User, bob: User, small: Questionnaire) -> None:
    for name in ("Linz", "Wels"):
        answer(start(alice, "small", name=name), alice, mfa="F")
    choices: list[Callable[[], Submission]] = [
        lambda: start(alice, "small"),
        lambda: start(alice, "small", name="Wels"),
        lambda: start(alice, "small", name="Graz"),
    ]

    for choice in choices:
        assert choice() == choice()
    assert start(bob, "small") != start(alice, "small")


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_line(alice: User, small: Questionnaire) -> None:
    for name in ("Linz", "Wels"):
        answer(start(alice, "small", name=name), alice, mfa="F")

    assert at_once(lambda: start(alice, "small"), lambda: start(alice, "small")) == []

    assert names(alice.organisation) == ["Linz", "Wels", "2"]
    assert Submission.objects.count() == 3


def test_a_line_of_somebody_else_or_of_another_questionnaire_does_not_exist(
    alice: User, charlie: User, small: Questionnaire
) -> None:
    theirs = start(charlie, "small").line
    strange = Line.objects.create(organisation=alice.organisation, questionnaire_slug="large")

    for line in (theirs.pk, strange.pk, uuid4()):
        with pytest.raises(Line.DoesNotExist):
            start(alice, "small", line=line)
        with pytest.raises(Line.DoesNotExist):
            start(alice, "small", line=line, organisation=alice.organisation)


def test_a_line_and_the_name_of_a_new_one_contradict_each_other(alice: User, draft: Submission) -> None:
    with pytest.raises(InvalidName):
        start(alice, "small", line=draft.line.pk, name="Linz")


def test_a_person_of_several_organisations_has_to_say_for_which_one(
    alice: User, charlie: User, small: Questionnaire
) -> None:
    acme, other = alice.organisation, charlie.organisation
    alice.join(other)

    with pytest.raises(OrganisationNeeded):
        start(alice, "small")
    with pytest.raises(OrganisationNeeded):
        start(alice, "small", name="Linz")
    assert not Submission.objects.exists()
    assert not Line.objects.exists()

    started = start(alice, "small", organisation=other)
    assert started.organisation == started.line.organisation == other
    assert start(alice, "small", organisation=acme).organisation == acme
    assert start(alice, "small", line=started.line.pk) == started


def test_nothing_is_started_in_an_organisation_of_others(alice: User, charlie: User, small: Questionnaire) -> None:
    with pytest.raises(Organisation.DoesNotExist):
        start(alice, "small", organisation=charlie.organisation)


def test_nothing_is_started_by_a_person_without_an_organisation(alice: User, small: Questionnaire) -> None:
    alice.memberships.all().delete()

    with pytest.raises(Organisation.DoesNotExist):
        start(alice, "small")


def test_lines_of_two_organisations_may_have_one_name(alice: User, charlie: User, small: Questionnaire) -> None:
    assert start(alice, "small", name="Linz").line != start(charlie, "small", name="Linz").line


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Linz", "Linz"),
        (" Shop\n Linz ", "Shop Linz"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("x" * 120, "x" * 120),
        ("a\x00b\x0b\ud800c\u200b", "ab c"),
    ],
)
def test_a_name_has_one_spelling(given: str, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize("given", ["", "  ", "\u200b\u2060", "\u3164", "\x00", "-", "…", "x" * (MAX_LINE_NAME + 1)])
def test_a_name_that_nobody_can_read_or_that_is_too_long_is_refused(alice: User, draft: Submission, given: str) -> None:
    with pytest.raises(InvalidName):
        start(alice, "small", name=given)
    with pytest.raises(InvalidName):
        rename(draft.line.pk, alice, given)
    assert names(alice.organisation) == [""]


def test_renaming_tells_the_reports_of_drafts_and_leaves_finals_as_they_were(
    alice: User, bob: User, small: Questionnaire
) -> None:
    final = start(alice, "small", name="Linz")
    complete(final, alice)
    submit(final.pk, alice)
    draft = start(alice, "small", name="Linz")
    answer(draft, alice, mfa="N")
    untouched = start(bob, "small", name="Linz")
    deliver()

    rename(final.line.pk, bob, "Linz Hauptplatz")
    deliver()

    assert published(draft)[-1]["answer"]["line_name"] == "Linz Hauptplatz"
    assert published(draft)[-1]["state"] == "changed"
    assert dict(Report.objects.values_list("submission", "line_name")) == {
        final.pk: "Linz",
        draft.pk: "Linz Hauptplatz",
    }
    for each, revision in ((final, 2), (draft, 2), (untouched, 0)):
        each.refresh_from_db()
        assert each.revision == revision
    assert published(untouched) == []


def test_renaming_leaves_what_was_reopened_and_not_changed_as_it_is(alice: User, small: Questionnaire) -> None:
    submission = start(alice, "small")
    complete(submission, alice)
    submit(submission.pk, alice)
    reopen(submission.pk, alice)

    rename(submission.line.pk, alice, "Linz")
    submit(submission.pk, alice)
    deliver()

    submission.refresh_from_db()
    assert (submission.revision, submission.submitted_revision) == (2, 2)
    assert [(report.line_name, report.provisional) for report in Report.objects.all()] == [("", False)]


def test_renaming_to_the_same_name_changes_nothing(alice: User, draft: Submission, save: Save) -> None:
    save(mfa="F")
    rename(draft.line.pk, alice, "Linz")
    rename(draft.line.pk, alice, " Linz")

    draft.refresh_from_db()
    assert draft.revision == 2


def test_a_name_that_another_line_of_the_questionnaire_has_is_refused(alice: User, small: Questionnaire) -> None:
    linz, wels = (start(alice, "small", name=name).line for name in ("Linz", "Wels"))

    with pytest.raises(InvalidName, match=r"There is another one of this name\."):
        rename(linz.pk, alice, wels.name)
    assert names(alice.organisation) == ["Linz", "Wels"]


def test_a_line_of_somebody_else_can_not_be_renamed(charlie: User, draft: Submission) -> None:
    with pytest.raises(Line.DoesNotExist):
        rename(draft.line.pk, charlie, "Mine")
    with pytest.raises(Line.DoesNotExist):
        rename(uuid4(), charlie, "Mine")


def test_a_save_after_renaming_tells_the_new_name(alice: User, draft: Submission, save: Save) -> None:
    save(mfa="F")
    rename(draft.line.pk, alice, "Linz")
    save(mfa="P")

    assert [event["answer"]["line_name"] for event in published(draft)] == ["", "Linz", "Linz"]


def test_submitting_tells_the_line(alice: User, small: Questionnaire) -> None:
    submission = start(alice, "small", name="Linz")
    complete(submission, alice)
    submit(submission.pk, alice)

    event = published(submission)[-1]["answer"]
    assert (event["line"], event["line_name"]) == (str(submission.line.pk), "Linz")


@pytest.mark.django_db(transaction=True)
def test_saving_while_the_line_is_renamed_ends_with_the_new_name(alice: User, draft: Submission, save: Save) -> None:
    save(mfa="F")

    raised = at_once(lambda: rename(draft.line.pk, alice, "Linz"), lambda: answer(draft, alice, mfa="P"))
    deliver()

    assert raised == []
    report = Report.objects.get()
    assert (report.line_name, report.values["mfa"]["value"], report.revision) == ("Linz", "P", 3)


def test_deleting_the_only_draft_of_a_line_takes_the_line_with_it(alice: User, small: Questionnaire) -> None:
    first, other = start(alice, "small"), start(alice, "small", name="Linz")
    answer(first, alice, mfa="F")
    second = start(alice, "small", line=first.line.pk)

    delete_draft(other.pk, alice)
    delete_draft(second.pk, alice)

    assert names(alice.organisation) == [""]
    delete_draft(first.pk, alice)
    assert names(alice.organisation) == []
    assert start(alice, "small").line.pk == first_line(alice.organisation.pk, "small")


def test_a_deleted_draft_leaves_no_name_in_its_event(alice: User, small: Questionnaire) -> None:
    draft = start(alice, "small", name="Secret shop")
    answer(draft, alice, mfa="F")
    delete_draft(draft.pk, alice)

    assert published(draft)[-1]["answer"]["line_name"] == ""


def test_each_line_is_compared_with_its_own_past(alice: User, small: Questionnaire) -> None:
    """Another shop that is worse is not the first one getting worse."""
    for name, mfa in (("Linz", "F"), ("Wels", "N"), ("Linz", "P")):
        submission = start(alice, "small", name=name)
        complete(submission, alice, mfa)
        submit(submission.pk, alice)
        deliver()

    linz, wels, linz_again = Report.objects.order_by("position")
    assert [report.label for report in (linz, wels, linz_again)] == [
        "Small check: Linz",
        "Small check: Wels",
        "Small check: Linz",
    ]
    assert wels.evaluation is not None
    assert linz_again.evaluation is not None
    assert wels.evaluation["comparison"] is None
    assert wels.previous_final() is None
    assert linz_again.previous_final() == linz
    assert [each["change"] for each in linz_again.evaluation["comparison"]["items"]] == ["regressed"]
