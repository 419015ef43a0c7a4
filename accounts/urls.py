"""Addresses of our own below /accounts/; the others are allauth's."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
