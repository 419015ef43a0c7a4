"""The ASGI application: pages by Django, live reports by Channels."""

from __future__ import annotations

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["PLUMBLINE_PROCESS"] = "web"
try:
    django.setup(set_prefix=False)
except (EnvError, ImproperlyConfigured) as error:
    sys.exit(f"Plumbline's configuration is wrong: {error}")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from config.http import PooledHandler
from config.sockets import OurPagesOnly, refuse
from operations.sockets import CountedSockets
from reports.routing import websocket_urlpatterns

sockets = [*websocket_urlpatterns, re_path("", refuse)]  # type: ignore[arg-type]  # Channels routes by re_path(), too

application = ProtocolTypeRouter(
    {
        "http": PooledHandler(settings.WEB_THREADS),
        "websocket": OurPagesOnly(CountedSockets(AuthMiddlewareStack(URLRouter(sockets)))),  # type: ignore[arg-type]
    }
)
