"""A worker that can't tell Redis what it has done goes on taking messages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from celery import Celery
from kombu import Connection, Queue
from kombu.message import Message

from config import redis_broker
from tests.production import Installation
from tests.services import Service

pytestmark = pytest.mark.process


@pytest.mark.parametrize("tell", ["ack", "reject", "requeue"])
def test_a_message_leaves_its_room_though_the_connection_is_cut_while_redis_is_told(
    redis_server: Service, tell: str
) -> None:
    redis_broker.register()
    queue, taken = Queue(f"broker-{tell}"), list[Message]()
    with Connection(redis_server.url) as connection, redis.Redis.from_url(redis_server.url) as other:
        assert type(connection.transport) is redis_broker.Transport
        channel: Any = connection.channel()
        consumer = connection.Consumer(queue, channel=channel, callbacks=[lambda _body, message: taken.append(message)])
        consumer.qos(prefetch_count=1)
        consumer.consume()
        for number in (1, 2):
            connection.Producer().publish({"number": number}, routing_key=queue.name, declare=[queue])
        connection.drain_events(timeout=10)
        assert [message.payload for message in taken] == [{"number": 1}]
        assert not channel.qos.can_consume()

        # Every attempt to tell it is cut: the client tries again by itself.
        other.config_set("maxclients", 1)
        other.client_kill_filter(_type="normal", skipme=True)
        try:
            with pytest.raises(connection.connection_errors):
                {"ack": taken[0].ack, "reject": taken[0].reject, "requeue": taken[0].requeue}[tell]()
        finally:
            other.config_set("maxclients", 10_000)

        assert channel.qos.can_consume()


def test_a_worker_that_is_cut_off_while_all_its_processes_finish_goes_on_taking_messages(
    postgres: Service, redis_server: Service, tmp_path: Path
) -> None:
    installation = Installation(postgres, redis_server, tmp_path)
    installation.run("deploy/run", "release")
    server = redis.Redis.from_url(redis_server.url, single_connection_client=True)
    server.flushall()
    with (
        closing(server),
        Celery(broker=redis_server.url) as sender,
        installation.worker() as worker,
    ):

        def wake() -> None:
            sender.send_task("security.evaluate", queue="security")

        def has(*, waiting: int, taken: int) -> bool:
            return (server.llen("security"), server.hlen("unacked")) == (waiting, taken)

        wake()
        worker.wait_for(lambda: has(waiting=0, taken=0))
        (pool,) = psutil.Process(worker.popen.pid).children()
        pool.suspend()
        try:
            wake()
            worker.wait_for(lambda: has(waiting=0, taken=1))
            server.config_set("maxclients", 1)
            server.client_kill_filter(_type="normal", skipme=True)
        finally:
            pool.resume()
        try:
            worker.wait_for(lambda: "Couldn't ack" in worker.output)
        finally:
            server.config_set("maxclients", 10_000)
        wake()
        # What Redis could not be told of stays there: it would be given out again after an hour.
        worker.wait_for(lambda: has(waiting=0, taken=1))
