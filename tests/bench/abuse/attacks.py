"""The attacks: each is what one fault of the list allowed, and goes on until it is ended.

Each begins with more than the limits let through, and goes on with as much as they let through.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any

from tests.bench.abuse.peers import ATTACKERS, Peer, Place
from tests.bench.load import QUESTIONS, Account

Attack = Callable[[Place], Coroutine[Any, Any, None]]
PAUSE = 0.05
"""Seconds for which an attacker that was refused waits before it tries again."""


async def variables(place: Place) -> None:
    """S1: eight connections on which one person asks for as many values of variables as there may be, and more."""
    text = " ".join(f"a{number}: reports(first: 1, rating: $of) {{ position }}" for number in range(100))
    query = f"query ($of: [Rating!]) {{ {text} }}"
    bodies = [
        json.dumps({"query": query, "variables": {"of": ["A"] * length}}, separators=(",", ":")).encode()
        for length in (12_000, 190)
    ]

    async def ask(peer: Peer) -> None:
        for number in count():
            await _pause(await peer.ask(place.attacker, "POST", "/graphql", bodies[number % 2], "application/json"))

    await _all(ask, place, 8)


async def saves(place: Place) -> None:
    """S2: one client that saves as fast as it can, with notes as long as they may be."""
    versions = dict.fromkeys(QUESTIONS, 0)
    path = f"/submissions/{place.attacker.submission}/answers/"

    async def save(peer: Peer) -> None:
        for number in count():
            question = QUESTIONS[number % len(QUESTIONS)]
            note = f"{number} " + "n" * 3_900
            change = {"question": question, "value": "NPLF"[number % 4], "note": note, "version": versions[question]}
            body = json.dumps({"changes": [change]}).encode()
            status = await peer.ask(place.attacker, "POST", path, body, "application/json")
            versions[question] += status == 200
            await _pause(status)

    await _all(save, place, 1)


async def recoveries(place: Place) -> None:
    """S3: ten who ask for a code for an address that is known, while the mail server says nothing."""
    body = json.dumps({"email": "victim@example.test"}).encode()

    async def recover(peer: Peer) -> None:
        while True:
            await _pause(
                await peer.ask(None, "POST", "/_allauth/app/v1/auth/password/request", body, "application/json")
            )

    await _all(recover, place, 10)


async def silent_sockets(place: Place) -> None:
    """S9: a thousand sockets that never say whose they are."""

    async def open_and_wait(peer: Peer) -> None:
        while True:
            try:
                await peer.open()
                assert peer.writer is not None
                peer.writer.write(f"{_handshake(peer, None, '/graphql')}\r\n\r\n".encode())
                await peer.wait_for_the_end()
            except OSError:
                peer.close()
            await asyncio.sleep(PAUSE)

    await _all(open_and_wait, place, 1_000)


async def tabs(place: Place) -> None:
    """S12: two hundred tabs of one organisation, in which 20 answers a second are saved."""

    async def keep_open(peer: Peer, account: Account) -> None:
        while True:
            try:
                await peer.open()
                assert peer.writer is not None
                peer.writer.write(f"{_handshake(peer, account, '/ws/reports/')}\r\n\r\n".encode())
                await peer.wait_for_the_end()
            except OSError:
                peer.close()
            await asyncio.sleep(1)

    async def save(peer: Peer, account: Account) -> None:
        for number in count():
            question = QUESTIONS[number % len(QUESTIONS)]
            change = {"question": question, "value": "NPLF"[number % 4], "version": number // len(QUESTIONS)}
            body = json.dumps({"changes": [change]}).encode()
            path = f"/submissions/{account.submission}/answers/"
            await peer.ask(account, "POST", path, body, "application/json")
            await asyncio.sleep(len(place.crowd) / 20)

    async with asyncio.TaskGroup() as tasks:
        for number in range(200):
            account = place.crowd[number % len(place.crowd)]
            tasks.create_task(keep_open(Peer(place, ATTACKERS[0]), account))
        for account in place.crowd:
            tasks.create_task(save(Peer(place, ATTACKERS[1]), account))


async def unfinished(place: Place) -> None:
    """S15: three hundred who send half a head or half a body."""
    numbers = count()

    async def begin(peer: Peer) -> None:
        is_head = next(numbers) % 2
        while True:
            try:
                await peer.open()
                assert peer.writer is not None
                kind = "Content-Type: application/x-www-form-urlencoded"
                head = peer.head(None, "POST", "/accounts/login/", kind, "Content-Length: 500000")
                whole = head.encode() + b"\r\nCookie: " if is_head else f"{head}\r\n\r\n".encode() + b"x" * 400_000
                peer.writer.write(whole)
                await peer.wait_for_the_end()
            except OSError:
                peer.close()
            await asyncio.sleep(PAUSE)

    await _all(begin, place, 300)


ATTACKS: dict[str, Attack] = {
    "S1 values of variables": variables,
    "S2 saves by one client": saves,
    "S3 recoveries, silent mail server": recoveries,
    "S9 silent sockets": silent_sockets,
    "S12 200 tabs, 20 saves a second": tabs,
    "S15 unfinished requests": unfinished,
}


def carry_out(place: Place, name: str) -> None:
    """Attack until the process is ended."""
    asyncio.run(ATTACKS[name](place))


def _handshake(peer: Peer, account: Account | None, path: str) -> str:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}")
    more = () if account else ("Sec-WebSocket-Protocol: graphql-transport-ws",)
    return peer.head(account, "GET", path, *upgrade, *more)


async def _all(one: Callable[[Peer], Awaitable[None]], place: Place, connections: int) -> None:
    """So many connections, from all addresses of the attackers in turns."""
    peers = [Peer(place, ATTACKERS[number % len(ATTACKERS)]) for number in range(connections)]
    await asyncio.gather(*map(one, peers))


async def _pause(status: int) -> None:
    if status != 200:
        await asyncio.sleep(PAUSE)
