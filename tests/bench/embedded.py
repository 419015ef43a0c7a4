"""The embedded part: a real `manage.py up` with a database of its own, asked over loopback.

python -m tests.bench.embedded [--quick]
"""

from __future__ import annotations

import http.client
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.bench.browser import Listener, Saver, Session
from tests.bench.embedded_floor import Floor
from tests.bench.figures import RUNS, Took, emit, emit_waits, wants_quick
from tests.services import free_port
from tests.unlimited import FOR_CAPACITY

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def server(folder: Path, port: int) -> Iterator[None]:
    """A real `manage.py up`, ended by its id afterwards."""
    environment = {**os.environ, **FOR_CAPACITY, "DATA_DIR": str(folder), "PORT": str(port)}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_up(process, port, folder / "server.log")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for a good `/health`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/health", timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")


def set_up_django(folder: Path) -> None:
    """Use the server's database and key in this process too, for making people and filling tables."""
    os.environ |= {**FOR_CAPACITY, "DATA_DIR": str(folder)}
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    import django

    django.setup()


def make_session(port: int, email: str, organisation: Any = None) -> Session:
    """A person with a session and a started quick check."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.models import User
    from answers.submissions import start

    person = User.objects.create_user(email, organisation=organisation)
    submission = start(person, "quick-check")
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.create()
    return Session(port, str(store.session_key), "b" * 32, str(submission.pk))


def time_flows(saver: Saver, listener: Listener, rounds: int) -> list[Took]:
    """How long each save took to its report's message on the socket."""
    samples = []
    for _ in range(rounds):
        sent = time.perf_counter()
        revision = saver.save()
        answered = time.perf_counter()
        arrived = listener.arrival(saver.session.submission, revision)
        samples.append(Took(arrived - sent, arrived - answered))
    return samples


def bench_answer_to_browser(session: Session, floor: Floor, rounds: int) -> None:
    """HTTP save answered, and sent, -> message on a WebSocket; product and floor take turns, RUNS times."""
    saver, listener = Saver(session), Listener(session)
    time_flows(saver, listener, 30)
    for _ in range(30):
        floor.sample()
    flows, least = [], []
    for _ in range(RUNS):
        flows.append(time_flows(saver, listener, rounds))
        least.append([floor.sample() for _ in range(rounds)])
    emit_waits(flows, least, runs=RUNS, rounds=rounds)


def bench_flows(sessions: list[Session], floor: Floor, seconds: float) -> None:
    """Whole flows a second with one process, several people answering at once."""
    savers, listener = [Saver(session) for session in sessions], Listener(sessions[0])
    rates, least = [], []
    for _ in range(RUNS):
        rates.append(flow_rate(savers, listener, seconds))
        least.append(1 / statistics.median(floor.sample().whole for _ in range(50)))
    rate, bottom = statistics.median(rates), statistics.median(least)
    figures = {"people": len(sessions), "ratio": round(rate / bottom, 2), "runs": RUNS}
    emit("flows_per_second", round(rate, 1), round(bottom, 1), **figures)


def flow_rate(savers: list[Saver], listener: Listener, seconds: float) -> float:
    """Flows a second of one run: each person saves, waits for the report's message, and saves again."""
    done = [0] * len(savers)
    end = time.perf_counter() + seconds

    def person(index: int) -> None:
        while time.perf_counter() < end:
            revision = savers[index].save()
            listener.arrival(savers[index].session.submission, revision)
            done[index] += 1

    threads = [threading.Thread(target=person, args=(index,)) for index in range(len(savers))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - started)


def per_second(call: Callable[[], object], seconds: float = 1.0) -> float:
    """How often a call runs in a second: the median over the runs."""
    rates = []
    for _ in range(RUNS):
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds / RUNS:
            call()
            count += 1
        rates.append(count / (time.perf_counter() - started))
    return statistics.median(rates)


def bench_evaluate() -> None:
    """Evaluations of a full quick check a second; floor: the bare weighted mean of its items in exact fractions."""
    from questionnaires.library import current
    from security.scoring import evaluate

    questionnaire = current("quick-check")
    answers = {f"QC-{number:02}": "NPLF"[number % 4] for number in range(1, 15)} | {"exposed": "yes", "provider": "yes"}
    items = [(Fraction(3), Fraction(number % 4, 3)) for number in range(14)]

    def weighted_mean() -> Fraction:
        return 100 * sum((w * v for w, v in items), Fraction()) / sum(w for w, _ in items)

    rate = per_second(lambda: evaluate(questionnaire, answers).to_document())
    least = per_second(weighted_mean)
    emit("evaluate_per_second", round(rate), round(least), ratio=round(rate / least, 3))


def page_time(session: Session, path: str, rounds: int = 40) -> float:
    """Median milliseconds of a page over a kept-alive connection."""
    connection = http.client.HTTPConnection("localhost", session.port)
    samples = []
    for _ in range(rounds):
        started = time.perf_counter()
        connection.request("GET", path, headers={**session.headers(), "Accept": "text/html"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
        samples.append(time.perf_counter() - started)
    return round(statistics.median(samples) * 1000, 2)


def fill_reports(session: Session, total: int) -> None:
    """Give the person's organisation `total` reports, as copies of the one that is there."""
    from uuid import uuid4

    from answers.models import Submission
    from reports.models import Report

    organisation = Submission.objects.get(pk=session.submission).organisation
    reports = Report.objects.filter(organisation=organisation)
    template = reports.earliest("position")
    last = reports.latest("position").position
    missing = total - reports.count()
    copies = []
    for number in range(1, missing + 1):
        fields = {f.attname: getattr(template, f.attname) for f in Report._meta.concrete_fields}
        fields |= {"id": uuid4(), "submission": uuid4(), "event_id": uuid4(), "position": last + number}
        copies.append(Report(**fields))
    Report.objects.bulk_create(copies)


def bench_pages(session: Session) -> None:
    """The task list and the report list at 10 and at 1,000 reports; floor: `/health` in the same run."""
    for total in (10, 1000):
        fill_reports(session, total)
        least = page_time(session, "/health")
        for name, path in (("task_list_ms", f"/submissions/{session.submission}/"), ("report_list_ms", "/reports/")):
            value = page_time(session, path)
            emit(name, value, least, reports=total, ratio=round(value / least, 2))


def main() -> None:
    """Run all of it; `--quick` with a tenth of the rounds."""
    rounds = 30 if wants_quick() else 300
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as name:
        folder, port = Path(name), free_port()
        with server(folder, port):
            set_up_django(folder)
            first = make_session(port, "first@example.test")
            from accounts.models import User

            organisation = User.objects.get(email="first@example.test").organisation
            people = [make_session(port, f"person{n}@example.test", organisation) for n in range(8)]
            floor = Floor(folder)
            bench_answer_to_browser(first, floor, rounds)
            bench_flows(people, floor, rounds / 100)
            bench_evaluate()
            bench_pages(first)


if __name__ == "__main__":
    main()
