"""From 0.1.0 to this version: a database of it, on SQLite and on PostgreSQL, with everything that was in it.

`tests/data/story_of_0_1_0.py` tells what that is and how the file was made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.embedded import Server
from tests.services import Service

ROOT = Path(__file__).resolve().parent.parent
BEFORE = ROOT / "tests" / "data" / "version_0_1_0.plumbline"
PRODUCTION = {"BASE_URL": "https://localhost", "SIGNUP": "closed", "TRUSTED_PROXIES": "0"}
pytestmark = pytest.mark.process

# Makes the tables as 0.1.0 had them, by the very migrations, and puts in what was backed up.
AS_BEFORE = """
import json, sys, zipfile
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from operations.archive.tables import read_back

with zipfile.ZipFile(sys.argv[1]) as archive:
    manifest = json.loads(archive.read("manifest.json"))
    tables = {name: archive.read(f"tables/{name}.jsonl").decode().splitlines() for name in manifest["tables"]}
had = [(app, max(names)) for app, names in manifest["migrations"].items()]
executor = MigrationExecutor(connection)
executor.migrate(had)
apps = executor.loader.project_state(had).apps
models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
with transaction.atomic():
    for model in models:
        columns = manifest["tables"].get(model._meta.db_table, {}).get("columns", [])
        fields = {field.column: field for field in model._meta.concrete_fields}
        model._base_manager.bulk_create(
            model(**{fields[c].attname: read_back(fields[c], v) for c, v in zip(columns, json.loads(row), strict=True)})
            for row in tables.get(model._meta.db_table, [])
        )
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
"""

# A worker that was heard this many seconds ago, by the database's clock; written as one of 0.1.0 writes its row.
HEARD = """
import sys
from datetime import timedelta
from django.db import connection
from django.db.models.functions import Now
from operations.models import WorkerProcess

with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO operations_workerprocess (name, sweeps, counters, deliveries, beaten_at)"
        " VALUES ('old-worker:7:aa', true, '{}', '[]', CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING"
    )
silent = timedelta(seconds=float(sys.argv[1]))
WorkerProcess.objects.filter(name="old-worker:7:aa").update(beaten_at=Now() - silent)
"""

READ = """
import json
from django.conf import settings
from django.db.models.functions import Now
from django.test import Client
from accounts.models import User
from answers.models import Answer, Line, Submission
from contracts.lines import first_line
from eventbus.deliveries import drain_all
from eventbus.models import Delivery
from reports.models import Report

people = {user.name: user for user in User.objects.all()}
final, draft, waiting = (Submission.objects.get(created_by=people[name]) for name in ("Alice", "Bob", "Charlie"))
Delivery.objects.filter(status="ready").update(due_at=Now())  # whatever this machine's clock says
drain_all()

def look(name, address):
    client = Client(SERVER_NAME="localhost")
    client.force_login(people[name])
    response = client.get(address, secure=True)
    return response.status_code, response.content.decode()

def pages(name, submission):
    address = f"/submissions/{submission.pk}/"
    sections = [] if submission.is_submitted else [f"sections/{s.id}/" for s in submission.questionnaire.sections]
    report = Report.objects.filter(submission=submission.pk).first()
    own = [address + each for each in ("", "review/", "answers/", *sections)]
    return [look(name, each)[0] for each in (*own, "/reports/", f"/reports/{report.pk}/", "/questionnaires/")]

def parts(question):
    a = draft.answers.get(question=question)
    return [a.value, a.note, a.version, a.value_version, a.note_version, str(a.value_by), str(a.note_by)]

def is_of_the_answer(a):
    return (a.value_by_id, a.value_at, a.note_by_id, a.note_at) == (a.updated_by_id, a.updated_at) * 2

def first_of(of):
    return first_line(of.organisation_id, of.questionnaire_slug)

seen = [*pages("Alice", final), *pages("Bob", draft), *pages("Charlie", waiting)]
print(json.dumps({
    "statuses": sorted(set(seen)),
    "note is shown": "Grüße from Bob" in look("Alice", f"/submissions/{draft.pk}/review/")[1],
    "a stranger": look("Charlie", f"/submissions/{draft.pk}/")[0],
    "parts": [parts(question) for question in ("QC-01", "QC-06", "QC-07")],
    "all parts are those of the answer": all(is_of_the_answer(a) for a in Answer.objects.all()),
    "lines": sorted([line.organisation.name, line.name, line.submissions.count()] for line in Line.objects.all()),
    "lines are the first": all(line.pk == first_of(line) for line in Line.objects.all()),
    "reports": [
        [report.provisional, report.revision, report.line == first_of(report), report.line_name]
        for report in Report.objects.order_by("organisation__name", "position")
    ],
    "undelivered": Delivery.objects.undelivered().count(),
    "dead": Delivery.objects.filter(status="dead").count(),
}))
"""

GO_ON = """
import json
from accounts.models import Organisation, User
from answers.models import Submission
from answers.saving import Change, save_answers
from answers.submissions import OrganisationNeeded, start, submit
from eventbus.deliveries import drain_all
from eventbus.models import Delivery
from questionnaires.answers import needed_to_submit
from reports.models import Report

people = {user.name: user for user in User.objects.all()}
final, draft = (Submission.objects.get(created_by=people[name]) for name in ("Alice", "Bob"))
before = Report.objects.get(submission=final.pk)

conflicts = save_answers(draft.pk, people["Alice"], [
    Change(question="QC-06", value="F", base_value_version=1),
    Change(question="QC-07", note="Newer", base_note_version=99),
]).conflicts
while missing := needed_to_submit(draft.questionnaire, Submission.objects.get(pk=draft.pk).values):
    save_answers(draft.pk, people["Bob"], [
        Change(
            question=q.id,
            value=q.choices[0].id if q.choices else {"yes_no": "yes", "nplf": "F"}[q.kind],
            base_value_version=dict(draft.answers.values_list("question", "value_version")).get(q.id, 0),
        )
        for q in missing
    ])
submit(draft.pk, people["Bob"])
drain_all()
after = Report.objects.get(submission=draft.pk)
try:
    start(people["Alice"], "quick-check")
except OrganisationNeeded:
    needed = True
again = start(people["Alice"], "quick-check", organisation=Organisation.objects.get(name="Acme"))
print(json.dumps({
    "conflicts": [[conflict.change.question, *conflict.parts] for conflict in conflicts],
    "note": draft.answers.get(question="QC-06").note,
    "final": not after.provisional,
    "compared with the old one": after.previous_final() == before,
    "got better": after.evaluation["comparison"]["delta"] > 0,
    "the old one stays": [before.revision, before.rating, before.line == after.line],
    "organisation is needed": needed,
    "goes on in the line": again.line_id == before.line,
    "dead": Delivery.objects.filter(status="dead").count(),
}))
"""


class Installation:
    """Plumbline on one database, by its commands."""

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir()
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        self.environment = {**inherited, "DATA_DIR": str(folder), "SECRET_KEY": "for-tests-only-" * 5, **environment}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
        )

    def manage(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def script(self, text: str, *arguments: str) -> str:
        argv = f"import sys; sys.argv[1:] = {list(arguments)!r}\n"
        return self.manage("shell", "--no-imports", "-c", argv + text)

    def told(self, text: str) -> Any:
        return json.loads(self.script(text).splitlines()[-1])


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    """An installation whose database has no tables yet."""
    if request.param == "sqlite":
        installation = Installation(tmp_path / "small")
    else:
        postgres: Service = request.getfixturevalue("postgres")
        redis: Service = request.getfixturevalue("redis_server")
        name = f"upgrade_{time.monotonic_ns()}"
        with psycopg.connect(postgres.url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        url = f"{postgres.url.rpartition('/')[0]}/{name}"
        installation = Installation(tmp_path / "large", DATABASE_URL=url, REDIS_URL=redis.url, **PRODUCTION)
    return installation


@pytest.fixture
def before(empty: Installation) -> Installation:
    """An installation whose database is as 0.1.0 left it."""
    empty.script(AS_BEFORE, str(BEFORE))
    return empty


WHAT_WAS_THERE = {
    "statuses": [200],
    "note is shown": True,
    "a stranger": 404,
    "parts": [
        ["L", "Since June", 2, 2, 2, "Alice", "Alice"],
        ["N", "Grüße from Bob", 1, 1, 1, "Bob", "Bob"],
        [None, "Only noted", 1, 1, 1, "Bob", "Bob"],
    ],
    "all parts are those of the answer": True,
    "lines": [["Acme", "", 2], ["Globex", "", 1]],
    "lines are the first": True,
    "reports": [[False, 2, True, ""], [True, 3, True, ""], [True, 1, True, ""]],
    "undelivered": 0,
    "dead": 0,
}


def test_what_was_there_is_read_and_goes_on(before: Installation) -> None:
    before.manage("migrate", "--no-input", "-v0")
    before.manage("load_questionnaires")

    assert before.told(READ) == WHAT_WAS_THERE
    assert before.told(GO_ON) == {
        "conflicts": [["QC-07", "note"]],
        "note": "Grüße from Bob",
        "final": True,
        "compared with the old one": True,
        "got better": True,
        "the old one stays": [2, "D", True],
        "organisation is needed": True,
        "goes on in the line": True,
        "dead": 0,
    }


def test_a_backup_of_it_is_restored_and_brought_forward(empty: Installation) -> None:
    refused = empty.run("restore", str(BEFORE))
    assert "made by an older Plumbline (0.1.0; this is " in refused.stderr

    told = empty.manage("restore", "--upgrade", str(BEFORE))

    assert told.splitlines()[0] == "Making the tables of version 0.1.0 ..."
    assert told.splitlines()[-1] == "Restored 182 rows. Sign in again."
    empty.manage("migrate", "--check")
    empty.manage("load_questionnaires")
    assert empty.told(READ) == WHAT_WAS_THERE


def test_it_is_not_made_while_a_worker_of_the_version_before_runs(before: Installation) -> None:
    before.script(HEARD, "3")

    refused = before.run("migrate", "--no-input")

    assert refused.returncode == 1
    assert "Workers of the version before are running: old-worker:7:aa." in refused.stderr
    assert "Stop all workers and web servers, wait 30 seconds, and run this again." in refused.stderr
    assert "answers.0003_lines" in before.manage("migrate", "--plan")
    assert "Workers of the version" not in before.run("migrate", "--check").stderr
    assert "[ ] 0003_lines" in before.manage("showmigrations", "answers")

    before.script(HEARD, "31")
    before.manage("migrate", "--no-input", "-v0")
    before.script(HEARD, "0")
    before.manage("migrate", "--no-input", "-v0")  # nothing is left to be done, so nobody is in the way


def test_it_is_made_at_once_by_an_operator_who_knows_that_the_workers_are_stopped(before: Installation) -> None:
    before.script(HEARD, "3")

    before.manage("migrate", "--no-input", "-v0", "--workers-are-stopped")

    assert "[X] 0003_lines" in before.manage("showmigrations", "answers")


def test_the_embedded_mode_upgrades_right_after_the_version_before_was_stopped(tmp_path: Path) -> None:
    """The folder is its own alone, so the worker that was heard a moment ago has ended."""
    folder = tmp_path / "small"
    installation = Installation(folder)
    installation.script(AS_BEFORE, str(BEFORE))
    installation.script(HEARD, "1")
    server = Server(folder)
    try:
        server.start()
        assert server.get("/health/ready")[0] == 200
    finally:
        server.end()
    assert "[X] 0003_lines" in installation.manage("showmigrations", "answers")
