"""What Prometheus reads at `/metrics`.

Counters carry the process that counted them: a process that ends takes its series along, instead of making a sum
fall, which would look like a restart. The workers have no port; they write their counters with their heartbeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db.models import Count
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventbus import metrics
from eventbus.pausing import Standing, standings
from eventbus.replays import under_way
from operations import VERSION, counters
from operations.heartbeat import name_of_process
from operations.models import WorkerProcess
from operations.versions import HEARD_WITHIN
from throttling import metrics as throttled

PLAIN = {
    "published": ("events_published", "Events that were published."),
    "enqueued": ("events_enqueued", "Wake-ups that were sent."),
    "enqueue_failed": ("events_enqueue_failed", "Wake-ups that the broker did not take; the sweep delivers."),
    "enqueue_withheld": (
        "events_enqueue_withheld",
        "Wake-ups that were not tried, because the broker had just failed.",
    ),
    "swept": ("events_swept", "Deliveries that a sweep found, not a wake-up."),
    "on_dead_failed": ("events_on_dead_failed", "Deliveries that died without their subscriber being told."),
    "sweep_failed": ("events_sweep_failed", "Sweeps that ended with an error and were tried again."),
    "redriven": ("deliveries_redriven", "Dead letters that operators had delivered again."),
    "replayed": ("deliveries_replayed", "Deliveries of old events that operators ordered."),
    "pruned_deliveries": ("deliveries_pruned", "Finished deliveries that were deleted because of their age."),
    "pruned_events": ("events_pruned", "Events that were deleted because of their age."),
    "emptied_events": ("events_emptied", "Superseded events whose contents were removed."),
}
"""The bus's counters that know no subscriber: what each is called here, and what it means."""

STANDINGS: dict[str, tuple[str, Callable[[Standing], float]]] = {
    "deliveries_ready": ("Deliveries that wait.", lambda each: each.ready),
    "deliveries_leased": ("Deliveries that are being worked on.", lambda each: each.leased),
    "deliveries_dead": ("Deliveries that were given up: a person has to look.", lambda each: each.dead),
    "delivery_lag_seconds": (
        "How long the longest due delivery has been due.",
        lambda each: each.lag.total_seconds(),
    ),
    "oldest_undelivered_seconds": (
        "Age of the oldest undelivered delivery, as the health check counts it; 0 while its subscriber is paused.",
        lambda each: (each.worrying_age or timedelta(0)).total_seconds(),
    ),
}
"""What is told of each subscriber: by its name here, what it means, and where it comes from."""


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
        yield from _throttled()
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


def _throttled() -> Iterator[Metric]:
    told = {
        "plumbline_limits_refused": ("Takes beyond a limit, which were refused.", throttled.refused()),
        "plumbline_limits_unanswered": ("Takes that were allowed because Redis was away.", throttled.unanswered()),
    }
    for name, (meaning, counts) in told.items():
        family = CounterMetricFamily(name, meaning, labels=["bucket"])
        for bucket in settings.THROTTLING:
            family.add_metric([bucket], counts.get(bucket, 0))
        yield family


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
    found = standings()  # every subscriber that this code has, and every other name that has deliveries
    for name, (meaning, value_of) in STANDINGS.items():
        values: dict[tuple[str, ...], float] = {(each.name,): value_of(each) for each in found}
        yield _gauge(f"plumbline_{name}", meaning, values, "subscriber")
    orders: dict[tuple[str, ...], float] = {(state.value,): count for state, count in under_way().items()}
    yield _gauge("plumbline_replays", "Replays that are under way, by how far they are.", orders, "state")
    heard = WorkerProcess.objects.heard_within(HEARD_WITHIN).order_by().values_list("version")
    processes: dict[tuple[str, ...], float] = {(version,): n for version, n in heard.annotate(Count("pk"))}
    yield _gauge("plumbline_processes", "Processes that were heard in the last minute.", processes, "version")
    workers = WorkerProcess.objects.filter(sweeps=True).heard_within(60).count()
    yield _gauge("plumbline_workers", "Workers that swept in the last minute.", {(): workers})


def _gauge(name: str, meaning: str, values: dict[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for label_values, value in sorted(values.items()):
        family.add_metric(label_values, value)
    return family
