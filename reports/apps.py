from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from eventbus import traces
        from reports import handlers  # noqa: F401  (subscribes)

        # The hint to open tabs leaves with the commit that ends `reports.store`; it leaves no row of its own.
        traces.explain("ReportEvent", "reports", _("Report stored; open tabs are told as soon as this commits"))
