"""A bus without the product's subscribers: each test brings its own, and they are gone after it."""

from __future__ import annotations

from collections.abc import Iterator
from random import SystemRandom

import pytest
from celery import _state, current_app

from eventbus import metrics, moments, subscriptions
from eventbus.subscriptions import registry
from eventbus.wakeups import breaker


class Patient(SystemRandom):
    """Chance, but no wait that is over before a test has looked."""

    def uniform(self, a: float, b: float) -> float:
        return max(min(0.1, b), super().uniform(a, b))


@pytest.fixture(autouse=True)
def _no_wait_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_dice", Patient())


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
