from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Composes the apps; an app itself only for its management commands and system checks."""

    name = "config"

    def ready(self) -> None:
        from config import checks, worker  # noqa: F401  (importing checks registers them)
        from config.embedded.worker import EmbeddedWorker
        from operations import checks as health

        worker.connect()
        health.local_worker = EmbeddedWorker.takes_tasks
