"""Settings: the embedded mode first; each switch is one environment variable, listed in `.env.example`."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

from django.utils.translation import gettext_lazy as _
from environs import validate
from kombu import Queue

from config import hosts, production
from config.environment import ROOT, env, refuse_no_rate, refuse_unknown_time_zone
from config.settings_for_logs import *  # noqa: F403
from config.settings_for_people import *  # noqa: F403
from throttling import rates

# --- where this installation lives ---------------------------------------------------------------------------------
# Empty is not set: the folder in which somebody happens to stand is no place for secrets.
DATA_DIR = Path(env.str("DATA_DIR", "") or ROOT / "var").expanduser().resolve()
HOST = env.str("HOST", "") or "127.0.0.1"
PORT = env.int("PORT", 8000, validate=validate.Range(1, 65535))
# An address of this machine that is listened on is one to open; 0.0.0.0 is none.
_own_name = "localhost" if HOST in hosts.LOOPBACK or hosts.is_everywhere(HOST) else hosts.in_address(HOST)
BASE_URL = env.str("BASE_URL", f"http://{_own_name}:{PORT}").rstrip("/")
DEBUG = False


# --- which mode: with both of these, any number of processes on PostgreSQL and Redis ---------------------------------
DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
PRODUCTION = bool(DATABASE_URL or REDIS_URL)
# "web" in web servers (config.asgi says so), empty in workers and commands: it decides about database connections.
PROCESS = env.str("PLUMBLINE_PROCESS", "", validate=validate.OneOf(["", "web"]))


def _read_secret_key() -> str:
    """The key from the environment, or the one that `manage.py up` wrote; empty before its first start."""
    key = env.str("SECRET_KEY", "")
    if not key and not PRODUCTION:
        with suppress(OSError):
            key = (DATA_DIR / "secret_key").read_text().strip()
    return key


SECRET_KEY = _read_secret_key()
# Older keys, which still open what was signed or encrypted with them.
SECRET_KEY_FALLBACKS = [key for key in env.list("SECRET_KEY_FALLBACKS", [], subcast=str) if key]
EMAIL_URL = env.str("EMAIL_URL", "")
# "closed": administrators make people; nobody signs up.
SIGNUP = env.str("SIGNUP", "open", validate=validate.OneOf(["open", "closed"]))
# Hours in which the link of the first administrator has to be used, and days in which somebody who signs up has to
# confirm the address; a sign-up that nobody confirmed is removed then. 0 days: never.
SETUP_LINK_HOURS = env.int("SETUP_LINK_HOURS", 24, validate=validate.Range(1, 720))
UNCONFIRMED_DAYS = env.int("UNCONFIRMED_DAYS", 7, validate=validate.Range(0, 3650))
# Reverse proxies of the operator's own that each request passes. From the last of them come the client's address and
# whether it used TLS; what others claim in those headers is not believed.
# Empty is not set, as for the addresses: a line that was copied and not filled in.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", validate=validate.Range(0, 10)) if env.str("TRUSTED_PROXIES", "") else None

if PRODUCTION:
    production.refuse_half_made(
        production.Installation(
            database_url=DATABASE_URL,
            redis_url=REDIS_URL,
            base_url=BASE_URL,
            secret_key=SECRET_KEY,
            email_url=EMAIL_URL,
            signup=SIGNUP,
            trusted_proxies=TRUSTED_PROXIES,
            debug=env.bool("DEBUG", False),
        )
    )
    REDIS_URL = production.redis_address(REDIS_URL)

# The host of BASE_URL is answered without a word, so that one setting is enough, and in the embedded mode this machine.
_local_names = [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", hosts.with_host_of(BASE_URL, _local_names))
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# --- apps ----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config",
    "allauth",
    "allauth.account",  # before accounts, whose administration replaces its own
    "allauth.headless",
    "allauth.mfa",
    "accounts",
    "answers",
    "security",
    "reports",
    "questionnaires",
    "eventbus",
    "mailing",
    "operations",
    "api",
    "graphene_django",
    "config.administration.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
]

MIDDLEWARE = [
    "config.headers.Headers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.static_files.StaticFilesMiddleware",
    "config.cookies.HostCookies",
    "eventbus.middleware.CorrelationMiddleware",
    "operations.middleware.CountedRequests",
    "config.refusals.Refusals",
    "config.too_often.TooOften",  # around the messages, which say the wait in the end
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.json_bodies.ReadableBodies",
]

ROOT_URLCONF = "config.urls"
# Requests that are worked on at once in one web process; the others wait.
WEB_THREADS = env.int("WEB_THREADS", 8, validate=validate.Range(1, 256))
# GraphQL operations on WebSockets that are worked on at once in one web process, look-ups of sessions among them.
SOCKET_THREADS = env.int("SOCKET_THREADS", 4, validate=validate.Range(1, 256))
# Seconds in which a client has to send the head of a request, and its body: a larger body has longer (`config.bodies`).
HEAD_SECONDS = env.float("HEAD_SECONDS", 10.0, validate=validate.Range(0.1, 300))
BODY_SECONDS = env.float("BODY_SECONDS", 30.0, validate=validate.Range(0.1, 600))
# Bytes of a request's body. /graphql has a limit of its own, below; a section's form may have as many as Django's
# DATA_UPLOAD_MAX_MEMORY_SIZE and fields for some 250 questions.
MAX_BODY = env.int("MAX_BODY", 512 * 1024, validate=validate.Range(1_024))
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000
# Bytes of all bodies that one web process keeps at a time, of which one address may have a quarter.
BODY_ROOM = env.int("BODY_ROOM", 64 * 1024 * 1024, validate=validate.Range(4 * DATA_UPLOAD_MAX_MEMORY_SIZE))
# WebSockets of a person in one web process, and those from one address of which nobody knows yet whose they are.
SOCKETS_PER_PERSON = env.int("SOCKETS_PER_PERSON", 20, validate=validate.Range(1))
SOCKETS_PER_ADDRESS = env.int("SOCKETS_PER_ADDRESS", 100, validate=validate.Range(1))
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.signup",
                "accounts.context.organisation",
            ],
        },
    },
]

# --- database ------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        "ENGINE": "config.embedded.database",
        "NAME": DATA_DIR / "plumbline.sqlite3",
        # Web and worker threads stay, and keep their connections.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # IMMEDIATE: a transaction that reads first must not fail when it writes later.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: an answer whose save was acknowledged survives a power cut (0.3 ms a commit instead of 0.02 ms).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    },
}
if PRODUCTION:
    # A web server's threads share a pool (tabs look sessions up, too); a worker's threads keep their connections.
    _pool = WEB_THREADS + SOCKET_THREADS + 4 if PROCESS == "web" else 0
    DATABASES = {"default": production.database(DATABASE_URL, pool=_pool)}

# --- cache, channels, Celery ---------------------------------------------------------------------------------------
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "config.embedded.channel_layer.ThreadSafeInMemoryChannelLayer",
        # All sockets' hints come through one channel; the layer's own limit of 100 is one for a single socket.
        "CONFIG": {"channel_capacity": {"hub.*": 10_000}},
    }
}

CELERY_BROKER_URL = "embedded://localhost"  # config.embedded.broker
# One try: by default a dead broker costs a request twelve seconds, and the sweep delivers anyway.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0}
if PRODUCTION:
    CACHES = {"default": production.cache(REDIS_URL)}
    CHANNEL_LAYERS = {"default": production.channel_layer(REDIS_URL)}
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = production.broker_options()
    if REDIS_URL.startswith("rediss:"):
        CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
# A module's wake-ups have a queue of their own, so that each scales by itself: `celery -A config worker -Q security`.
# A worker without -Q takes all of them. What calls out has threads of its own in each process that takes its queue.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "security", "reports", "mail")]
CELERY_TASK_ROUTES = ["eventbus.tasks.route"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONSUMER = "config.consumer:Consumer"
# Without it Celery closes the database connection after every task.
CELERY_DB_REUSE_MAX = 10_000
# Read by the Procfile, which gives it to Celery; to Celery 0 would mean as many as there are cores.
if env.str("WORKER_CONCURRENCY", ""):
    env.int("WORKER_CONCURRENCY", validate=validate.Range(1, 256))
WORKER_THREADS = env.int("WORKER_THREADS", 4, validate=validate.Range(1, 64))
# Seconds that an event may wait for its delivery, and that all workers may be silent, before `/health/ready` turns red.
HEALTH_MAX_EVENT_AGE = env.int("HEALTH_MAX_EVENT_AGE", 300, validate=validate.Range(1))
HEALTH_MAX_WORKER_SILENCE = env.int("HEALTH_MAX_WORKER_SILENCE", 60, validate=validate.Range(10))
# While an upgrade may still be taken back: go on writing cookies, password hashes and events as the version before
# reads them. Else that ends by itself, a minute after the last older process was heard.
WRITE_OLD_FORMS = env.bool("WRITE_OLD_FORMS", False)
# Who sends it may read `/metrics`; without it only programs on this machine.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# Whether a worker delivers what its own handler published right after the commit, without the way through the broker
# (saves a wake-up of about 2 ms a step). A worker of some queues leaves the others' subscribers to theirs.
EVENTBUS_INLINE_FOLLOWUPS = True
# Days that a delivery is kept after it was done or skipped, and an event after it was published; 0: forever.
# What is undelivered or dead is never pruned. A replay reaches back as far as the events do.
EVENTBUS_KEEP_DELIVERIES = env.int("EVENTBUS_KEEP_DELIVERIES", 30, validate=validate.Range(0))
EVENTBUS_KEEP_EVENTS = env.int("EVENTBUS_KEEP_EVENTS", 365, validate=validate.Range(0))
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For as long as it takes: the sweeper delivers all the time.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None

# --- people: the rest is in config.settings_for_people ------------------------------------------------------------
ACCOUNT_DEFAULT_HTTP_PROTOCOL = BASE_URL.split(":", 1)[0]
# "administrators": nobody enters the administration without one. "optional": each person decides.
_second_factor = "administrators" if PRODUCTION else "optional"
SECOND_FACTOR = env.str("SECOND_FACTOR", _second_factor, validate=validate.OneOf(["optional", "administrators"]))

# --- GraphQL -------------------------------------------------------------------------------------------------------
GRAPHENE = {"SCHEMA": "config.schema.schema"}
# Whether people who are logged in may ask for the schema itself, and get GraphiQL at /graphql. In production the
# schema is what schema.graphql says.
GRAPHQL_INTROSPECTION = env.bool("GRAPHQL_INTROSPECTION", not PRODUCTION)
GRAPHIQL = env.bool("GRAPHIQL", not PRODUCTION)
# A file of operations (graphql-codegen's persisted documents, or Apollo's manifest): then only those are executed.
GRAPHQL_OPERATIONS = env.str("GRAPHQL_OPERATIONS", "")
# What an operation may have at most; `api.limits.Limits` says what each of them counts.
GRAPHQL_MAX_LENGTH = env.int("GRAPHQL_MAX_LENGTH", 50_000, validate=validate.Range(1))
GRAPHQL_MAX_TOKENS = env.int("GRAPHQL_MAX_TOKENS", 2_000, validate=validate.Range(1))
GRAPHQL_MAX_DEPTH = env.int("GRAPHQL_MAX_DEPTH", 16, validate=validate.Range(1))
GRAPHQL_MAX_ALIASES = env.int("GRAPHQL_MAX_ALIASES", 100, validate=validate.Range(0))
GRAPHQL_MAX_DIRECTIVES = env.int("GRAPHQL_MAX_DIRECTIVES", 50, validate=validate.Range(0))
GRAPHQL_MAX_FIELDS = env.int("GRAPHQL_MAX_FIELDS", 1_000, validate=validate.Range(1))
GRAPHQL_MAX_OVERLAPS = env.int("GRAPHQL_MAX_OVERLAPS", 2_000, validate=validate.Range(1))
GRAPHQL_MAX_COST = env.int("GRAPHQL_MAX_COST", 20_000, validate=validate.Range(1))
# Bytes of a request to /graphql; a message on its WebSocket may have as many.
GRAPHQL_MAX_BODY = env.int("GRAPHQL_MAX_BODY", 64 * 1024, validate=validate.Range(1_024))
# Operations that one WebSocket may have running at a time.
GRAPHQL_MAX_OPERATIONS = env.int("GRAPHQL_MAX_OPERATIONS", 100, validate=validate.Range(1))
# Operations that one person may have running at a time on all WebSockets of a web process.
GRAPHQL_MAX_OPERATIONS_PER_PERSON = env.int("GRAPHQL_MAX_OPERATIONS_PER_PERSON", 200, validate=validate.Range(1))
# Seconds after which an open WebSocket looks its session up anew, besides before each event that it delivers.
GRAPHQL_RECHECK_SECONDS = env.float("GRAPHQL_RECHECK_SECONDS", 5.0, validate=validate.Range(0.1, 60))
# Seconds in which a WebSocket has to say connection_init, and in which a client has to read what it is sent.
GRAPHQL_INIT_SECONDS = env.float("GRAPHQL_INIT_SECONDS", 3.0, validate=validate.Range(0.1, 300))
GRAPHQL_SEND_SECONDS = env.float("GRAPHQL_SEND_SECONDS", 10.0, validate=validate.Range(0.1, 300))
# What people, by their keys, belong to: a socket closes when it changes, so that its client connects anew with what is
# seen now.
GRAPHQL_STANDING = "accounts.standing.standings_of"

# --- how much in a while: token buckets, in memory or in Redis -----------------------------------------------------
# "5/s,40": 40 at once, and 5 more each second. "off": no limit. What goes beyond gets 429 with Retry-After.
THROTTLING = {
    "save-person": rates.read(env.str("LIMIT_SAVES_PERSON", "5/s,40", validate=refuse_no_rate)),
    "save-organisation": rates.read(env.str("LIMIT_SAVES_ORGANISATION", "50/s,100", validate=refuse_no_rate)),
    "submit-person": rates.read(env.str("LIMIT_SUBMITS_PERSON", "10/m", validate=refuse_no_rate)),
    "start-person": rates.read(env.str("LIMIT_STARTS_PERSON", "10/m", validate=refuse_no_rate)),
    # What operations of the API cost, counted as GRAPHQL_MAX_COST counts it.
    "api-person": rates.read(env.str("LIMIT_API_COST_PERSON", "50000/m", validate=refuse_no_rate)),
}
# Seconds within which further hints of one open tab, or looks of one subscription, are merged; the first goes at once.
LIVE_MERGE_SECONDS = env.float("LIVE_MERGE_SECONDS", 0.15, validate=validate.Range(0, 5))
# Drafts of one organisation; for another one somebody submits or deletes one first.
MAX_DRAFTS = env.int("MAX_DRAFTS", 200, validate=validate.Range(1))
# --- the administration ----------------------------------------------------------------------------------------------
# Whose rows a person sees there, by organisation.
REVIEWED_ORGANISATIONS = "accounts.reviewers.given_to"

# --- mail ----------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "config.embedded.mail.TerminalAndFolderBackend"
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
if EMAIL_URL:
    _server = production.mail_server(EMAIL_URL)
    EMAIL_BACKEND = "mailing.smtp.PunctualBackend"
    EMAIL_HOST, EMAIL_PORT = _server.host, _server.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _server.user, _server.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = _server.starttls, _server.tls
    EMAIL_TIMEOUT = 10
elif PRODUCTION:
    # Printed mails would put codes into the log. plumbline.W004 says that nobody gets any.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Plumbline <plumbline@localhost>")


# --- texts ---------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [ROOT / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC", validate=refuse_unknown_time_zone)

# --- static files --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# Nothing is collected: files are found where they lie, at the start.
STATIC_ROOT = None if PRODUCTION else DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = True

# --- what browsers may do ------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES or 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# Browsers that came by https once come by nothing else for so long.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 365 * 86_400 if PRODUCTION else 0, validate=validate.Range(0))
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health", r"^metrics"]  # asked from inside, without TLS
# HSTS for subdomains and preloading bind other services of the operator's domain: his choice, made in his proxy.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
