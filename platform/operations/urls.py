"""Addresses for machines."""

from __future__ import annotations

from django.urls import path

from operations import views

urlpatterns = [
    path("health/ready", views.ready, name="health-ready"),
    path("metrics", views.metrics, name="metrics"),
]
