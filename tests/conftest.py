"""A real server in a process of its own, and Chromium in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.embedded import PASSWORD, ROOT, Person, Server
from tests.javascript import node, project
from tests.services import free_port, postgres, redis_server

__all__ = ["PASSWORD", "ROOT", "Person", "Server", "free_port", "node", "postgres", "project", "redis_server"]

# A page that is right in the end is right, however busy the machine is meanwhile.
expect.set_options(timeout=20_000)

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server that the tests of a session share: each makes people and organisations of its own."""
    server = Server(tmp_path_factory.mktemp("server") / "data")
    server.start()
    yield server
    server.stop()


BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Where Chromium is: the build without a window if there is one, which opens pages in less than half the time."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium. Where there is none: a skip that says so, but an error in CI."""
    path = chromium()
    if path is None:
        message = "Chromium is missing, so browser tests can't run; on Debian: apt-get install chromium-headless-shell"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    # Playwright leaves its loop in the main thread, which Django takes for asynchronous code from then on.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return {**browser_type_launch_args, "executable_path": path, "args": list(CHROMIUM_FLAGS)}


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    """`page.goto("/reports/")` leads to the shared server."""
    return server.url
