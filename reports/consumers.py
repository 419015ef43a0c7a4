"""The WebSocket on which open tabs are told that there is something to fetch."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from accounts.standing import of_session
from reports.hub import hub
from reports.live import ERASED, group_of
from reports.merging import Hint, MergedHints, merged
from reports.models import Feed
from sockets.seats import refuse_for_now, seat_of

SIGNED_OUT = 4401
TOO_MUCH = 4429
COME_BACK = 1012
TRUST_SECONDS = 10.0
"""For how long a session that was looked up is believed when a hint is to be forwarded."""
RECHECK_SECONDS = 60.0
SEND_SECONDS = 10.0
"""A reader who takes longer to accept one small message is let go; it fetches what it missed when it comes back."""
MESSAGES_A_MINUTE = 30
MESSAGE_LENGTH = 64
POSITION_SECONDS = 2.0
"""For how long a position that was looked up is told to others who ping."""
_looked_up: dict[UUID, tuple[float, int]] = {}
"""When each organisation's position was looked up, and what it was."""


class LiveReports(AsyncWebsocketConsumer):
    """Forwards the hints of the person's organisations. The only thing it takes from the client is "ping": the answer
    says how far the reports have come, by which a client notices that a hint got lost on its way."""

    organisations: frozenset[UUID] = frozenset()
    joined: frozenset[str] = frozenset()
    checked_at = 0.0
    received = 0
    minute = 0.0
    watch: asyncio.Task[None] | None = None
    hints: MergedHints
    _serving: asyncio.Task[Any] | None = None
    _is_too_slow = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.hints, self._serving = MergedHints(self._tell), asyncio.current_task()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._is_too_slow:
                raise
        finally:
            await self._leave()

    async def connect(self) -> None:
        if not await self._check_session():
            await self.close(SIGNED_OUT)
            return
        person: Any = self.scope["user"]
        if not seat_of(self.scope).belongs_to(person.pk):
            # The page asks from time to time instead, and tries again.
            await refuse_for_now(self.scope, self.base_send)
            return
        await self.accept()
        self.watch = asyncio.create_task(self._keep_checking())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._is_too_much(text_data if text_data is not None else bytes_data or b""):
            await self.close(TOO_MUCH)
        elif text_data == "ping":
            await self._send(json.dumps({"type": "pong", "positions": await _positions_of(self.organisations)}))

    async def _tell(self, hints: list[Hint]) -> None:
        """Forward hints as one, unless the session ended; not those of an organisation that the person has left. Where
        one was erased, let the tab come back and see what is left."""
        if any(hint["state"] == ERASED for hint in hints):
            await self.close(COME_BACK if await self._check_session() else SIGNED_OUT)
            return
        if time.monotonic() - self.checked_at > TRUST_SECONDS and not await self._check_session():
            await self.close(SIGNED_OUT)
            return
        mine = [hint for hint in hints if group_of(hint["organisation"]) in self.joined]
        if not mine:
            return
        try:
            await self._send(json.dumps(merged(mine)))
        except StopConsumer:
            self._is_too_slow = True
            assert self._serving is not None
            self._serving.cancel()

    def _is_too_much(self, content: str | bytes) -> bool:
        now = time.monotonic()
        if now - self.minute > 60:
            self.minute, self.received = now, 0
        self.received += 1
        return self.received > MESSAGES_A_MINUTE or len(content) > MESSAGE_LENGTH

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            raise StopConsumer from None

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            if not await self._check_session():
                await self.close(SIGNED_OUT)
                return

    async def _check_session(self) -> bool:
        """Look the session up anew and join the groups of the person's organisations; False when signed out."""
        since = time.monotonic()
        organisations = await of_session(self.scope["session"].session_key or "")
        self.organisations = organisations or frozenset()
        self.joined = await hub(self.channel_layer).join(self.hints, self.organisations, self.joined)
        self.checked_at = since
        return organisations is not None

    async def _leave(self) -> None:
        self.hints.stop()
        if self.watch is not None:
            self.watch.cancel()
        if self.joined:
            await hub(self.channel_layer).join(self.hints, (), self.joined)


async def _positions_of(organisations: frozenset[UUID]) -> dict[str, int]:
    """The last position of each organisation's reports. Sockets of one organisation share what was looked up lately; a
    database that is away leaves organisations out, and the next ping asks again."""
    oldest = time.monotonic() - POSITION_SECONDS
    unknown = [each for each in organisations if each not in _looked_up or _looked_up[each][0] < oldest]
    if unknown:
        with suppress(DatabaseError):
            positions = await _last_positions(unknown)
            _looked_up.update({each: (time.monotonic(), positions.get(each, 0)) for each in unknown})
    return {str(each): _looked_up[each][1] for each in organisations if _looked_up.get(each, (0.0,))[0] >= oldest}


@database_sync_to_async
def _last_positions(organisations: list[UUID]) -> dict[UUID, int]:
    return dict(Feed.objects.filter(pk__in=organisations).values_list("pk", "last_position"))
