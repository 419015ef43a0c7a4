"""Addresses of WebSockets."""

from __future__ import annotations

from django.urls import path

from reports.consumers import LiveReports

websocket_urlpatterns = [path("ws/reports/", LiveReports.as_asgi())]  # type: ignore[arg-type]  # Channels routes by path(), too
