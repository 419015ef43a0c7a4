"""People and organisations in the GraphQL schema."""

from __future__ import annotations

from typing import Any

import graphene
from django.db.models import QuerySet

from accounts import models
from api.connections import Order, Page, connection, page_arguments, wanted
from api.nodes import ModelNode, Node
from api.refusals import person

BY_NAME = Order("organisations", "name", "id")


class Organisation(ModelNode):
    """The owner of submissions and reports. You see what belongs to the organisations of which you are a member."""

    class Meta:
        model = models.Organisation
        fields = ()
        interfaces = (Node,)

    name = graphene.String(required=True, description="What a person reads.")
    created_at = graphene.DateTime(required=True, description="When it was made.")

    @classmethod
    def visible_to(cls, user: Any) -> QuerySet[models.Organisation]:
        """Those of which the person is a member."""
        return models.Organisation.objects.filter(memberships__user=user.pk)


OrganisationConnection = connection(Organisation, "Organisations, by name.")


class Person(graphene.ObjectType):
    """Somebody who did something. A person who left is still named where they did it."""

    name = graphene.String(required=True, description="The name, or the email address of who gave none.")

    @staticmethod
    def resolve_name(root: models.User, info: Any) -> str:
        return str(root)


class Me(ModelNode):
    """The person who is signed in."""

    class Meta:
        model = models.User
        fields = ()
        interfaces = (Node,)
        skip_registry = True

    email = graphene.String(required=True, description="The address by which you sign in.")
    name = graphene.String(required=True, description="How you want to be called; may be empty.")

    @classmethod
    def visible_to(cls, user: Any) -> QuerySet[models.User]:
        """Nobody but the person."""
        return models.User.objects.filter(pk=user.pk)


class Query(graphene.ObjectType):
    """Who is asking."""

    me = graphene.Field(Me, required=True, description="The person who is signed in.")
    organisations = graphene.Field(
        OrganisationConnection,
        required=True,
        description="The organisations of which you are a member.",
        **page_arguments(),
    )

    @staticmethod
    def resolve_me(root: None, info: Any) -> Any:
        return person(info)

    @staticmethod
    def resolve_organisations(root: None, info: Any, **page: Any) -> Page:
        return BY_NAME.page(Organisation.visible_to(person(info)), wanted(**page))
