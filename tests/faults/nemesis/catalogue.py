"""Every fault by name, in the order in which they are run."""

from __future__ import annotations

from typing import Any

from tests.faults.nemesis import (
    brokers,
    clocks,
    databases,
    embedded,
    mail_servers,
    messages,
    poison,
    processes,
    sockets,
    upgrades,
    volumes,
)
from tests.faults.stage import Fault

FAULTS: dict[str, Fault[Any]] = {
    fault.name: fault
    for fault in (
        Fault("kill-pool-child", processes.kill_pool_child),
        Fault("kill-worker", processes.kill_worker),
        Fault("kill-every-worker", processes.kill_every_worker, short=False),
        Fault("kill-web-after-commit", processes.kill_web_after_commit),
        Fault("kill-embedded", embedded.kill_embedded, mode="embedded", plain=False),
        Fault("redis-flushall", brokers.flush),
        Fault("redis-shutdown", brokers.shut_down, short=False),
        Fault("redis-away", brokers.stay_away),
        Fault("redis-hangs-up", brokers.hang_up),
        Fault("postgres-restart", databases.restart),
        Fault("postgres-stands-still", databases.stand_still, short=False),
        Fault("tenfold", messages.send_tenfold, settle=90),
        Fault("backwards", messages.send_backwards),
        Fault("poison", poison.poison, short=False),
        Fault("burst", volumes.burst, short=False, settle=300),
        Fault("slow-reader", sockets.read_slowly, plain=False),
        Fault("reconnects", sockets.reconnect, plain=False),
        Fault("clock", clocks.be_an_hour_off, short=False),
        Fault("replay", volumes.replay, plain=False, short=False, settle=300),
        Fault("old-beside-new", upgrades.old_beside_new, plain=False, before=True),
        Fault("forth-and-back", upgrades.forth_and_back, mode="embedded", plain=False, before=True),
        Fault("mail-silent", mail_servers.say_nothing, plain=False, settle=90),
        Fault("mail-silent-embedded", mail_servers.say_nothing, mode="embedded", plain=False, settle=90),
        Fault("mail-refuses", mail_servers.refuse, plain=False, settle=90),
        Fault("kill-while-sending", mail_servers.kill_while_sending, plain=False, settle=120),
    )
}
