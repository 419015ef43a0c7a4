"""Addresses of our own below /accounts/; the others are allauth's."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("setup/<str:token>/", views.setup_administrator, name="account_setup"),
]
