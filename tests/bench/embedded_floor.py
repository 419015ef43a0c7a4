"""What the embedded mode can't do without, with nothing around it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

from tests.bench.figures import COMMITS_AFTERWARDS, COMMITS_WHEN_ANSWERED, Took


class Floor:
    """The parts that no outbox on SQLite, Celery and Channels can do without, with nothing around them."""

    def __init__(self, folder: Path) -> None:
        from celery import Celery

        from config.embedded.channel_layer import ThreadSafeInMemoryChannelLayer
        from config.embedded.worker import EmbeddedWorker

        self.database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None, check_same_thread=False)
        self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x INTEGER)")
        self.hopped = threading.Event()
        app = Celery("floor", broker="embedded://localhost", set_as_current=False)
        app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, task_default_queue="floor")

        @app.task(name="floor.noop")
        def noop() -> None:
            self.hopped.set()

        self.task = noop
        self.worker = EmbeddedWorker(app)
        self.worker.start()
        self.layer = ThreadSafeInMemoryChannelLayer()
        self.pushed = threading.Event()
        self.listening = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._receive()), daemon=True).start()
        self.listening.wait(10)

    async def _receive(self) -> None:
        channel = await self.layer.new_channel()
        await self.layer.group_add("floor", channel)
        self.listening.set()
        while True:
            await self.layer.receive(channel)
            self.pushed.set()

    def commit(self) -> None:
        """One bare commit."""
        self.database.execute("BEGIN IMMEDIATE")
        self.database.execute("INSERT INTO t VALUES (1)")
        self.database.execute("COMMIT")

    def hop(self) -> None:
        """One no-op task, sent and run."""
        self.hopped.clear()
        self.task.delay()
        self.hopped.wait(10)

    def push(self) -> None:
        """One group message from this thread to a waiting receiver."""
        from asgiref.sync import async_to_sync

        self.pushed.clear()
        async_to_sync(self.layer.group_send)("floor", {"type": "hint"})
        self.pushed.wait(10)

    def sample(self) -> Took:
        """How long it takes what one flow cannot do without."""
        started = time.perf_counter()
        for _ in range(COMMITS_WHEN_ANSWERED):
            self.commit()
        answered = time.perf_counter()
        for _ in range(COMMITS_AFTERWARDS):
            self.commit()
        self.hop()
        self.hop()
        self.push()
        return Took.until_now(started, answered)
