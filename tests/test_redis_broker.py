"""A worker goes on taking messages though it can't tell Redis what it has done, and whatever somebody put there."""

from __future__ import annotations

import json
from base64 import b64encode
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


SECRET = "s3cret-of-a-stranger"


def message(headers: object, body: str = '[[], {}, {"callbacks": null}]', **more: object) -> dict[str, Any]:
    """A message as Celery writes it, but for what is given."""
    return {
        "body": b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "delivery_tag": SECRET,
            "delivery_info": {"exchange": "", "routing_key": "security"},
            "body_encoding": "base64",
        },
        **more,
    }


def task(**headers: object) -> dict[str, Any]:
    """The headers of a wake-up, but for what is given."""
    return {"lang": "py", "task": "security.evaluate", "id": "6f2c1f0e", **headers}


FOREIGN: dict[str, Any] = {
    "no JSON": SECRET,
    "no text": b"\xff\xfe",
    "a hundred thousand brackets": "[" * 100_000,
    "a list": [SECRET],
    "a number": 7,
    "nothing of a message": {"job": SECRET},
    "a tag that is none": message(task(), properties={"delivery_tag": [SECRET], "delivery_info": {}}),
    "no place": message(task(), properties={"delivery_tag": SECRET}),
    "an unknown encoding": message(task(), properties={**message({})["properties"], "body_encoding": "rot13"}),
    "a body that is no base64": message(task(), body=SECRET) | {"body": "%%%"},
    "no content type": message(task()) | {"content-type": None},
    "no headers": message(None),
    "headers without a task": message({"id": "6f2c1f0e"}),
    "headers that are a text": message(SECRET),
    "an unknown task": message(task(task=SECRET)),
    "an unknown task without an id": message({"task": SECRET}),
    "a task that is a list": message(task(task=[SECRET])),
    "a task that is nothing": message(task(task=None)),
    "an id that is a list": message(task(id=[SECRET])),
    "a pickle": message(task(), **{"content-type": "application/x-python-serialize"}),
    "an unknown type": message(task(), **{"content-type": "text/secret"}),
    "an unknown compression": message(task(compression="secret")),
    "a body that is no JSON": message(task(), body=SECRET),
    "a body that is no call": message(task(), body=json.dumps({"a": SECRET})),
    "arguments that are none": message(task(), body=json.dumps([SECRET, SECRET, SECRET])),
    "a hint that is none": message(task(), body=json.dumps([[[SECRET]], {}, {}])),
    "a time that is none": message(task(eta=SECRET)),
    "an end that is none": message(task(expires=SECRET)),
    "limits that are none": message(task(timelimit=SECRET)),
    "tries that are none": message(task(retries=SECRET)),
    "another name that is none": message(task(shadow=[SECRET])),
}


def test_what_somebody_else_put_into_redis_is_dropped_and_its_content_is_in_no_log(
    postgres: Service, redis_server: Service, tmp_path: Path
) -> None:
    installation = Installation(postgres, redis_server, tmp_path)
    installation.run("deploy/run", "release")
    with (
        closing(redis.Redis.from_url(redis_server.url)) as server,
        Celery(broker=redis_server.url) as sender,
        installation.worker() as worker,
    ):
        server.flushall()
        for what, foreign in FOREIGN.items():
            raw = foreign if isinstance(foreign, str | bytes) else json.dumps(foreign)
            server.lpush("security", raw)
            worker.wait_for(lambda: not server.llen("security") and not server.hlen("unacked"))
            assert worker.popen.poll() is None, f"{what}: {worker.output}"
        sender.send_task("security.evaluate", queue="security")
        worker.wait_for(lambda: not server.llen("security") and not server.hlen("unacked"))

        assert worker.popen.poll() is None
        assert "dropped a message in Redis that is no JSON" in worker.output
        assert "dropped the message 6f2c1f0e" in worker.output
        assert SECRET not in worker.output
