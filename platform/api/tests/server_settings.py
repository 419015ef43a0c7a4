"""The product's settings with the tests' schema, for servers in processes of their own."""

from __future__ import annotations

from config.settings import *  # noqa: F403

GRAPHENE = {"SCHEMA": "api.tests.schema.schema"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each test logs in.
ACCOUNT_RATE_LIMITS = {"login": "10000/m/ip"}
