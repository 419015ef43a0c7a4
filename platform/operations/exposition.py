"""What Prometheus reads at `/metrics`.

Counters carry the process that counted them: a process that ends takes its series along, instead of making a sum
fall, which would look like a restart. The workers have no port; they write their counters with their heartbeat.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error as DatabaseProblem
from django.db.models import Count, Max, Min
from django.db.models.functions import Now
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventbus import metrics
from eventbus.models import Delivery, Status
from eventbus.subscriptions import registry
from operations import VERSION, counters
from operations.heartbeat import name_of_process
from operations.models import WorkerProcess

PLAIN = {
    "published": ("events_published", "Events that were published."),
    "enqueued": ("events_enqueued", "Wake-ups that were sent."),
    "enqueue_failed": ("events_enqueue_failed", "Wake-ups that the broker did not take; the sweep delivers."),
    "enqueue_withheld": (
        "events_enqueue_withheld",
        "Wake-ups that were not tried, because the broker had just failed.",
    ),
    "swept": ("events_swept", "Deliveries that a sweep found, not a wake-up."),
    "sweep_failed": ("events_sweep_failed", "Sweeps that ended with an error and were tried again."),
    "redriven": ("deliveries_redriven", "Dead letters that operators had delivered again."),
    "replayed": ("deliveries_replayed", "Deliveries of old events that operators ordered."),
    "pruned_deliveries": ("deliveries_pruned", "Finished deliveries that were deleted because of their age."),
    "pruned_events": ("events_pruned", "Events that were deleted because of their age."),
}
"""The bus's counters that know no subscriber: what each is called here, and what it means."""


def exposition() -> bytes:
    """Everything in Prometheus's text format. The database is asked for undelivered and dead rows only, so that the
    cost does not grow with history; where it is away, the rest still comes."""
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(_Metrics())
    ProcessCollector(registry=collectors)
    return generate_latest(collectors)


class _Metrics(Collector):
    """Asked once for each exposition."""

    def collect(self) -> Iterator[Metric]:
        yield _gauge("plumbline_info", "Always 1; the label is the version.", {(VERSION,): 1}, "version")
        yield _served()
        yield _gauge("plumbline_websockets_open", "WebSockets open in this process.", {(): counters.open_sockets()})
        try:
            from_database = [*_of_the_database()]
            workers = {row.name: (row.counters, row.deliveries) for row in WorkerProcess.objects.all()}
        except DatabaseProblem:
            from_database, workers = [], {}
        yield _gauge("plumbline_database_up", "Whether the database answered.", {(): int(bool(from_database))})
        yield from from_database
        mine = [[subscriber, outcome, n] for (subscriber, outcome), n in metrics.deliveries().items()]
        yield from _counted({**workers, name_of_process(): (metrics.snapshot(), mine)})


def _served() -> Metric:
    family = CounterMetricFamily(
        "plumbline_http_requests", "Requests that this process answered.", labels=["view", "status"]
    )
    for (view, status), count in sorted(counters.requests().items()):
        family.add_metric([view, str(status)], count)
    return family


def _counted(processes: dict[str, tuple[dict[str, int], list[list[object]]]]) -> Iterator[Metric]:
    for name, (exposed, meaning) in PLAIN.items():
        family = CounterMetricFamily(f"plumbline_{exposed}", meaning, labels=["process"])
        for process, (plain, _deliveries) in sorted(processes.items()):
            family.add_metric([process], plain.get(name, 0))
        yield family
    labels = ["subscriber", "outcome", "process"]
    family = CounterMetricFamily("plumbline_deliveries", "Deliveries by what became of an attempt.", labels=labels)
    for process, (_plain, deliveries) in sorted(processes.items()):
        for subscriber, outcome, count in deliveries:
            family.add_metric([str(subscriber), str(outcome), process], float(str(count)))
    yield family


def _of_the_database() -> Iterator[Metric]:
    """The same whichever process is asked. Raises DatabaseProblem."""
    waiting = (
        Delivery.objects.undelivered()
        .order_by()
        .values("subscriber", "status")
        .annotate(count=Count("pk"), oldest=Min("created_at"), due=Min("due_at"), now=Max(Now()))
    )
    ready, leased, oldest, lag = dict[str, int](), dict[str, int](), dict[str, float](), dict[str, float]()
    for row in waiting:
        subscriber = row["subscriber"]
        (ready if row["status"] == Status.READY else leased)[subscriber] = row["count"]
        age = (row["now"] - row["oldest"]).total_seconds()
        oldest[subscriber] = max(oldest.get(subscriber, 0.0), age)
        if row["status"] == Status.READY:
            lag[subscriber] = max(0.0, (row["now"] - row["due"]).total_seconds())
    dead = dict(
        Delivery.objects.filter(status=Status.DEAD).order_by().values_list("subscriber").annotate(count=Count("pk"))
    )
    workers = WorkerProcess.objects.filter(sweeps=True).heard_within(60).count()
    yield _by_subscriber("plumbline_deliveries_ready", "Deliveries that wait.", ready)
    yield _by_subscriber("plumbline_deliveries_leased", "Deliveries that are being worked on.", leased)
    yield _by_subscriber("plumbline_deliveries_dead", "Deliveries that were given up: a person has to look.", dead)
    yield _by_subscriber("plumbline_delivery_lag_seconds", "How long the longest due delivery has been due.", lag)
    yield _by_subscriber("plumbline_oldest_undelivered_seconds", "Age of the oldest undelivered delivery.", oldest)
    yield _gauge("plumbline_workers", "Workers that swept in the last minute.", {(): workers})


def _by_subscriber(name: str, meaning: str, values: dict[str, int] | dict[str, float]) -> Metric:
    """A value for each subscriber that this process knows, 0 where nothing is there, and for those it does not know."""
    known = dict.fromkeys(registry, 0.0)
    return _gauge(name, meaning, {(key,): float(value) for key, value in {**known, **values}.items()}, "subscriber")


def _gauge(name: str, meaning: str, values: dict[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for label_values, value in sorted(values.items()):
        family.add_metric(label_values, value)
    return family
