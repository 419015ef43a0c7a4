"""The tests themselves: what the shell hands down does not reach them, nor what they start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings

from tests.conftest import ROOT

CHILD = """
import os, signal
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGTERM).name, end=" ")
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), oct(os.umask(0)))
"""
UNKIND = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
os.umask(0o077)
os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "TIME_ZONE": "Europe/Vienna", "LOG_LEVEL": "DEBUG"}
os.environ |= {"GRAPHQL_MAX_DEPTH": "1", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_what_a_test_starts_can_be_interrupted_and_writes_for_others_to_read() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    assert done.stdout == "True SIG_DFL [] 0o22\n"


def test_ctrl_c_reaches_a_test() -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_the_product_is_set_up_as_if_the_shell_had_nothing_for_it() -> None:
    assert (settings.SETTINGS_MODULE, settings.TIME_ZONE) == ("config.settings_for_tests", "UTC")
    assert (settings.LOG_LEVEL, settings.GRAPHQL_MAX_DEPTH, settings.PRODUCTION) == ("WARNING", 16, False)
    assert "TIME_ZONE" not in os.environ


@pytest.mark.process
def test_it_is_so_too_where_the_tests_were_started_by_what_hands_down_something_else() -> None:
    mine = [
        f"tests/test_surroundings.py::{test.__name__}"
        for test in (
            test_what_a_test_starts_can_be_interrupted_and_writes_for_others_to_read,
            test_ctrl_c_reaches_a_test,
            test_the_product_is_set_up_as_if_the_shell_had_nothing_for_it,
        )
    ]
    command = [sys.executable, "-c", UNKIND, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *mine]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
