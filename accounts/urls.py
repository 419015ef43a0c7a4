"""Addresses of our own below /accounts/; the others are allauth's."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("setup/<str:token>/", views.setup_administrator, name="account_setup"),
    # Under allauth's own addresses and names.
    path("2fa/totp/activate/", views.switch_on, name="mfa_activate_totp"),
    path("2fa/recovery-codes/", views.recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/download/", views.recovery_codes_file, name="mfa_download_recovery_codes"),
    path("2fa/recovery-codes/generate/", views.new_recovery_codes, name="mfa_generate_recovery_codes"),
]
