"""Whatever is somebody else's is not heard of, whichever subscription of the GraphQL schema asks for it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection

from accounts.models import User
from answers.submissions import submit
from api import ids
from config.tests.listening import Listener, listening, nobody_else
from config.tests.whole_schema import Seen, id_arguments, reachable, root_fields, root_selection
from config.tests.world import World, go_on, world_of
from eventbus.deliveries import drain_all
from tests.documentation import API_SCHEMA, blocks

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

NAMES = sorted(root_fields("subscription"))
# What the ids in arguments name. An argument that is missing here fails the tests.
KINDS = {"organisation": "Organisation", "submission": "Submission"}
CASES = [(name, argument, KINDS[argument]) for name, argument in id_arguments("subscription")]


@pytest.fixture(autouse=True)
async def _alone() -> AsyncIterator[None]:
    async with nobody_else():
        yield


@pytest.fixture
def theirs(alice: User) -> World:
    return world_of(alice)


@pytest.fixture
def mine(charlie: User) -> World:
    return world_of(charlie)


async def outcome(listener: Listener) -> str:
    return "silent" if await listener.is_silent() else "ended" if await listener.has_ended() else "heard"


@pytest.mark.parametrize("name", NAMES)
async def test_what_happens_gives_every_field_that_can_be_subscribed_to(theirs: World, name: str) -> None:
    seen = Seen()
    document = root_selection("subscription", name)
    async with listening(theirs.person, document) as listener:
        await sync_to_async(go_on)(theirs)

        await listener.hear(seen)
        while not await listener.is_silent():
            await listener.hear(seen)

    queried = {of for of, _field in reachable("query")}
    payload = {pair for pair in reachable("subscription", name) if pair[0] not in queried}
    assert payload - seen.fields == set()


@pytest.mark.parametrize("document", [block for block in blocks(API_SCHEMA, "graphql") if "subscription" in block])
async def test_each_subscription_of_the_documentation_works(theirs: World, document: str) -> None:
    async with listening(theirs.person, document) as listener:
        await sync_to_async(go_on)(theirs)

        ((_name, message),) = (await listener.hear()).items()

    assert message["position"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_stranger_hears_nothing(theirs: World, mine: World, name: str) -> None:
    async with listening(mine.person, root_selection("subscription", name)) as listener:
        await sync_to_async(go_on)(theirs)

        assert await outcome(listener) == "silent"


@pytest.mark.parametrize(("name", "argument", "kind"), CASES)
async def test_the_id_of_a_strangers_object_is_treated_like_that_of_nothing(
    theirs: World, mine: World, name: str, argument: str, kind: str
) -> None:
    document, found = root_selection("subscription", name, argument), []
    for given in (theirs.ids[kind], ids.encode(kind, ids.NOTHING), "nonsense"):
        async with listening(mine.person, document, **{argument: given}) as listener:
            await sync_to_async(go_on)(theirs)
            found.append(await outcome(listener))

    assert found[0] in ("silent", "ended")
    assert found == found[:1] * 3


def test_a_report_of_an_idle_worker_thread_is_heard_within_a_second(theirs: World) -> None:
    """There is no other traffic: the hint itself has to wake the loop on which the subscriber waits."""
    ready, heard = threading.Event(), threading.Event()

    async def subscriber() -> None:
        async with listening(theirs.person, "subscription { reportChanged { reportId } }") as listener:
            ready.set()
            await listener.hear()
            heard.set()

    def worker() -> None:
        try:
            drain_all()
        finally:
            connection.close()

    waiting = threading.Thread(target=async_to_sync(subscriber))
    waiting.start()
    assert ready.wait(10)
    submit(theirs.submitted.pk, theirs.person)
    working = threading.Thread(target=worker)
    working.start()
    working.join(10)

    assert heard.wait(1)
    waiting.join(10)
