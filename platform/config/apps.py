from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Composes the apps; an app itself only for its management commands and system checks."""

    name = "config"

    def ready(self) -> None:
        from accounts import erasure
        from answers import erasing as answers
        from answers import outcomes
        from config import checks, headers, noting, worker  # noqa: F401  (importing checks registers them)
        from config.embedded.worker import EmbeddedWorker
        from eventbus import erasing as events
        from mailing import erasing as mails
        from operations import checks as health
        from reports import erasing as reports
        from reports import problems

        worker.connect()
        noting.connect()
        headers.connect()
        outcomes.connect(problems.came_to_nothing)
        erasure.compose(reports, answers, events, mails)
        health.local_worker = EmbeddedWorker.takes_tasks
