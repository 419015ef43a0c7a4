"""A bus without the product's subscribers: each test brings its own, and they are gone after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import _state, current_app

from eventbus import metrics, moments
from eventbus.subscriptions import registry
from eventbus.wakeups import breaker


@pytest.fixture(autouse=True)
def _bus_of_its_own() -> Iterator[None]:
    product = dict(registry)
    # Shared tasks wait here for apps to come; Celery has no public way to take one back.
    waiting: set[object] = vars(_state)["_on_app_finalizers"]
    shared_tasks = set(waiting)
    registry.clear()
    metrics.reset()
    moments.forget()
    breaker.reset()
    yield
    for name in registry.keys() - product.keys():
        current_app.tasks.pop(name, None)
    waiting.intersection_update(shared_tasks)
    registry.clear()
    registry.update(product)
    breaker.reset()
