"""Addresses of our own below /accounts/; the others are allauth's."""

from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("sessions/", views.sessions, name="account_sessions"),
    path("first-steps/", views.first_steps, name="account_first_steps"),
    path("setup/<str:token>/", views.setup_administrator, name="account_setup"),
    # Under allauth's own addresses and names.
    path("signup/", views.sign_up, name="account_signup"),
    path("confirm-email/", views.confirm_address, name="account_email_verification_sent"),
    path("password/reset/confirm/", views.recover_by_code, name="account_confirm_password_reset_code"),
    path("password/reset/complete/", views.set_recovered_password, name="account_complete_password_reset"),
    path("2fa/authenticate/", views.ask_for_second_factor, name="mfa_authenticate"),
    path("2fa/totp/activate/", views.switch_on, name="mfa_activate_totp"),
    path("2fa/recovery-codes/", views.recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/download/", views.recovery_codes_file, name="mfa_download_recovery_codes"),
    path("2fa/recovery-codes/generate/", views.new_recovery_codes, name="mfa_generate_recovery_codes"),
]
