"""The one address of the API."""

from __future__ import annotations

from django.urls import path

from api.views import graphql

urlpatterns = [path("graphql", graphql, name="graphql")]
