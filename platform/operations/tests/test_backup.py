"""Backup, verify, restore: everything comes back as it was, or nothing changes."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from accounts.encryption import decrypt
from accounts.models import Organisation, User
from accounts.setup import create_setup_link
from answers.models import Answer, Submission
from answers.saving import Change, save_answers
from answers.submissions import start, submit
from contracts import AnswerEvent
from eventbus.deliveries import drain_all
from eventbus.models import Delivery, Event, Moment
from mailing.posting import post
from operations import VERSION
from operations.archive.tables import LEFT_OUT, PAGE, Row, rows, tables
from operations.models import WorkerProcess
from questionnaires.definition import Questionnaire
from reports.models import Feed, Problem, Report
from reports.readings import note, note_event

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

SECRET = "we have no backups, and Grüße"
FACTOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OPEN_QUESTIONS: dict[str, Any] = {f"QC-{number:02}": "P" for number in range(1, 15)}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "monday.plumbline"


@pytest.fixture
def full(quick_check: Questionnaire, alice: User, charlie: User, admin_user: User) -> None:
    """Something in every table."""
    group = Group.objects.create(name="Reviewers")
    group.permissions.add(Permission.objects.get(codename="view_report"))
    admin_user.groups.add(group)
    admin_user.user_permissions.add(Permission.objects.get(codename="view_event"))
    admin_user.reviewed.add(alice.organisation)
    LogEntry.objects.create(
        user=admin_user, content_type=ContentType.objects.get_for_model(User), action_flag=ADDITION, object_repr="Bob"
    )
    from accounts.models import SetupLink

    SetupLink.objects.create(digest="0" * 64, used_at=timezone.now())
    RecoveryCodes.activate(alice)
    TOTP.activate(alice, FACTOR)
    draft = start(alice, "quick-check")
    save_answers(draft.pk, alice, [Change(question="QC-06", value="N", base_version=0, note=SECRET)])
    drain_all()
    whole = start(charlie, "quick-check")
    changes = [
        Change(question=question.id, value=_first_answer(question), base_version=0, note="")
        for section in quick_check.sections
        for question in section.questions
    ]
    save_answers(whole.pk, charlie, changes)
    submit(whole.pk, charlie)
    drain_all()
    note(admin_user, Report.objects.latest("position"))
    note_event(Event, event=Event.objects.latest("pk"), person=admin_user)
    Moment.objects.create(event=Event.objects.latest("pk"), what="reports.pushed", at=Now())
    Problem.objects.create(
        submission=draft.pk,
        organisation=draft.organisation,
        questionnaire_slug="quick-check",
        revision=9,
        provisional=True,
        reason=Problem.Reason.NOT_STORED,
        position=9,
        at=timezone.now(),
    )
    start(admin_user, "quick-check", name="Linz")


def _first_answer(question: Any) -> Any:
    kind = question.kind
    if kind == "yes_no":
        return "yes"
    if kind == "single_choice":
        return question.choices[0].id
    return "text" if kind == "text" else "F"


def contents() -> dict[str, list[Row]]:
    return {model._meta.db_table: list(rows(model)) for model in tables()}


def run(command: str, *arguments: object, **options: Any) -> str:
    shown = io.StringIO()
    call_command(command, *map(str, arguments), stdout=shown, verbosity=0, **options)
    return shown.getvalue()


def rewrite(archive: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change an entry of an archive behind its back."""
    with zipfile.ZipFile(archive) as before:
        entries = {entry: before.read(entry) for entry in before.namelist()}
    entries[name] = change(entries[name])
    with zipfile.ZipFile(archive, "w") as after:
        for entry, content in entries.items():
            after.writestr(entry, content)


def empty_the_database() -> None:
    with connection.cursor() as cursor, transaction.atomic():
        for model in (*tables(), *LEFT_OUT):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608  (our own names)


def test_everything_comes_back_as_it_was(full: None, archive: Path) -> None:
    before = contents()
    run("backup", archive)
    empty_the_database()
    run("restore", archive)
    assert contents() == before
    unused = {"account_emailconfirmation", "eventbus_replay", "eventbus_subscriptionstate"}
    assert {name for name, found in before.items() if not found} <= unused


def test_what_comes_back_works_on(full: None, archive: Path, alice: User) -> None:
    draft = Submission.objects.get(created_by=alice)
    newest = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    run("backup", archive)
    empty_the_database()
    run("restore", archive)

    save_answers(draft.pk, alice, [Change(question="QC-07", value="F", base_version=0, note="")])
    drain_all()

    assert Event.objects.filter(pk__gt=newest).count() == 3
    assert Report.objects.get(submission=draft.pk).revision == 2
    assert Answer.objects.get(submission=draft, question="QC-06").note == SECRET


def test_second_factors_come_back_encrypted_as_they_are_stored(full: None, archive: Path, alice: User) -> None:
    codes = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()
    run("backup", archive)
    with zipfile.ZipFile(archive) as entries:
        stored = entries.read("tables/mfa_authenticator.jsonl")
    empty_the_database()
    run("restore", archive)

    assert FACTOR.encode() not in stored
    assert decrypt(Authenticator.objects.get(user=alice, type="totp").data["secret"]) == FACTOR
    assert Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes() == codes


def test_more_rows_than_a_page_come_back(archive: Path) -> None:
    Organisation.objects.bulk_create(Organisation(name=f"Acme {number}") for number in range(2 * PAGE + 1))
    before = contents()
    run("backup", archive)
    empty_the_database()
    run("restore", archive)
    assert contents() == before
    assert Organisation.objects.count() == 2 * PAGE + 1


def test_a_backup_holds_nothing_of_the_mails_that_wait(archive: Path) -> None:
    post("zoe@example.org", "Your code, Zoë", "AB12-CD34 is the code", kind="code")

    run("backup", archive)

    with zipfile.ZipFile(archive) as entries:
        everything = b"".join(map(entries.read, entries.namelist()))
        assert "tables/mailing_mail.jsonl" not in entries.namelist()
    assert b"MailEvent" in everything
    assert not any(said in everything for said in (b"zoe@", b"Your code", b"AB12-CD34"))


def test_a_backup_is_for_its_owner_only_and_holds_no_session_and_no_key(
    full: None, archive: Path, settings: Settings
) -> None:
    Session.objects.create(session_key="k" * 32, session_data="signed in", expire_date=timezone.now())
    run("backup", archive)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert list(archive.parent.iterdir()) == [archive]
    with zipfile.ZipFile(archive) as entries:
        everything = b"".join(map(entries.read, entries.namelist()))
        assert "tables/django_session.jsonl" not in entries.namelist()
    assert b"signed in" not in everything
    assert settings.SECRET_KEY.encode() not in everything


def test_the_secret_key_travels_where_it_is_asked_for(archive: Path, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    run("backup", archive, "--with-secret-key")
    run("restore", archive, "--with-secret-key")
    key = tmp_path / "secret_key"
    assert key.read_text().strip() == settings.SECRET_KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_key_that_is_there_is_not_overwritten(archive: Path, settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "secret_key").write_text("another")
    run("backup", archive, "--with-secret-key")
    complaint = io.StringIO()
    run("restore", archive, "--with-secret-key", stderr=complaint)
    assert (tmp_path / "secret_key").read_text() == "another"
    assert "holds another key and stays" in complaint.getvalue()


def test_a_backup_never_overwrites_a_file(archive: Path) -> None:
    archive.write_text("precious")
    with pytest.raises(CommandError, match="never overwrites"):
        run("backup", archive)
    assert archive.read_text() == "precious"


def test_a_database_with_other_tables_is_not_backed_up(archive: Path) -> None:
    MigrationRecorder(connection).record_unapplied("operations", "0002_version")
    with pytest.raises(CommandError, match=r"Run manage\.py migrate first"):
        run("backup", archive)
    assert not archive.exists()
    MigrationRecorder(connection).record_applied("operations", "0002_version")


def test_a_place_that_can_not_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be written"):
        run("backup", tmp_path / "nowhere" / "monday.plumbline")


def test_verify_recomputes_every_evaluation(full: None, archive: Path) -> None:
    run("backup", archive)
    assert "2 evaluations came out the same, byte for byte; 0 were not" in run("verify", archive)


def test_verify_tells_of_a_file_that_others_can_read(full: None, archive: Path) -> None:
    run("backup", archive)
    told = io.StringIO()
    call_command("verify", str(archive), verbosity=0, stdout=io.StringIO(), stderr=told)
    assert told.getvalue() == ""
    archive.chmod(0o644)

    call_command("verify", str(archive), verbosity=0, stdout=io.StringIO(), stderr=told)

    assert f"Forbid that: chmod go= {archive}" in told.getvalue()


def test_verify_finds_a_report_that_was_tampered_with(full: None, archive: Path) -> None:
    report = Report.objects.filter(provisional=True).get()
    evaluation = {**(report.evaluation or {}), "score": 99}
    Report.objects.filter(pk=report.pk).update(evaluation=evaluation)
    run("backup", archive)
    with pytest.raises(CommandError, match=f"do not follow from their answers.*{report.pk}"):
        run("verify", archive)


@pytest.mark.parametrize("command", ["verify", "restore"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:200] + bytes(byte ^ 0xFF for byte in whole[200:260]) + whole[260:],
        lambda whole: b"PK\x05\x06" + bytes(18),
        lambda whole: b"no archive at all",
    ],
    ids=["empty", "cut off", "flipped bits", "an empty archive", "another file"],
)
def test_a_damaged_file_is_refused_and_nothing_changes(
    full: None, archive: Path, command: str, damage: Callable[[bytes], bytes]
) -> None:
    run("backup", archive)
    archive.write_bytes(damage(archive.read_bytes()))
    before = contents()
    options = ["--replace", "--yes"] if command == "restore" else []
    with pytest.raises(CommandError) as refusal:
        run(command, archive, *options)
    assert str(archive) in str(refusal.value)
    assert contents() == before


@pytest.mark.parametrize(
    ("entry", "change", "message"),
    [
        ("tables/answers_answer.jsonl", lambda text: text.replace(b'"N"', b'"F"'), "checksum"),
        ("tables/answers_answer.jsonl", lambda text: text.split(b"\n", 1)[1], "number of rows"),
        ("tables/answers_answer.jsonl", lambda text: b"[1]\n" + text, "no row of it"),
        ("tables/answers_answer.jsonl", lambda text: b"{\n" + text, "not a whole one"),
        ("manifest.json", lambda text: text.replace(b'"rows": ', b'"rows": -'), "not a whole one"),
        ("manifest.json", lambda text: text.replace(b'"format": 1', b'"format": 2'), "format 2"),
    ],
)
def test_a_changed_archive_is_refused_and_nothing_changes(
    full: None, archive: Path, entry: str, change: Callable[[bytes], bytes], message: str
) -> None:
    run("backup", archive)
    rewrite(archive, entry, change)
    before = contents()
    with pytest.raises(CommandError, match=message):
        run("verify", archive)
    with pytest.raises(CommandError, match=message):
        run("restore", archive, "--replace", "--yes")
    assert contents() == before


def test_a_missing_table_is_named(full: None, archive: Path) -> None:
    run("backup", archive)
    with zipfile.ZipFile(archive) as before:
        entries = {name: before.read(name) for name in before.namelist() if "answers_answer" not in name}
    with zipfile.ZipFile(archive, "w") as after:
        for name, content in entries.items():
            after.writestr(name, content)
    with pytest.raises(CommandError, match=r"tables/answers_answer\.jsonl is missing"):
        run("verify", archive)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such file"):
        run("verify", tmp_path / "nothing")


def _with_migrations(
    archive: Path, change: Callable[[dict[str, list[str]]], object], *, product: str = "9.1.0"
) -> None:
    def rewritten(text: bytes) -> bytes:
        manifest = json.loads(text)
        manifest["product"] = product
        change(manifest["migrations"])
        return json.dumps(manifest).encode()

    rewrite(archive, "manifest.json", rewritten)


def test_a_backup_of_a_newer_version_is_refused_with_what_to_do(archive: Path) -> None:
    run("backup", archive)
    _with_migrations(archive, lambda found: found["answers"].append("0099_future"))
    with pytest.raises(CommandError, match=r"newer Plumbline \(9\.1\.0; .*answers\.0099_future.*Install version 9"):
        run("restore", archive)


def test_a_backup_of_an_older_version_is_refused_with_what_to_do(archive: Path) -> None:
    run("backup", archive)
    _with_migrations(archive, lambda found: found.pop("operations"))
    with pytest.raises(CommandError) as refusal:
        run("restore", archive)
    assert f"made by an older Plumbline (9.1.0; this is {VERSION}), before operations.0001_initial" in str(
        refusal.value
    )
    assert "Restore it with --upgrade into a database that has no tables yet" in str(refusal.value)
    assert str(refusal.value).endswith("or with version 9.1.0, and upgrade then")


def test_a_backup_of_another_build_between_two_releases_is_told_from_one_of_this_build(archive: Path) -> None:
    run("backup", archive)
    _with_migrations(archive, lambda found: found["operations"].remove("0002_version"), product=VERSION)
    with pytest.raises(CommandError, match=rf"an older build of the same version \({VERSION}; this is {VERSION}\)"):
        run("restore", archive)


def test_an_upgrade_on_the_way_needs_a_database_without_tables(archive: Path) -> None:
    run("backup", archive)
    _with_migrations(archive, lambda found: found["operations"].remove("0002_version"))
    with pytest.raises(CommandError, match=r"this database has newer ones\. Give it a new one: another DATA_DIR"):
        run("restore", archive, "--upgrade")
    with pytest.raises(CommandError, match="leave --replace out"):
        run("restore", archive, "--upgrade", "--replace", "--yes")


def test_an_upgrade_on_the_way_throws_nothing_away(full: None, archive: Path) -> None:
    """The tables are those of the file, as after an --upgrade that was ended once it had filled them."""
    run("backup", archive)
    with pytest.raises(CommandError, match=r"the database holds .*manage\.py migrate goes on with it"):
        run("restore", archive, "--upgrade")


def test_a_database_that_is_not_empty_is_left_alone(full: None, archive: Path) -> None:
    run("backup", archive)
    before = contents()
    with pytest.raises(CommandError, match=r"the database holds .*3 organisations, 3 people.*--replace") as refusal:
        run("restore", archive)
    assert SECRET not in str(refusal.value)
    assert contents() == before


def test_what_a_first_start_writes_does_not_count(full: None, archive: Path, alice: User) -> None:
    run("backup", archive)
    empty_the_database()
    call_command("load_questionnaires", verbosity=0)
    create_setup_link()
    run("restore", archive)
    assert User.objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize(("typed", "is_replaced"), [("replace everything\n", True), ("yes\n", False), ("", False)])
def test_replacing_wants_to_be_confirmed(
    full: None, archive: Path, monkeypatch: pytest.MonkeyPatch, typed: str, is_replaced: bool
) -> None:
    run("backup", archive)
    Organisation.objects.create(name="Later")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    if is_replaced:
        run("restore", archive, "--replace")
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            run("restore", archive, "--replace")
    assert Organisation.objects.filter(name="Later").exists() is not is_replaced


def test_nothing_is_half_restored(full: None, archive: Path) -> None:
    """The last table has a row that belongs to nobody: all before it is taken back."""
    run("backup", archive)
    Feed.objects.update(last_position=77)
    before = contents()

    def orphan(text: bytes) -> bytes:
        lines = [json.loads(line) for line in text.splitlines()]
        lines[0][0] = "00000000-0000-4000-8000-00000000dead"
        return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)

    import hashlib

    rewrite(archive, "tables/reports_feed.jsonl", orphan)
    with zipfile.ZipFile(archive) as entries:
        digest = hashlib.sha256(entries.read("tables/reports_feed.jsonl")).hexdigest()

    def honest(text: bytes) -> bytes:
        manifest = json.loads(text)
        manifest["tables"]["reports_feed"]["sha256"] = digest
        return json.dumps(manifest).encode()

    rewrite(archive, "manifest.json", honest)
    with pytest.raises(CommandError, match="refused a row"):
        run("restore", archive, "--replace", "--yes")
    assert contents() == before


def test_a_database_at_which_a_process_is_at_work_is_left_alone(archive: Path) -> None:
    run("backup", archive)
    WorkerProcess.objects.create(name="here:1", sweeps=True, beaten_at=Now())
    with pytest.raises(CommandError, match=r"a process of Plumbline \(here:1\) is at work"):
        run("restore", archive)
    WorkerProcess.objects.update(beaten_at=Now() - timedelta(seconds=11))
    run("restore", archive)


def test_a_backup_shows_one_moment_and_lets_others_write(full: None, archive: Path, tmp_path: Path) -> None:
    """Somebody saves between two tables: neither has to wait, and the backup has nothing of it."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    from operations.archive.backup import snapshot

    def write() -> None:
        Organisation.objects.create(name="Later")
        connections.close_all()

    with snapshot():
        before = contents()
        with ThreadPoolExecutor(1) as others:
            others.submit(write).result(timeout=10)
        assert contents() == before
    assert contents() != before


def test_how_far_it_has_come_is_said_on_standard_error(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Organisation.objects.create(name="Acme")
    call_command("backup", str(archive), stdout=io.StringIO())
    shown = capsys.readouterr()
    assert "100%  accounts_organisation  1\n" in shown.err
    assert shown.out == ""


def test_times_stay_exact_to_the_microsecond(archive: Path, alice: User) -> None:
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
    User.objects.filter(pk=alice.pk).update(date_joined=moment)
    run("backup", archive)
    run("restore", archive, "--replace", "--yes")
    assert User.objects.get(pk=alice.pk).date_joined == moment


def test_what_waits_is_delivered_after_the_restore(full: None, archive: Path, alice: User) -> None:
    draft = Submission.objects.get(created_by=alice)
    save_answers(draft.pk, alice, [Change(question="QC-07", value="F", base_version=0, note="")])
    run("backup", archive)
    empty_the_database()
    run("restore", archive)
    assert Delivery.objects.undelivered().count() == 1
    drain_all()
    assert Report.objects.get(submission=draft.pk).revision == 2
    assert Event.objects.filter(type=AnswerEvent.TYPE, key=str(draft.pk)).count() >= 2
