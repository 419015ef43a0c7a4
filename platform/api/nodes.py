"""Objects that have an id of their own. Each type says who may see its objects; there is no other way to them."""

from __future__ import annotations

from typing import Any

import graphene
from django.db.models import QuerySet
from graphene_django import DjangoObjectType

from api import ids
from api.refusals import person


class Node(graphene.Interface):
    """Something that can be asked for again by its id alone."""

    id = graphene.ID(
        required=True,
        description="Names this object and its type. Opaque: keep it and hand it back as it is.",
    )

    @classmethod
    def resolve_type(cls, instance: Any, info: Any) -> Any:
        """The type of the schema that shows such an object."""
        known = info.schema.get_possible_types(info.schema.get_type(cls._meta.name))
        return next(kind.graphene_type for kind in known if isinstance(instance, kind.graphene_type.shows()))


class ModelNode(DjangoObjectType):
    """A node that shows a model's rows.

    graphene-django's own way in, `get_node`, hands out any row by its key; this one asks `visible_to`.
    """

    class Meta:
        abstract = True

    @classmethod
    def shows(cls) -> type:
        """The class whose instances this type shows."""
        model: type = cls._meta.model
        return model

    @classmethod
    def visible_to(cls, user: Any) -> QuerySet[Any]:
        """The rows that this person may see."""
        raise NotImplementedError(f"{cls.__name__} does not say who may see its objects")

    @classmethod
    def get_node(cls, info: Any, key: str) -> Any:
        """The row with this key, or None, also where it is somebody else's."""
        pk = ids.uuid_or_none(key)
        return None if pk is None else cls.visible_to(info.context.user).filter(pk=pk).first()

    @classmethod
    def find(cls, info: Any, global_id: str) -> Any:
        """The row with this global id, or None, also where it is somebody else's or of another type."""
        found = ids.decode(global_id)
        return cls.get_node(info, found[1]) if found is not None and found[0] == cls._meta.name else None

    def resolve_id(self, info: Any) -> str:
        return ids.encode(info.parent_type.name, self.pk)


class Query(graphene.ObjectType):
    """Finding any object again."""

    node = graphene.Field(
        Node,
        description="The object with this id; null where there is none that you may see.",
        id=graphene.ID(required=True, description="An id that you got earlier, of any type."),
    )

    @staticmethod
    def resolve_node(root: None, info: Any, id: str) -> Any:
        person(info)
        found = ids.decode(id)
        kinds = info.schema.get_possible_types(info.schema.get_type(Node._meta.name))
        kind = next((kind for kind in kinds if found is not None and kind.name == found[0]), None)
        return None if found is None or kind is None else kind.graphene_type.get_node(info, found[1])
