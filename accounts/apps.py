from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and organisations")

    def ready(self) -> None:
        """Listen to what Django and allauth tell."""
        from accounts import security_events, signal_handlers, unconfirmed, waiting

        signal_handlers.connect()
        security_events.connect()
        waiting.connect()
        unconfirmed.connect()
