"""Health checks from inside a container: `healthy.py web` and `healthy.py worker`. Ends with 0, or says why not with 1.

Without Django, because it runs every few seconds: loading that would cost more than the checks. Neither blames a
process for a store that is away: starting it again would help nobody. What works as a whole /health/ready says.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from urllib.parse import urlsplit

import psycopg

TIMEOUT = 5
"""Seconds that a server may take to answer."""
LAST_BEAT = """
    SELECT extract(epoch FROM now() - max(beaten_at))::int FROM operations_workerprocess
    WHERE sweeps AND starts_with(name, %s)
"""


def main() -> int:
    """Run the check that was asked for and tell what it found."""
    checks = {"web": check_web, "worker": check_worker}
    wanted = sys.argv[1] if len(sys.argv) == 2 else ""
    if wanted not in checks:
        print(f"healthy.py: give one of: {' '.join(checks)}", file=sys.stderr)  # noqa: T201
        return 64
    problem = checks[wanted]()
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if problem else 0


def check_web() -> str:
    """Ask as the reverse proxy would, under the host and scheme of BASE_URL, but straight at the port."""
    port = int(os.environ.get("PORT", "8000"))
    base = urlsplit(os.environ.get("BASE_URL", f"http://localhost:{port}"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/health", headers={"Host": base.netloc, "X-Forwarded-Proto": base.scheme})
        response = connection.getresponse()
        body = response.read(4096).decode(errors="replace")
    except OSError as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return "" if response.status == http.client.OK else f"/health answered {response.status}: {body}"


def check_worker() -> str:
    """Look whether the sweeper of this container's worker has shown itself lately."""
    longest = int(os.environ.get("HEALTH_MAX_WORKER_SILENCE", "60"))
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=TIMEOUT) as connection:
            row = connection.execute(LAST_BEAT, [f"{socket.gethostname()}:"]).fetchone()
    except psycopg.Error:
        return ""
    silence = row[0] if row else None
    if silence is None:
        return "this worker has never shown itself"
    return "" if silence <= longest else f"this worker has been silent for {silence} seconds"


if __name__ == "__main__":
    sys.exit(main())
