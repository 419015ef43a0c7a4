"""The same modules on the plain alternative: Celery's `delay_on_commit` in place of the bus, and no outbox."""

from __future__ import annotations

import eventbus
from tests.faults import plain
from tests.faults.settings import *  # noqa: F403

# Before any app is loaded: every module takes these two from the package.
vars(eventbus).update(publish=plain.publish, subscribe=plain.subscribe)

CELERY_TASK_ROUTES = ["tests.faults.plain.route"]
# As Celery comes: it tries to reach the broker again, and gives unacknowledged messages out anew after an hour.
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
