"""A subscriber that exists in the benchmark only."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class InsertingConfig(AppConfig):
    name = "tests.bench.inserting"
    label = "bench_inserting"

    def ready(self) -> None:
        import_module("tests.bench.inserting.handlers")
