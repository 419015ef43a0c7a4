"""A process takes as many open files as it may, within reason; each in one of its own, for limits stay lowered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("before", "after"), [("(256, 600)", "(600, 600)"), ("(600, 600)", "(600, 600)")])
def test_the_soft_limit_is_raised_to_the_hard_one_and_never_lowered(before: str, after: str) -> None:
    code = f"""
import resource
from operations import files
resource.setrlimit(resource.RLIMIT_NOFILE, {before})
files.raise_limit()
print(files.limits())
"""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)

    assert (done.stdout.strip(), done.stderr) == (after, "")
