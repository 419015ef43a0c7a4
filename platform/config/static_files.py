"""Static files without another server."""

from __future__ import annotations

from contextlib import closing

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it has no types
    """Sends a file in one piece: under ASGI its stream would be gathered first anyway, with a warning for each."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        with closing(WhiteNoiseMiddleware.serve(static_file, request)) as streamed:
            response = HttpResponse(b"".join(streamed), status=streamed.status_code, headers=dict(streamed.headers))
        if response.content:
            # The file may have been replaced by an update since its size was looked up at the start.
            response.headers["Content-Length"] = str(len(response.content))
        return response
