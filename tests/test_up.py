"""`manage.py up` as a person types it."""

from __future__ import annotations

import json
import re
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from .conftest import Server

pytestmark = pytest.mark.process


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Makes servers on the same fresh data folder; those that still run at the end are ended."""
    made: list[Server] = []

    def make() -> Server:
        made.append(Server(tmp_path / "data"))
        return made[-1]

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.kill()


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _get(url: str) -> tuple[int, str]:
    answer = httpx.get(url)
    return answer.status_code, answer.text


def _sign_in(url: str) -> int:
    """The status of the form for somebody that is unknown, sent as a browser sends it."""
    with httpx.Client() as browser:
        browser.get(f"{url}/accounts/login/")
        form = {"login": "x@example.org", "password": "x", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(f"{url}/accounts/login/", data=form, headers={"Origin": url}).status_code


def test_the_first_start_says_where_everything_is_and_works(make: Callable[[], Server]) -> None:
    server = make()
    server.start()

    shown = server.output()
    assert f"Open                 {server.url}\n" in shown
    link = rf"{server.url}/accounts/setup/\S{{40,}}/"
    assert re.search(rf"First administrator  {link}  \(works once, within 24 hours\)\n", shown)
    assert f"Data                 {server.data_dir}\n" in shown
    assert "Mode                 embedded" in shown
    assert "Stop                 Ctrl-C\n" in shown
    assert "WARNING" not in shown
    status, body = server.get("/health")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert json.loads(body)["worker"] == {"ok": True, "embedded": True}
    assert server.get("/")[0] == 200


def test_the_data_folder_and_its_secrets_are_for_their_owner_only(make: Callable[[], Server]) -> None:
    server = make()
    server.start()

    assert _mode(server.data_dir) == 0o700
    assert _mode(server.data_dir / "secret_key") == 0o600
    assert _mode(server.data_dir / "plumbline.sqlite3") == 0o600


def test_what_others_could_read_is_closed_to_them_at_the_start(make: Callable[[], Server]) -> None:
    server = make()
    server.start()
    assert server.stop() == 0
    for name in ("plumbline.sqlite3", "secret_key"):
        (server.data_dir / name).chmod(0o644)
    before = len(server.output())

    server.start()

    shown = server.output()[before:]
    for name in ("plumbline.sqlite3", "plumbline.sqlite3-wal", "plumbline.sqlite3-shm", "secret_key"):
        assert _mode(server.data_dir / name) == 0o600
    assert f"Others on this machine could read {server.data_dir}/secret_key. Now only its owner can." in shown


def test_an_address_that_is_refused_is_let_in_by_the_setting_that_the_log_names(make: Callable[[], Server]) -> None:
    server = make()
    server.environment["HOST"] = "0.0.0.0"  # noqa: S104
    server.start()
    assert re.search(r"From elsewhere +stop, then start with BASE_URL=http://\S+:\d+\n", server.output())
    address = f"http://127.0.0.2:{server.port}"  # another one of this machine

    status, page = _get(f"{address}/")
    assert status == 400
    assert "Plumbline does not answer at 127.0.0.2" in page
    (setting,) = re.findall(
        r"refused a request for the host 127\.0\.0\.2:\d+; to answer it, set (\S+) ", server.output()
    )
    assert _get(f"{address}/")[0] == 400
    assert server.output().count("refused a request") == 1  # once for each host

    assert server.stop() == 0
    server.environment |= dict([setting.split("=", 1)])
    before = len(server.output())
    server.start()
    assert f"Open                 {address}\n" in server.output()[before:]
    assert "From elsewhere" not in server.output()[before:]
    for url in (address, server.url):
        assert _get(f"{url}/")[0] == 200
        assert _sign_in(url) == 200  # "the address or the password is wrong", and not that the page is too old


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_gracefully(make: Callable[[], Server], number: signal.Signals) -> None:
    server = make()
    server.start()
    assert server.process is not None

    server.process.send_signal(number)

    assert server.process.wait(10) == 0
    assert server.output().endswith("Stopping ...\nStopped.\n")


def test_the_second_start_finds_its_data_and_key_again(make: Callable[[], Server]) -> None:
    server = make()
    server.start()
    key = (server.data_dir / "secret_key").read_text()
    server.person("ada@example.org", is_admin=True)
    assert server.stop() == 0
    before = len(server.output())

    server.start()

    assert (server.data_dir / "secret_key").read_text() == key
    assert "First administrator" not in server.output()[before:]
    assert server.get("/health")[0] == 200


def test_a_second_server_on_the_same_folder_is_refused(make: Callable[[], Server]) -> None:
    first = make()
    first.start()
    assert first.process is not None

    refused = make().manage("up")

    assert refused.returncode == 1
    assert f"another Plumbline (process {first.process.pid}) already runs on {first.data_dir}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert first.get("/health")[0] == 200


def test_folders_of_our_names_where_it_is_started_are_not_taken_for_ours(
    make: Callable[[], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("answers", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    server = make()
    server.start()
    assert server.get("/health")[0] == 200
    assert server.stop() == 0


def test_the_folder_is_free_after_a_killed_server(make: Callable[[], Server]) -> None:
    server = make()
    server.start()
    server.kill()

    server.start()

    assert server.get("/health")[0] == 200


def test_a_port_in_use_is_refused_with_what_to_type(make: Callable[[], Server], tmp_path: Path) -> None:
    first = make()
    first.start()

    refused = Server(tmp_path / "other", first.port).manage("up")

    assert refused.returncode == 1
    assert f"port {first.port} is used by another program" in refused.stderr
    assert f"PORT={first.port + 1} make run" in refused.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PORT": "http"}, 'Environment variable "PORT" invalid'),
        ({"PORT": "70000"}, 'Environment variable "PORT" invalid'),
        ({"TIME_ZONE": "Mars"}, 'Environment variable "TIME_ZONE" invalid'),
        ({"BASE_URL": "plumbline.example.org"}, "BASE_URL=https://plumbline.example.org"),
        ({"BASE_URL": "https://plumbline.example.org", "ALLOWED_HOSTS": "localhost"}, "Add it: ALLOWED_HOSTS="),
        ({"DATA_DIR": "/proc/plumbline"}, "the data folder /proc/plumbline can't be written"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_do(
    make: Callable[[], Server], environment: dict[str, str], message: str
) -> None:
    server = make()
    server.environment |= environment

    refused = server.manage("up")

    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_is_none_is_refused_with_what_to_do(make: Callable[[], Server]) -> None:
    server = make()
    server.data_dir.mkdir()
    (server.data_dir / "plumbline.sqlite3").write_text("something else " * 100)

    refused = server.manage("up")

    assert refused.returncode == 1
    assert "plumbline.sqlite3 can't be used (file is not a database)" in refused.stderr
    assert "put its backup back" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_open_websocket_does_not_delay_the_stop_and_is_told_to_come_back(make: Callable[[], Server]) -> None:
    server = make()
    server.start()
    alice = server.person("alice@example.org")
    headers = {"Cookie": f"sessionid={alice.session_key}", "Origin": server.url}
    with connect(f"ws://localhost:{server.port}/ws/reports/", additional_headers=headers, proxy=None) as socket:
        assert server.stop(10) == 0

        with pytest.raises(ConnectionClosed) as closed:
            list(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_sockets_close_when_a_command_beside_the_server_erases_their_organisation(make: Callable[[], Server]) -> None:
    """Within some seconds: by itself a socket would look only after a minute."""
    server = make()
    server.start()
    alice = server.person("alice@example.org")
    asked = "from accounts.models import Organisation; print(Organisation.objects.get(name='Acme').pk)"
    organisation = server.manage("shell", "--no-imports", "-c", asked).stdout.strip()
    headers = {"Cookie": f"sessionid={alice.session_key}", "Origin": server.url}
    with connect(f"ws://localhost:{server.port}/ws/reports/", additional_headers=headers, proxy=None) as socket:
        erased = server.manage("erase_organisation", organisation, "--name", "Acme")
        assert erased.returncode == 0, erased.stderr

        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
