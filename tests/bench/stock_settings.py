"""The bench's settings with one address more: the same schema behind the view that graphene-django brings along."""

from __future__ import annotations

from tests.bench.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.stock_urls"
