from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailingConfig(AppConfig):
    name = "mailing"
    verbose_name = _("Mail")

    def ready(self) -> None:
        """Subscribe the sender, and let sweepers empty what nobody needs any more."""
        from mailing import handlers, keeping  # noqa: F401  (importing handlers subscribes)

        keeping.connect()
