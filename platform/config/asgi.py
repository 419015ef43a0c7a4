"""The ASGI application: pages by Django, live reports by Channels."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack  # noqa: E402  (needs the app registry)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from config.http import PooledHandler  # noqa: E402
from config.sockets import OurPagesOnly, refuse  # noqa: E402
from reports.routing import websocket_urlpatterns  # noqa: E402

sockets = [*websocket_urlpatterns, re_path("", refuse)]  # type: ignore[arg-type]  # Channels routes by re_path(), too

application = ProtocolTypeRouter(
    {
        "http": PooledHandler(settings.WEB_THREADS),
        "websocket": OurPagesOnly(AuthMiddlewareStack(URLRouter(sockets))),  # type: ignore[arg-type]
    }
)
