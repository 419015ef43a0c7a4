"""A short form of `make faults`: one run of each fault that takes seconds, with a small load.

How long a recovery takes is measured there and not here, for this machine may be busy with other tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.backends import PRODUCT
from tests.faults.nemesis.catalogue import FAULTS
from tests.faults.site import Embedded, Production
from tests.faults.stage import play
from tests.services import or_skipped, running_postgres, running_redis

pytestmark = pytest.mark.process
SEED = 20261125


def short_ones(mode: str) -> list[str]:
    """The names of the faults that have a short form."""
    return [name for name, fault in FAULTS.items() if fault.short and fault.mode == mode]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Services of its own: the faults end them."""
    with or_skipped(running_postgres()) as postgres, or_skipped(running_redis()) as redis_server:
        site = Production(postgres, redis_server, tmp_path_factory.mktemp("faults"), PRODUCT)
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    site = Embedded(tmp_path, PRODUCT)
    site.start()
    yield site
    site.stop()


@pytest.mark.parametrize("name", short_ones("production"))
def test_what_was_acknowledged_survives_in_production(production: Production, name: str) -> None:
    assert play(FAULTS[name], production, SEED, short=True).violations == []


@pytest.mark.parametrize("name", short_ones("embedded"))
def test_what_was_acknowledged_survives_in_the_embedded_mode(embedded: Embedded, name: str) -> None:
    assert play(FAULTS[name], embedded, SEED, short=True).violations == []
