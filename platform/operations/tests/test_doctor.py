"""The doctor: a tick or a cross for everything, each cross with its fix."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from accounts.models import User
from contracts import ReportEvent
from eventbus import publish
from eventbus.models import Delivery, Status
from operations import VERSION, doctor, files, heartbeat
from operations.models import WorkerProcess
from questionnaires.definition import Questionnaire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.SECRET_KEY = "k" * 50


@pytest.fixture
def sound(quick_check: Questionnaire, admin_user: User) -> None:
    """An installation that has been started."""


@pytest.fixture(autouse=True)
def _many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "limits", lambda: (65_536, 65_536))


def run() -> tuple[int, str]:
    shown = io.StringIO()
    try:
        call_command("doctor", stdout=shown, no_color=True)
    except SystemExit as end:
        return int(end.code or 0), shown.getvalue()
    return 0, shown.getvalue()


def test_a_sound_installation_gets_ticks_alone(sound: None) -> None:
    heartbeat.beat(sweeps=True)
    code, shown = run()
    assert code == 0
    assert shown.splitlines()[-1] == "All is well."
    assert {line[0] for line in shown.splitlines()[:-1]} == {"✓"}
    for what in (
        "Python",
        "Settings",
        "Secret key",
        "Database",
        "SQLite",
        "Tables",
        "Worker",
        "Broker",
        "Cache",
        "Mail",
    ):
        assert re.search(f"^✓ {what}", shown, re.MULTILINE), what


def test_an_embedded_installation_that_is_stopped_is_no_illness(sound: None) -> None:
    code, shown = run()
    assert code == 0
    assert "· Worker: Plumbline is not running on this data folder" in shown


def test_in_production_a_missing_worker_is_a_cross(sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_embedded", lambda: False)
    code, shown = run()
    assert code == 1
    assert "✗ Worker: no worker has shown itself for 60 seconds" in shown
    assert "deploy/run worker" in shown


def test_every_cross_has_its_fix(settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    settings.BASE_URL = "nonsense"
    code, shown = run()
    lines = shown.splitlines()
    crosses = [number for number, line in enumerate(lines) if line.startswith("✗")]
    assert code == 1
    assert len(crosses) == 4
    assert all(lines[number + 1].startswith("    Fix: ") for number in crosses)
    assert lines[-1] == "4 to fix."


def test_a_warning_about_the_settings_may_be_a_choice(sound: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    code, shown = run()
    assert code == 0
    assert "· ALLOWED_HOSTS=* lets anybody choose the host in links.\n    Consider: List the names" in shown


@pytest.mark.parametrize("name", ["secret_key", "nightly.plumbline", "mail"])
def test_a_file_that_others_can_read_is_a_cross(sound: None, settings: Settings, tmp_path: Path, name: str) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    (tmp_path / name).write_text("k" * 50)
    (tmp_path / name).chmod(0o640)

    code, shown = run()

    assert code == 1
    assert f"✗ Data folder: others can read 1 of its files: {name}" in shown
    assert f"Fix: chmod go= {tmp_path}/{name}" in shown


def test_a_database_that_others_can_read_is_a_cross(sound: None, tmp_path: Path) -> None:
    file = Path(str(connection.settings_dict["NAME"]))
    assert "others can't read its files" in run()[1]
    file.chmod(0o644)
    try:
        assert f"✗ Data folder: others can read 1 of its files: {file.name}" in run()[1]
    finally:
        file.chmod(0o600)


def test_a_data_folder_that_others_can_change_is_a_cross(sound: None, tmp_path: Path) -> None:
    tmp_path.chmod(0o770)

    assert f"Fix: chmod go-w {tmp_path}" in run()[1]


def test_before_the_first_start_it_says_so_and_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plumbline.sqlite3"
    monkeypatch.setitem(connection.settings_dict, "NAME", path)
    code, shown = run()
    assert code == 1
    assert "✗ Database: there is none yet" in shown
    assert not path.exists()


def test_a_missing_migration_is_a_cross_and_ends_the_questions_about_contents(sound: None) -> None:
    MigrationRecorder(connection).record_unapplied("operations", "0002_version")
    code, shown = run()
    assert code == 1
    assert "✗ Tables: 1 migrations are missing" in shown
    assert "Questionnaires" not in shown


def test_a_second_factor_that_no_key_opens_is_a_cross(sound: None, admin_user: User, settings: Settings) -> None:
    TOTP.activate(admin_user, "JBSWY3DPEHPK3PXP")
    assert "✓ Second factor\n" in run()[1]
    settings.SECRET_KEY = "l" * 50

    code, shown = run()

    assert code == 1
    assert "✗ Second factor: SECRET_KEY was changed; so many can't sign in: 1" in shown
    assert "manage.py second_factor encrypt" in shown


def test_dead_letters_are_a_cross(sound: None) -> None:
    from eventbus.tests.making import evaluated, saved

    event: ReportEvent = evaluated(saved())
    publish(event)
    Delivery.objects.all().finish(Status.DEAD, "no")
    code, shown = run()
    assert code == 1
    assert "✗ Dead letters: 1 deliveries were given up" in shown


def test_a_cache_that_forgets_is_a_cross(sound: None, settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert "✗ Cache: what is written is not read back" in run()[1]
    assert cache.get("x") is None


def test_a_mail_server_that_does_not_answer_is_a_cross_without_its_password(sound: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.EMAIL_HOST_PASSWORD = "hunter2"
    shown = run()[1]
    assert "✗ Mail: the server can't be used (ConnectionRefusedError)" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("limits", "mark", "line"),
    [
        ((1024, 65_536), "·", "Open files: a process begins with 1024, and may take 65536"),
        ((1024, 1024), "✗", "Open files: a process may have 1024, and each open tab takes one"),
    ],
)
def test_few_open_files_are_told(
    sound: None, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], mark: str, line: str
) -> None:
    monkeypatch.setattr(files, "limits", lambda: limits)

    _code, shown = run()

    assert f"{mark} {line}" in shown


def test_older_versions_that_run_beside_this_one_are_named(sound: None) -> None:
    heartbeat.beat(sweeps=True)
    assert f"✓ Version {VERSION}" in run()[1]
    for name, version in (("old:1", ""), ("old:2", "0.2.9"), ("new:1", "99.0.0")):
        WorkerProcess.objects.create(name=name, version=version)

    code, shown = run()

    assert code == 0
    assert "Older versions run beside this one: before 0.3.0, 0.2.9" in shown
