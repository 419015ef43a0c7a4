"""The facts that the apps exchange. Plain Python: no Django, no Celery, no Channels."""

from contracts.answers import AnswerEvent, AnswerSnapshot, GivenAnswer, QuestionnaireRef
from contracts.cloudevents import ContractError, Event, UnknownForm, event_from_cloudevent
from contracts.mails import MailEvent
from contracts.organisations import OrganisationEvent
from contracts.reports import ReportEvent, ReportSnapshot

__all__ = [
    "AnswerEvent",
    "AnswerSnapshot",
    "ContractError",
    "Event",
    "GivenAnswer",
    "MailEvent",
    "OrganisationEvent",
    "QuestionnaireRef",
    "ReportEvent",
    "ReportSnapshot",
    "UnknownForm",
    "event_from_cloudevent",
]
