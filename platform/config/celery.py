"""The Celery application: `celery -A config worker` in production, a thread of `manage.py up` in the embedded mode."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, signals
from celery.loaders.app import AppLoader
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from config import redis_broker
from config.embedded import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
broker.register()
redis_broker.register()


class Loader(AppLoader):
    """Says what is wrong with the settings and ends: `celery` is the first to read them in a worker."""

    def config_from_object(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().config_from_object(*args, **kwargs)
        except (EnvError, ImproperlyConfigured) as error:
            sys.exit(f"Plumbline's configuration is wrong: {error}")


path_before = list(sys.path)
app = Celery("plumbline", loader=f"{__name__}:Loader")
# Celery puts the working folder first on the path: a folder answers/ there would be taken for ours.
sys.path[:] = path_before
# Celery keeps the current app per thread: without a default, threads of the web server would use an unconfigured one.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_the_log_to_django(**kwargs: Any) -> None:
    """Else `celery worker` would set the root's level to its own, whatever LOG_LEVEL says."""
