"""What a web process has done before it takes the first request."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from config.environment import ROOT

LOADED = """
import gc
import config.asgi
from api import execution
print(execution._load.cache_info().currsize, gc.get_freeze_count() > 100_000)
"""


@pytest.mark.process
def test_the_schema_of_the_api_is_built_before_anybody_asks_and_no_garbage_is_looked_for_in_it() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_for_tests"}
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'platform'}"

    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert loaded.stdout == "1 True\n", loaded.stderr
