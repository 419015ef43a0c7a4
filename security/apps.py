from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SecurityConfig(AppConfig):
    name = "security"
    verbose_name = _("Security evaluation")

    def ready(self) -> None:
        from security import handlers  # noqa: F401  (subscribes)
