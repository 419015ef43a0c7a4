from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and organisations")

    def ready(self) -> None:
        """Listen to what allauth tells."""
        from accounts import signal_handlers

        signal_handlers.connect()
