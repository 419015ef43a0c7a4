"""Threads for what sockets ask of the database: a socket waits on the server's loop, which nothing may hold up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a thread of the pool, in the context of the caller.

    A cancelled wait does not stop the function: a mutation that has begun is finished.
    """
    loop = asyncio.get_running_loop()
    context = copy_context()

    def call() -> R:
        close_old_connections()
        try:
            return context.run(function, *args, **kwargs)
        finally:
            close_old_connections()

    return await loop.run_in_executor(_pool(), call)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.SOCKET_THREADS, thread_name_prefix="socket")
