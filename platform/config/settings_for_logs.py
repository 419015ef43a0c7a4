"""Settings of the log, a part of `config.settings`: ids, never answers, addresses or secrets."""

from __future__ import annotations

from environs import validate

from config.environment import env

LOG_LEVEL = env.str("LOG_LEVEL", "WARNING", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
# The security log has a level of its own: INFO also tells of what went right, WARNING only of what was refused.
SECURITY_LOG = env.str("SECURITY_LOG", "INFO", validate=validate.OneOf(["INFO", "WARNING", "CRITICAL"]))
LOG_FORMAT = env.str("LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "correlation": {"()": "config.logs.CorrelationFilter"},
        "health": {"()": "config.logs.UnwellFilter"},
        "clients": {"()": "config.logs.BrokenMessageFilter"},
        "frames": {"()": "config.logs.FramesFilter"},
    },
    "formatters": {
        "text": {
            "()": "config.logs.TextFormatter",
            "style": "{",
            "format": "{asctime} {levelname} {name} [{correlation}] {message}",
        },
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "terminal": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["correlation"]},
    },
    "root": {"handlers": ["terminal"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # Refused requests are everyday life, not news for the operator.
        "django.request": {"level": "ERROR", "filters": ["health"]},
        "django.security": {"level": "CRITICAL"},
        "plumbline.security": {"level": SECURITY_LOG},
        # Its own handler, which `uvicorn` brings along, writes what errors say.
        "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},
        "uvicorn.error": {"handlers": [], "filters": ["clients", "frames"], "propagate": True},
    },
}
