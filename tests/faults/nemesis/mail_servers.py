"""The mail server says nothing or refuses, and a worker dies between sending a mail and noting it."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from contextlib import closing, suppress
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import uuid4

import psutil

from tests.faults.site import Embedded, Production, Site, wait_until
from tests.faults.stage import Stage
from tests.mail_server import Behaviour

STRANGERS = 10
ARRIVE_SECONDS = 60.0


def say_nothing(stage: Stage[Production] | Stage[Embedded]) -> None:
    """The mail server takes connections and says nothing, while ten strangers recover a password. Every recovery is
    answered, saves and reports go on, and all mails arrive once it speaks again."""
    stage.site.mail.behaviour = Behaviour.SILENT
    stage.site.mail.visited.clear()
    strangers = _recover(stage)
    stage.expect(stage.site.mail.visited.wait(30), "no worker has called the mail server")
    for _ in range(2 if stage.short else 8):
        before = len(stage.ledger)
        stage.wait(3)
        stage.expect(len(stage.ledger) > before, "no save was acknowledged for three seconds")
    beside = stage.mark()
    stage.recoveries.wait(30)
    stage.expect(beside.seconds is not None, "no report was made while the mail server said nothing")
    stage.site.mail.behaviour = Behaviour.TAKES
    stage.mark()
    _arrive(stage, strangers, exactly_once=True)


def refuse(stage: Stage[Production]) -> None:
    """The mail server refuses ten recipients for now, then ten others for good. The first ten mails arrive once it
    takes them, the others are given up without dead letters."""
    stage.site.mail.behaviour = Behaviour.BUSY
    strangers = _recover(stage)
    busy = wait_until(lambda: _count(stage.site, "state = 'waiting' AND tries > 0") >= STRANGERS, 30)
    stage.expect(busy, "not every mail was tried")
    stage.site.mail.behaviour = Behaviour.TAKES
    _arrive(stage, strangers, exactly_once=True)
    stage.site.mail.behaviour = Behaviour.REFUSES
    before = _count(stage.site, "state = 'dead'")
    _recover(stage)
    given_up = wait_until(lambda: _count(stage.site, "state = 'dead'") == before + STRANGERS, 30)
    stage.expect(given_up, "not every refused mail was given up")
    stage.site.mail.behaviour = Behaviour.TAKES
    stage.mark()
    _nothing_is_left(stage)


def kill_while_sending(stage: Stage[Production]) -> None:
    """kill -9 of every process of the workers' pools after the mail server has taken mails and before anybody has noted
    it. These come once more a minute later, under the same Message-ID; the others come once."""
    stage.site.mail.received.clear()
    stage.site.mail.behaviour = Behaviour.HANGS
    strangers = _recover(stage)
    stage.expect(stage.site.mail.received.wait(30), "no mail was handed in")
    for process in stage.site.children(*stage.site.workers):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    stage.site.mail.behaviour = Behaviour.TAKES
    stage.mark()
    if stage.short:  # without waiting for a minute
        wait_until(lambda: bool(stage.site.rows(_LET_LEASES_RUN_OUT)), 30)
    _arrive(stage, strangers, exactly_once=False)


_LET_LEASES_RUN_OUT = """
    UPDATE eventbus_delivery SET leased_until = now()
    WHERE subscriber = 'mailing.send' AND status = 'leased' RETURNING 1
"""


def _recover(stage: Stage[Production] | Stage[Embedded]) -> list[str]:
    """Ten people without an account ask for a new password; gives their addresses."""
    run, slowest = uuid4().hex[:8], 0.0
    addresses = [f"stranger-{number}-{run}@example.org" for number in range(STRANGERS)]
    for number, address in enumerate(addresses):
        started = time.monotonic()
        status = _ask(stage.site, address, f"198.51.100.{number + 1}")
        slowest = max(slowest, time.monotonic() - started)
        stage.expect(status == HTTPStatus.FOUND, f"a recovery was answered with {status}")
    stage.figures["slowest recovery of a password (s)"] = round(slowest, 2)
    return addresses


def _ask(site: Site, address: str, network: str) -> int:
    token = uuid4().hex
    headers = {
        **site.headers,
        "X-Forwarded-For": network,
        "Origin": site.origin,
        "Cookie": f"csrftoken={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode({"email": address, "csrfmiddlewaretoken": token})
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
        connection.request("POST", "/accounts/password/reset/", body, headers)
        return connection.getresponse().status


def _arrive(stage: Stage[Production] | Stage[Embedded], addresses: list[str], *, exactly_once: bool) -> None:
    """Wait until each of them has a mail, and nothing is left to send."""
    seconds = ARRIVE_SECONDS if exactly_once else 2 * ARRIVE_SECONDS
    started = time.monotonic()
    all_there = wait_until(lambda: _received(stage.site).keys() >= {*addresses}, seconds)
    stage.figures["seconds until all mails were there"] = round(time.monotonic() - started, 1)
    stage.expect(all_there, f"mails are missing: {sorted({*addresses} - _received(stage.site).keys())}")
    _nothing_is_left(stage)
    counts = {address: _received(stage.site)[address] for address in addresses}
    twice = sum(count > 1 for count in counts.values())
    stage.figures["mails that came more than once"] = twice
    stage.expect(not (exactly_once and twice), f"{twice} mails came more than once")
    ids = {(mail["To"], mail["Message-ID"]) for mail in stage.site.mail.mails}
    stage.expect(max(Counter(to for to, _id in ids).values()) == 1, "a mail came under two Message-IDs")


def _nothing_is_left(stage: Stage[Production] | Stage[Embedded]) -> None:
    empty = wait_until(lambda: _count(stage.site, "state = 'waiting' OR text <> '' OR recipient <> ''") == 0, 90)
    stage.expect(empty, "mails wait that nobody sends, or have kept their texts")
    dead = stage.site.rows(
        "SELECT count(*) FROM eventbus_delivery WHERE subscriber = 'mailing.send' AND status = 'dead'"
    )
    stage.expect(dead[0][0] == 0, f"{dead[0][0]} mails are dead letters")


def _received(site: Site) -> Counter[str]:
    return Counter(mail["To"] for mail in site.mail.mails)


def _count(site: Site, condition: str) -> int:
    return int(site.rows(f"SELECT count(*) FROM mailing_mail WHERE {condition}")[0][0])
