"""Asks the web server of this container or host whether it is ready: ends with 0 when it is, else says why with 1."""

from __future__ import annotations

import http.client
import os
import sys
from urllib.parse import urlsplit

TIMEOUT = 5.0


def main() -> int:
    """Ask as the reverse proxy would: under the host and scheme of BASE_URL, but straight at the port."""
    port = int(os.environ.get("PORT", "8000"))
    base = urlsplit(os.environ.get("BASE_URL", f"http://localhost:{port}"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    headers = {"Host": base.netloc, "X-Forwarded-Proto": base.scheme, "Accept": "application/json"}
    try:
        connection.request("GET", "/health/ready", headers=headers)
        response = connection.getresponse()
        body = response.read(4096).decode(errors="replace")
    except OSError as error:
        print(f"port {port} does not answer: {error}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        connection.close()
    if response.status != http.client.OK:
        print(f"/health/ready answered {response.status}: {body}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
