"""The in-process event bus: publish facts, subscribe to them, lose none.

    from eventbus import Retry, publish, subscribe

    publish(AnswerEvent(...))                       # inside transaction.atomic()

    @subscribe(ReportEvent, source="security", name="reports.store")
    def store(event: ReportEvent) -> None: ...      # in <app>/handlers.py, imported by AppConfig.ready()
"""
