"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from accounts import headless
from config import views

urlpatterns = [
    path("", views.start, name="start"),
    path("favicon.ico", views.favicon),
    path("health", views.health, name="health"),
    path("", include("operations.urls")),
    path("schemas/<str:name>.json", views.event_schema, name="event-schema"),
    path("", include("api.urls")),
    path("_allauth/app/v1/auth/signup", headless.sign_up),
    path("_allauth/app/v1/auth/login", headless.log_in),
    path("_allauth/app/v1/auth/password/request", headless.recover_password),
    path("_allauth/app/v1/auth/password/reset", headless.reset_password),
    path("_allauth/app/v1/account/password/change", headless.change_password),
    path("_allauth/app/v1/auth/email/verify/resend", headless.send_code_again),
    path("_allauth/app/v1/account/email", headless.addresses),
    path("_allauth/app/v1/account/authenticators", headless.authenticators),
    path("_allauth/app/v1/account/authenticators/totp", headless.authenticator_app),
    path("_allauth/app/v1/account/authenticators/recovery-codes", headless.recovery_codes),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("", include("answers.urls")),
    path("reports/", include("reports.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.not_found"
handler429 = views.too_many_attempts  # allauth's name for it
handler500 = "config.views.server_error"
