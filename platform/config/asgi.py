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

from api import execution
from api.routing import websocket_urlpatterns as api_sockets
from config.clients import clients
from config.cookies import HostCookiesOfSockets
from config.http import PooledHandler
from config.processor import settle
from config.sockets import OurPagesOnly, refuse
from operations.heartbeat import WebHeart
from operations.sockets import CountedSockets
from reports.routing import websocket_urlpatterns
from sockets.seats import Seated

pages = URLRouter([*websocket_urlpatterns, re_path("", refuse)])  # type: ignore[list-item, arg-type]
# The API looks its people up itself: by token too, and anew while they are connected.
sockets = URLRouter([*api_sockets, re_path("", OurPagesOnly(AuthMiddlewareStack(pages)))])  # type: ignore[list-item, arg-type]

application = ProtocolTypeRouter(
    {
        "http": PooledHandler(settings.WEB_THREADS),
        "websocket": Seated(CountedSockets(HostCookiesOfSockets(sockets)), clients.origin_of),
    }
)
# Building it takes a while, for which nobody who asks should have to wait.
execution.schema()

if settings.PRODUCTION:  # in the embedded mode the sweeper of this very process beats
    WebHeart().start()

settle()
