"""The production mode: the Procfile's own processes on a real PostgreSQL and a real Redis."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.faults.nemesis.clocks import LIBRARIES
from tests.production import Browser, Installation, Process
from tests.services import Service
from tests.walking import GOLDEN

pytestmark = pytest.mark.process
ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}


@pytest.fixture
def installation(postgres: Service, redis_server: Service, tmp_path: Path) -> Installation:
    """An installation whose tables and questionnaires are there."""
    installation = Installation(postgres, redis_server, tmp_path)
    installation.run("deploy/run", "release")
    return installation


def reports(installation: Installation) -> list[tuple[bool, str]]:
    """Whether each report is provisional, and its rating."""
    return installation.rows("SELECT provisional, rating FROM reports_report ORDER BY position")


def deliveries(installation: Installation) -> list[tuple[str, str, int]]:
    """Subscriber, status and attempts of each delivery."""
    return installation.rows("SELECT subscriber, status, attempts FROM eventbus_delivery ORDER BY id")


def wait_until_delivered(installation: Installation, process: Process, subscriber: str, *also: str) -> None:
    """Wait until the subscriber has nothing left to do: everything is done, or in one of these states, too."""
    over = {"done", *also}
    process.wait_for(
        lambda: not any(name == subscriber and state not in over for name, state, _n in deliveries(installation))
    )


def test_an_installation_that_is_fully_set_up_has_nothing_to_warn_of(installation: Installation) -> None:
    assert "no issues" in installation.manage("check", "--deploy", "--fail-level", "WARNING")


def test_a_save_reaches_the_browser_and_a_submission_becomes_a_final_report(installation: Installation) -> None:
    browser = Browser(installation)
    with installation.web(), installation.worker(), browser.live() as live:
        assert browser.save(ANSWERS) == 200
        hint = json.loads(live.recv(30))
        assert (hint["submission"], hint["revision"], hint["state"]) == (browser.submission, 1, "new")
        assert reports(installation) == [(True, "D")]
        assert browser.submit() == 302
        assert json.loads(live.recv(30))["revision"] == 2
    assert reports(installation) == [(False, "D")]
    assert {status for _subscriber, status, _attempts in deliveries(installation)} == {"done"}


def test_a_trace_leads_from_the_request_to_the_push(installation: Installation) -> None:
    browser = Browser(installation)
    with installation.web(), installation.worker(), browser.live() as live:
        assert browser.save(ANSWERS) == 200
        live.recv(30)
    ((request_id,),) = installation.rows("SELECT correlation_id FROM eventbus_event WHERE source = 'reports'")
    _request, _head, *rows = installation.manage("bus", "trace", str(request_id)).splitlines()
    assert [re.split("  +", row.strip())[1] for row in rows] == [
        "Request arrived",
        "AnswerEvent /answers",
        "security.evaluate",
        "ReportEvent /security",
        "reports.store",
        "ReportEvent /reports",
        "Pushed to open tabs",
    ]
    ((arrived, published, stored, pushed),) = installation.rows(
        "SELECT (SELECT min(requested_at) FROM eventbus_event), (SELECT min(created_at) FROM eventbus_event),"
        " (SELECT max(finished_at) FROM eventbus_delivery), (SELECT at FROM eventbus_moment)"
    )
    assert arrived < published < stored < pushed


def test_every_line_of_the_log_is_json_and_a_broken_message_is_no_error(installation: Installation) -> None:
    browser = Browser(installation)
    with installation.web() as web, installation.worker() as worker, browser.live() as live:
        live.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            live.recv(30)
        assert browser.save(ANSWERS) == 200
        worker.wait_for(lambda: bool(reports(installation)))
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        web.end()
        assert worker.end() == 0
    assert [line for line in web.output.splitlines() if json.loads(line)["level"] != "INFO"] == []
    said = worker.output[worker.output.index("{") :].splitlines()  # before it: warnings about who runs it
    assert [line for line in said if line and not line.startswith("{")] == ["worker: Warm shutdown (MainProcess)"]
    log = [json.loads(line) for line in said if line.startswith("{")]
    assert {line["level"] for line in log} == {"INFO"}  # LOG_LEVEL, not Celery's own


def test_each_module_scales_by_itself(installation: Installation) -> None:
    browser = Browser(installation)
    with installation.web(), installation.worker("worker-security") as security:
        assert browser.save(ANSWERS) == 200
        wait_until_delivered(installation, security, "security.evaluate")
    assert deliveries(installation) == [("security.evaluate", "done", 1), ("reports.store", "ready", 0)]
    with installation.worker("worker-reports") as reporting:
        wait_until_delivered(installation, reporting, "reports.store")
    assert deliveries(installation) == [("security.evaluate", "done", 1), ("reports.store", "done", 1)]
    assert reports(installation) == [(True, "D")]


@pytest.mark.parametrize("by", ["+1h", "-1h"])
def test_a_web_process_whose_clock_is_an_hour_wrong_serves_all_the_same(installation: Installation, by: str) -> None:
    if not LIBRARIES:
        pytest.skip("libfaketime is missing: apt-get install libfaketime")
    browser = Browser(installation)
    shifted = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    web = Process(installation, "web", **shifted)
    try:
        web.wait_for(installation.answers)
        with installation.worker(), browser.live() as live:
            assert browser.save(ANSWERS) == 200
            assert json.loads(live.recv(30))["state"] == "new"
            assert browser.submit() == 302
            assert json.loads(live.recv(30))["revision"] == 2
    finally:
        web.end()
    assert reports(installation) == [(False, "D")]
    times = "SELECT bool_and(abs(extract(epoch FROM now() - at)) < 1800) FROM"
    times += " (SELECT created_at AS at FROM eventbus_event UNION SELECT requested_at FROM eventbus_event) times"
    assert installation.rows(times) == [(True,)]
    submitted = "SELECT abs(extract(epoch FROM now() - submitted_at)) > 1800 FROM answers_submission"
    assert installation.rows(submitted) == [(True,)]  # the clock was wrong


def test_whoever_submits_while_a_subscriber_is_paused_waits_for_the_report_and_gets_it(
    installation: Installation,
) -> None:
    browser = Browser(installation)
    page = f"/submissions/{browser.submission}/"
    with installation.web(), installation.worker() as worker, browser.live() as live:
        installation.manage("bus", "pause", "security.evaluate")
        assert browser.save(ANSWERS) == 200
        assert browser.submit() == 302
        assert "Your report is being made" in browser.page(page)
        installation.manage("bus", "pause", "reports.store")
        installation.manage("bus", "resume", "security.evaluate")
        wait_until_delivered(installation, worker, "security.evaluate", "skipped")
        assert reports(installation) == []
        assert "Your report is being made" in browser.page(page)
        installation.manage("bus", "resume", "reports.store")
        assert json.loads(live.recv(30))["revision"] == 2
        assert "Your report is being made" not in browser.page(page)
    assert reports(installation) == [(False, "D")]
    assert deliveries(installation) == [
        ("security.evaluate", "skipped", 1),
        ("security.evaluate", "done", 1),
        ("reports.store", "done", 1),
    ]


def test_a_worker_that_is_asked_to_end_finishes_its_claim(installation: Installation) -> None:
    browser = Browser(installation)
    busy = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with installation.web(), installation.worker() as worker, psycopg.connect(installation.database_url) as obstacle:
        obstacle.execute("LOCK TABLE reports_feed IN ACCESS EXCLUSIVE MODE")
        assert browser.save(ANSWERS) == 200
        worker.wait_for(lambda: bool(installation.rows(busy)))
        worker.terminate()
        worker.wait_for(lambda: "Warm shutdown" in worker.output)
        obstacle.commit()
        assert worker.end() == 0
    assert deliveries(installation) == [("security.evaluate", "done", 1), ("reports.store", "done", 1)]
    assert reports(installation) == [(True, "D")]


def test_a_web_process_that_is_asked_to_end_closes_its_sockets_with_1012(installation: Installation) -> None:
    browser = Browser(installation)
    with installation.web() as web, browser.live() as live, browser.live() as another:
        web.terminate()
        for each in (live, another):
            with pytest.raises(ConnectionClosed) as closed:
                each.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        web.end()
    with installation.web(), browser.live() as live:
        live.send("ping")
        assert json.loads(live.recv(30))["type"] == "pong"
