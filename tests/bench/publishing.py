"""What publishing adds to a save."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import redis

from tests.bench.bench import Bench
from tests.bench.figures import RUNS, emit, milliseconds
from tests.bench.inserting import INSERTER


def bench_publish(bench: Bench, stored: int) -> None:
    """Milliseconds of a transaction that raises a revision and publishes; floor: the very same without `publish`."""
    from eventbus.wakeups import Wakeup, enqueue

    draft = make_draft(bench)
    with_it, without, waking = [], [], []
    for _ in range(RUNS):
        with_it.append([timed(partial(raise_revision, draft, is_published=True)) for _ in range(bench.amount.saves)])
        without.append([timed(partial(raise_revision, draft, is_published=False)) for _ in range(bench.amount.saves)])
        waking.append([timed(partial(enqueue, Wakeup(INSERTER))) for _ in range(bench.amount.saves)])
    value, bottom, wake = milliseconds(with_it), milliseconds(without), milliseconds(waking)
    emit(
        "publish_ms",
        value,
        bottom,
        stored_events=stored,
        overhead_p50=round(value["p50"] - bottom["p50"], 2),
        of_it_wake_up=wake["p50"],
        ratio_p50=round(value["p50"] / bottom["p50"], 2),
        runs=RUNS,
        rounds=bench.amount.saves,
    )
    with redis.Redis.from_url(bench.stack.redis.url) as client:
        client.delete("security", "celery")
    bench.outbox.settle()


def timed(call: Any) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def raise_revision(draft: Any, *, is_published: bool) -> None:
    """What a save does at its end."""
    from django.db import transaction
    from django.db.models import F

    import eventbus
    from answers.events import event_of
    from answers.models import Submission

    with transaction.atomic():
        Submission.objects.filter(pk=draft.pk).update(revision=F("revision") + 1)
        if is_published:
            eventbus.publish(event_of(draft, "changed", draft.answers.all()))


def make_draft(bench: Bench) -> Any:
    """The listener's own draft with a full set of answers, read once; nobody else changes it."""
    from django.utils import timezone

    from answers.models import Answer, Submission

    given = Answer.objects.filter(submission_id=bench.people[0].submission).values("question", "value")
    rows = [
        Answer(submission_id=bench.listener.submission, version=1, updated_at=timezone.now(), **each) for each in given
    ]
    Answer.objects.bulk_create(rows, ignore_conflicts=True)
    draft = Submission.objects.select_related("line").prefetch_related("answers").get(pk=bench.listener.submission)
    draft.revision = max(draft.revision, 1)
    return draft
