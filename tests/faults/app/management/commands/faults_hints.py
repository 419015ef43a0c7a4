"""Floods an organisation's tabs with hints."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand

from reports.live import send_hint
from reports.models import Report


class Command(BaseCommand):
    """Send the hint of the organisation's newest report `--times` times over."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", type=UUID)
        parser.add_argument("--times", type=int, default=5000)

    def handle(self, *args: Any, **options: Any) -> None:
        report = Report.objects.filter(organisation=options["organisation"]).latest("position")
        for sending in [send_hint(report, "changed", uuid4()) for _ in range(options["times"])]:
            if sending is not None:
                sending.result(30)
