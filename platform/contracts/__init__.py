"""The facts that the apps exchange. Plain Python: no Django, no Celery, no Channels."""

from contracts.answers import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef
from contracts.cloudevents import ContractError, Event, event_from_cloudevent
from contracts.reports import ReportEvent, ReportSnapshot

__all__ = [
    "AnswerEvent",
    "AnswerSnapshot",
    "ContractError",
    "Event",
    "GivenAnswer",
    "QuestionnaireRef",
    "ReportEvent",
    "ReportSnapshot",
    "event_from_cloudevent",
]
