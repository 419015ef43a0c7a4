"""Settings of accounts and sessions, a part of `config.settings`: the same in both modes."""

from __future__ import annotations

from environs import validate

from config.environment import env, refuse_no_plain_rate

# --- people --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AuthenticationBackend"]
SESSION_ENGINE = "accounts.sessions"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS += [{"NAME": "accounts.passwords.NotOfThisInstallation"}]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 10}  # type: ignore[assignment]
# The first one is what new hashes are made with, once no process runs that can't read it (accounts.hashers).
PASSWORD_HASHERS = ["accounts.hashers.Argon2id", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/questionnaires/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.forms.ChangeAddressForm",
    "confirm_email_verification_code": "accounts.forms.ConfirmAddressForm",
    "confirm_password_reset_code": "accounts.forms.RecoverByCodeForm",
    "reset_password": "accounts.forms.RecoverPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
# Mail may take its time. Pages and mails name the minutes, and a code that is sent again (at most twice) starts them
# again.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_TIMEOUT = 3 * 15 * 60
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True  # one address a person; the old one stays until the new one is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Limits of those who are not known yet, by address alone: a whole training room has one. All others are allauth's
# defaults: https://docs.allauth.org/en/latest/account/rate_limits.html
_from_one_address = env.str("LIMIT_SIGN_UPS_ADDRESS", "120/m", validate=refuse_no_plain_rate)
ACCOUNT_RATE_LIMITS = {
    "signup": f"{_from_one_address}/ip",
    "login": env.str("LIMIT_SIGN_INS_ADDRESS", "240/m", validate=refuse_no_plain_rate) + "/ip",
    "reset_password": f"{_from_one_address}/ip,5/m/key",
    "reset_password_from_key": f"{_from_one_address}/ip",
    # Guesses at passwords are counted by `accounts.guessing`; these are wrong codes of a second factor.
    "login_failed": "5/300s/key",
}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# The second factor at sign-in: an authenticator app, with recovery codes for a lost phone.
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.ConfirmByCodeForm",
    "activate_totp": "accounts.forms.SwitchOnForm",
}

# --- when sessions end ------------------------------------------------------------------------------------------------
# Days after signing in, however much a session is used; and days without a request.
SESSION_COOKIE_AGE = 86_400 * env.int("SESSION_DAYS", 14, validate=validate.Range(1, 365))
SESSION_IDLE_DAYS = env.int("SESSION_IDLE_DAYS", 7, validate=validate.Range(1, 365))
# Minutes without a page of the administration after which it asks for password or code again; and how old such a
# confirmation (or the sign-in) may be where something is changed there.
ADMIN_IDLE_MINUTES = env.int("ADMIN_IDLE_MINUTES", 30, validate=validate.Range(1))
ADMIN_CONFIRM_MINUTES = env.int("ADMIN_CONFIRM_MINUTES", 15, validate=validate.Range(1))

# Native clients sign up, log in and log out by JSON, below /_allauth/app/v1/, and get a token instead of a cookie.
# Browsers have the pages. The token is the session's key: one look-up, and logging out ends both.
HEADLESS_CLIENTS = ("app",)
