"""The product's addresses, and graphene-django's own view at /stock/."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpRequest
from django.urls import path
from graphene_django.views import GraphQLView

from api.context import Context
from config import urls


class StockView(GraphQLView):
    """As it comes; only its context is the one that our resolvers know."""

    def get_context(self, request: HttpRequest) -> Context:
        """Who is asking, as Django's own middleware found out."""
        return Context(user=request.user, request=request, correlation_id=uuid4())


urlpatterns = [path("stock/", StockView.as_view()), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
