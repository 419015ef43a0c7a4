"""Events and their JSON form, CloudEvents 1.0 (https://cloudevents.io, spec.md and json-format.md).

An event is a frozen dataclass that states a fact. Its JSON form is what the outbox stores and what a handler
receives, in both modes: an event that does not survive the round trip is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

type_registry: dict[str, type[Event]] = {}
"""Every concrete event class by its CloudEvents `type`."""


class ContractError(ValueError):
    """An event, or its JSON form, that breaks its contract. Trying again can never help."""


class UnknownForm(ValueError):
    """The JSON form of an event that this code can't read, though it need not be wrong: another type, another version
    of the contract, a state that it does not know. A process of a newer version may read it, this one after an upgrade.
    """


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact that one module tells the others.

    Subclasses add the fact itself; these fields are the envelope. Two events are the same fact when their
    `id` is the same. Readers ignore members that they do not know: a newer version may have added them.
    """

    __pydantic_config__ = ConfigDict(extra="ignore", use_attribute_docstrings=True)

    TYPE: ClassVar[str] = ""
    """The CloudEvents `type`, for example "AnswerEvent"."""
    VERSION: ClassVar[int] = 1
    """The version of the contract. It rises only with a change that old readers can't follow."""

    id: UUID = field(default_factory=uuid4)
    """Names this event; unique for all time."""
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the fact came to be (UTC, the clock of the process that states it)."""
    correlation_id: UUID | None = None
    """One id from a person's request to the last push; `publish` fills it in where it is None."""
    causation_id: UUID | None = None
    """The id of the event whose handling brought this one about; None where a person did."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if cls.TYPE:
            type_registry[cls.TYPE] = cls

    @property
    def source(self) -> str:
        """The module that states the fact: "answers", "security", "reports", "mailing" or "accounts"."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Events of one key are handled in the order in which they were published (CloudEvents `subject`)."""
        raise NotImplementedError

    @property
    def organisation_id(self) -> UUID:
        """The organisation to whom the fact belongs."""
        raise NotImplementedError

    @property
    def supersedable(self) -> bool:
        """Whether a newer event of the same key makes this one pointless for subscribers that coalesce."""
        return False

    @classmethod
    def dataschema(cls) -> str:
        """The path under which the contract's JSON Schema is served."""
        return f"/schemas/{cls.TYPE}.v{cls.VERSION}.json"

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the event's `data`."""
        schema = _adapter(cls).json_schema(mode="serialization")
        for name in _ENVELOPE:
            schema["properties"].pop(name, None)
        schema["required"] = [name for name in schema.get("required", []) if name not in _ENVELOPE]
        return schema

    def to_cloudevent(self) -> dict[str, Any]:
        """Give the event's JSON form, checked against its contract.

        Raises ContractError with the place and the reason when a field breaks it.
        """
        try:
            document = _adapter(type(self)).dump_python(self, mode="json", warnings="error")
        except PydanticSerializationError as error:
            raise ContractError(f"{self.TYPE} holds a value of the wrong type") from error
        envelope = {name: document.pop(name) for name in _ENVELOPE}
        extensions = {
            "correlationid": envelope["correlation_id"],
            "causationid": envelope["causation_id"],
        }
        cloudevent = {
            "specversion": "1.0",
            "id": envelope["id"],
            "source": f"/{self.source}",
            "type": self.TYPE,
            "subject": self.key,
            "time": envelope["time"],
            "dataschema": self.dataschema(),
            "datacontenttype": "application/json",
            **{name: value for name, value in extensions.items() if value is not None},
            "data": document,
        }
        self.from_cloudevent(cloudevent)
        return cloudevent

    @classmethod
    def from_cloudevent(cls, document: Mapping[str, Any]) -> Self:
        """Read an event of this class from its JSON form, whatever members newer versions have added.

        Raises UnknownForm where only other code can read it, and ContractError where it does not fit.
        """
        for name, wanted in (("specversion", "1.0"), ("type", cls.TYPE), ("dataschema", cls.dataschema())):
            found = document.get(name)
            if not isinstance(found, str):
                raise ContractError(f"{name}: a text is needed")
            if found != wanted:
                raise UnknownForm(f"{name}: this version reads {wanted}, not {found!r}. {_UNTIL}")
        return cls.salvaged(document)

    @classmethod
    def salvaged(cls, document: Mapping[str, Any]) -> Self:
        """What can be read of a document, whatever its version. Only for saying whom it was about; raises UnknownForm
        or ContractError where not even that can be read."""
        data = document.get("data")
        if not isinstance(data, Mapping):
            raise ContractError("data: an object is needed")
        flat = {
            **data,
            "id": document.get("id"),
            "time": document.get("time"),
            "correlation_id": document.get("correlationid"),
            "causation_id": document.get("causationid"),
        }
        try:
            event: Self = _adapter(cls).validate_python(flat)
        except ValidationError as error:
            if any(problem["type"] == "literal_error" for problem in error.errors(include_input=False)):
                raise UnknownForm(f"{explain(error)}. {_UNTIL}") from None
            raise ContractError(explain(error)) from None
        return event


_UNTIL = "Where a newer version wrote it, its processes read it, these ones after the upgrade"
_ENVELOPE = tuple(f.name for f in fields(Event))


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    """Pydantic's reader and writer of the class; building one is slow, so it is kept."""
    if cls not in _adapters:
        _adapters[cls] = TypeAdapter(cls)
    return _adapters[cls]


def explain(error: ValidationError) -> str:
    """Say what breaks the contract and where, without the values: they may be a customer's answers."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'event'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    )


def event_from_cloudevent(document: Mapping[str, Any]) -> Event:
    """Read any known event from its JSON form; raises UnknownForm for an unknown type and where `from_cloudevent` does,
    ContractError for a misfit."""
    known = type_registry.get(str(document.get("type")))
    if known is None:
        raise UnknownForm(f"type: this version knows no {document.get('type')!r}. {_UNTIL}")
    return known.from_cloudevent(document)
