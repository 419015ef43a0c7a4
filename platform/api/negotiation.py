"""Which of the two media types of GraphQL over HTTP an answer takes."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import parse_header_parameters

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"


def media_type_for(request: HttpRequest) -> str | None:
    """What the client accepts; None where neither type is. A client that takes anything gets JSON."""
    accept = request.headers.get("Accept") or "*/*"
    ranges = [_read(one) for one in accept.split(",") if one.strip()]
    offers = []
    for media_type, preference in ((GRAPHQL_RESPONSE, 1), (JSON, 0)):
        exactness, quality = max(
            ((_exactness(name, media_type), quality) for name, quality in ranges if _exactness(name, media_type)),
            default=(0, 0.0),
        )
        if quality > 0:
            # A type that was named comes before one that merely fits.
            offers.append((quality, exactness, preference if exactness == 3 else -preference, media_type))
    return max(offers)[-1] if offers else None


def accepts_page(request: HttpRequest) -> bool:
    """Whether the client is a browser that opens the address, and names HTML."""
    ranges = [_read(one) for one in request.headers.get("Accept", "").split(",") if one.strip()]
    return any(name == "text/html" and quality > 0 for name, quality in ranges)


def is_json(request: HttpRequest) -> bool:
    """Whether the body says that it is JSON, in UTF-8."""
    name, parameters = parse_header_parameters(request.headers.get("Content-Type", ""))
    return name.lower() == JSON and parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def _read(accepted: str) -> tuple[str, float]:
    """A media range and its quality; 0 where the answer would have to be in another encoding than UTF-8."""
    name, parameters = parse_header_parameters(accepted.strip())
    try:
        quality = min(max(float(parameters.get("q", "1")), 0.0), 1.0)
    except ValueError:
        quality = 0.0
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "*"):
        quality = 0.0
    return name.lower(), quality


def _exactness(media_range: str, media_type: str) -> int:
    if media_range == media_type:
        return 3
    if media_range == media_type.partition("/")[0] + "/*":
        return 2
    return 1 if media_range == "*/*" else 0
