"""The address of the WebSocket."""

from __future__ import annotations

from django.urls import path

from api.consumers import graphql_socket

websocket_urlpatterns = [path("graphql", graphql_socket)]  # type: ignore[arg-type]  # Channels routes by path(), too
