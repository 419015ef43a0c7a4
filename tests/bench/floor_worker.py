"""The floor's Celery worker: two tasks that do nothing but lead to the next step."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import cache

from celery import Celery
from channels_redis.pubsub import RedisPubSubChannelLayer

GROUP = "floor"
app = Celery("floor", broker=os.environ["FLOOR_REDIS_URL"], set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_default_queue="floor",
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="floor.first")
def first(sample: str) -> None:
    """The first hop: it sends the second."""
    second.delay(sample)


@app.task(name="floor.second")
def second(sample: str) -> None:
    """The second hop: it sends the push and does not wait for it."""
    loop, layer = _pushing()
    asyncio.run_coroutine_threadsafe(layer.group_send(GROUP, {"type": "floor.push", "sample": sample}), loop)


@cache
def _pushing() -> tuple[asyncio.AbstractEventLoop, RedisPubSubChannelLayer]:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop, RedisPubSubChannelLayer(hosts=[os.environ["FLOOR_REDIS_URL"]], prefix="floor")
