from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventbusConfig(AppConfig):
    name = "eventbus"
    verbose_name = _("Events")

    def ready(self) -> None:
        from eventbus import wakeups

        wakeups.connect()
