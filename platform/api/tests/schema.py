"""A small schema: what the transport has to carry, and each way in which a resolver can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import graphene
from graphql import GraphQLError

from accounts.models import User


class Numbers(graphene.InputObjectType):
    of = graphene.List(graphene.NonNull(graphene.Int))
    more = graphene.InputField(lambda: Numbers)


class Row(graphene.ObjectType):
    number = graphene.Int(required=True)
    rows = graphene.List(graphene.NonNull(lambda: Row), required=True)
    text = graphene.String(length=graphene.Int(required=True), required=True)
    sum = graphene.Int(of=graphene.List(graphene.NonNull(graphene.Int)))
    broken = graphene.Int()

    def resolve_rows(root: Any, info: Any) -> list[Row]:
        return [Row(number=1), Row(number=2)]

    def resolve_text(root: Any, info: Any, length: int) -> str:
        return "x" * length

    def resolve_sum(root: Any, info: Any, of: list[int]) -> int:
        return sum(of)

    def resolve_broken(root: Any, info: Any) -> int:
        raise ValueError("the password is hunter2")


class RowConnection(graphene.ObjectType):
    nodes = graphene.List(graphene.NonNull(Row), required=True)

    def resolve_nodes(root: Any, info: Any) -> list[Row]:
        return [Row(number=1), Row(number=2)]


class Query(graphene.ObjectType):
    email = graphene.String(required=True, description="Whoever asks.")
    correlation = graphene.String(required=True)
    via_http = graphene.Boolean(required=True)
    echo = graphene.String(text=graphene.String(required=True), required=True)
    row = graphene.Field(Row, required=True)
    rows = graphene.Field(RowConnection, first=graphene.Int(), required=True)
    many = graphene.List(graphene.NonNull(Row), count=graphene.Int(required=True), description="More than lists count.")
    sum = graphene.Int(of=graphene.List(graphene.NonNull(graphene.Int)), **{"in": graphene.Argument(Numbers)})
    secret = graphene.String()
    refused = graphene.String()
    unfit = graphene.Int()

    def resolve_email(root: Any, info: Any) -> str:
        return str(info.context.user.email)

    def resolve_correlation(root: Any, info: Any) -> str:
        return str(info.context.correlation_id)

    def resolve_via_http(root: Any, info: Any) -> bool:
        return info.context.request is not None

    def resolve_echo(root: Any, info: Any, text: str) -> str:
        return text

    def resolve_row(root: Any, info: Any) -> Row:
        return Row(number=1)

    def resolve_rows(root: Any, info: Any, first: int | None = None) -> RowConnection:
        return RowConnection()

    def resolve_many(root: Any, info: Any, count: int) -> list[Row]:
        return [Row(number=number) for number in range(count)]

    def resolve_sum(root: Any, info: Any, of: list[int]) -> int:
        return sum(of)

    def resolve_secret(root: Any, info: Any) -> str:
        raise ValueError("the password is hunter2")

    def resolve_refused(root: Any, info: Any) -> str:
        raise GraphQLError("There is no such report.", extensions={"code": "NOT_FOUND"})

    def resolve_unfit(root: Any, info: Any) -> str:
        return "hunter2"


class Rename(graphene.Mutation):
    class Arguments:
        name = graphene.String(required=True)

    name = graphene.String(required=True)

    def mutate(root: Any, info: Any, name: str) -> Rename:
        User.objects.filter(pk=info.context.user.pk).update(name=name)
        return Rename(name=name)


class Mutation(graphene.ObjectType):
    rename = Rename.Field(required=True)


class Subscription(graphene.ObjectType):
    count = graphene.Int(to=graphene.Int(required=True), required=True)
    ticks = graphene.Int(required=True, description="For ever, in no time at all between two.")
    flood = graphene.String(
        size=graphene.Int(required=True), required=True, description="For ever, of so many letters."
    )
    silence = graphene.Int(required=True, description="Open until the client ends it.")
    names = graphene.String(required=True, description="The person's name as it is, again and again.")
    fails_at_once = graphene.Int()
    refuses_at_once = graphene.Int()
    fails_midway = graphene.Int()
    refuses_midway = graphene.Int()
    breaks_midway = graphene.Int(description="An event whose resolver fails, between two that do not.")

    async def subscribe_count(root: Any, info: Any, to: int) -> AsyncIterator[int]:
        for number in range(1, to + 1):
            yield number

    async def subscribe_ticks(root: Any, info: Any) -> AsyncIterator[int]:
        number = 0
        while True:
            yield number
            number += 1
            await asyncio.sleep(0.01)

    async def subscribe_flood(root: Any, info: Any, size: int) -> AsyncIterator[str]:
        while True:
            yield "x" * size

    async def subscribe_silence(root: Any, info: Any) -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 0

    async def subscribe_names(root: Any, info: Any) -> AsyncIterator[None]:
        while True:
            yield None
            await asyncio.sleep(0.05)

    def resolve_names(root: Any, info: Any) -> str:
        # Crosses to the database, which may not be done on the loop.
        return str(User.objects.get(pk=info.context.user.pk).name)

    def subscribe_fails_at_once(root: Any, info: Any) -> AsyncIterator[int]:
        raise ValueError("the password is hunter2")

    def subscribe_refuses_at_once(root: Any, info: Any) -> AsyncIterator[int]:
        raise GraphQLError("There is no such submission.", extensions={"code": "NOT_FOUND"})

    async def subscribe_fails_midway(root: Any, info: Any) -> AsyncIterator[int]:
        yield 1
        raise ValueError("the password is hunter2")

    async def subscribe_refuses_midway(root: Any, info: Any) -> AsyncIterator[int]:
        yield 1
        raise GraphQLError("The submission was deleted.", extensions={"code": "NOT_FOUND"})

    async def subscribe_breaks_midway(root: Any, info: Any) -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number

    def resolve_breaks_midway(root: int, info: Any) -> int:
        if root == 2:
            raise ValueError("the password is hunter2")
        return root


schema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription)
