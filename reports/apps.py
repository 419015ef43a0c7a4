from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from eventbus import traces
        from reports import handlers, live, readings  # noqa: F401  (handlers subscribe)

        readings.connect()
        traces.explain("ReportEvent", "reports", _("Report stored; open tabs are told as soon as this commits"))
        traces.explain_moment(
            live.PUSHED,
            _("Pushed to open tabs"),
            _("When the channel layer had taken the hint; whether a tab was open is not known"),
        )
        traces.explain_moment(
            live.NOT_PUSHED,
            _("Push to open tabs failed"),
            _("The channel layer did not take the hint; tabs fetch the report when they connect again"),
        )
