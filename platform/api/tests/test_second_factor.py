"""Native clients with a second factor, on real servers: the password alone gives a token that counts for nothing."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from email import message_from_string, policy
from uuid import uuid4

import pytest

from accounts.tests.phone import code_for_a_server
from api.tests.servers import Answer, Server
from api.tests.sockets import logged_in, opened

pytestmark = pytest.mark.process

PASSWORD = "several plain words"


@dataclass
class App:
    """A native client of somebody who has just signed up."""

    server: Server
    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.org")
    token: str = ""
    secret: str = ""

    def send(self, method: str, path: str, body: object = None, token: str | None = None) -> Answer:
        """Send a request with the token of this client, or another one."""
        token = self.token if token is None else token
        headers = {"X-Session-Token": token} if token else {}
        return self.server.ask(f"/_allauth/app/v1{path}", body, method=method, **headers)

    def sign_up(self) -> None:
        answer = self.send("POST", "/auth/signup", {"email": self.email, "password": PASSWORD})
        self.token = answer.json["meta"]["session_token"]
        answer = self.send("POST", "/auth/email/verify", {"key": self.code_in_mail()})
        assert answer.status == 200, answer.body
        self.token = answer.json["meta"].get("session_token", self.token)

    def code_in_mail(self) -> str:
        mails = [message_from_string(text, policy=policy.default) for text in self.server.installation.mails()]
        ours = [mail.get_content() for mail in mails if mail["To"] == self.email]
        found = re.search(r"^(\S+)\n\nis the code", ours[-1], re.MULTILINE)
        assert found
        return found[1]

    def switch_on(self) -> list[str]:
        """Switch the second factor on; gives the recovery codes."""
        self.secret = self.send("GET", "/account/authenticators/totp").json["meta"]["secret"]
        self.confirm("/auth/reauthenticate", password=PASSWORD)
        answer = self.send("POST", "/account/authenticators/totp", {"code": code_for_a_server(self.secret)})
        assert answer.status == 200, answer.body
        codes: list[str] = self.send("GET", "/account/authenticators/recovery-codes").json["data"]["unused_codes"]
        return codes

    def confirm(self, path: str, **proof: str) -> None:
        """Show once more who it is; the token is a new one from then on."""
        answer = self.send("POST", path, proof)
        assert answer.status == 200, answer.body
        self.token = answer.json["meta"]["session_token"]

    def log_in(self) -> Answer:
        """The first step, from a device that knows nothing yet."""
        return self.send("POST", "/auth/login", {"email": self.email, "password": PASSWORD}, token="")

    def whom_graphql_knows(self, token: str) -> str | int:
        answer = self.server.graphql("{ email }", token)
        return str(answer.json["data"]["email"]) if answer.status == 200 else answer.status


@pytest.fixture
def app(server: Server) -> App:
    app = App(server)
    app.sign_up()
    return app


def pending(answer: Answer) -> list[dict[str, object]]:
    """What the client has to do next."""
    return [flow for flow in answer.json["data"]["flows"] if flow.get("is_pending")]


async def test_logging_in_takes_two_steps_and_the_token_counts_after_the_second(app: App) -> None:
    codes = app.switch_on()
    first = app.log_in()
    token = first.json["meta"]["session_token"]

    assert first.status == 401
    assert pending(first) == [{"id": "mfa_authenticate", "is_pending": True, "types": ["recovery_codes", "totp"]}]
    assert app.send("GET", "/auth/session", token=token).status == 401
    assert app.whom_graphql_knows(token) == 401
    async with opened(app.server) as socket:
        await socket.say("connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await socket.closed() == 4401
    async with opened(app.server, origin=app.server.url, headers={"Cookie": f"sessionid={token}"}) as socket:
        await socket.say("connection_init")
        assert await socket.closed() == 4401

    wrong = app.send("POST", "/auth/2fa/authenticate", {"code": "12345"}, token)
    assert wrong.status == 400
    assert wrong.json["errors"][0]["code"] == "incorrect_code"
    assert app.whom_graphql_knows(token) == 401

    second = app.send("POST", "/auth/2fa/authenticate", {"code": codes[0]}, token)
    assert second.status == 200, second.body
    token = second.json["meta"]["session_token"]
    assert app.whom_graphql_knows(token) == app.email
    async with logged_in(app.server, token) as socket:
        await socket.subscribe("1", "{ email }")
        assert (await socket.hear())["payload"] == {"data": {"email": app.email}}
    assert not any(code in app.server.log.read_text() for code in codes)


def test_the_code_of_the_app_is_the_second_step(app: App) -> None:
    app.switch_on()
    token = app.log_in().json["meta"]["session_token"]

    answer = app.send("POST", "/auth/2fa/authenticate", {"code": code_for_a_server(app.secret)}, token)

    assert answer.status == 200, answer.body
    assert app.whom_graphql_knows(answer.json["meta"]["session_token"]) == app.email


def test_a_recovery_code_works_once(app: App) -> None:
    code = app.switch_on()[0]
    answers = [
        app.send("POST", "/auth/2fa/authenticate", {"code": code}, app.log_in().json["meta"]["session_token"])
        for _device in range(2)
    ]

    assert [answer.status for answer in answers] == [200, 400]


def test_without_the_first_step_there_is_no_second(app: App) -> None:
    codes = app.switch_on()

    assert app.send("POST", "/auth/2fa/authenticate", {"code": codes[0]}, token="").status == 401


NO_CODES: tuple[dict[str, object], ...] = (
    {},
    {"code": None},
    {"code": ["1"]},
    {"code": "x" * 10_000},
    {"code": "\u0661" * 6},
)


def test_what_is_no_code_is_bad_input(uvicorn: Server) -> None:
    app = App(uvicorn)
    app.sign_up()
    app.switch_on()
    token = app.log_in().json["meta"]["session_token"]

    for body in NO_CODES:
        answer = app.send("POST", "/auth/2fa/authenticate", body, token)
        assert answer.status == 400
        assert answer.json["errors"][0]["param"] == "code"


def test_guessing_ends_after_five_codes_on_whatever_device(uvicorn: Server) -> None:
    app = App(uvicorn)
    app.sign_up()
    codes = app.switch_on()
    answers = [
        app.send("POST", "/auth/2fa/authenticate", {"code": code}, app.log_in().json["meta"]["session_token"])
        for code in [*("12345",) * 5, codes[0]]
    ]

    assert [answer.json["errors"][0]["code"] for answer in answers] == [
        *("incorrect_code",) * 5,
        "too_many_login_attempts",
    ]


async def test_switching_it_on_needs_a_confirmation_and_ends_the_other_devices(app: App) -> None:
    other = app.log_in().json["meta"]["session_token"]
    secret = app.send("GET", "/account/authenticators/totp").json["meta"]["secret"]
    refused = app.send("POST", "/account/authenticators/totp", {"code": code_for_a_server(secret)})
    assert refused.status == 401
    assert [flow["id"] for flow in refused.json["data"]["flows"]][:1] == ["reauthenticate"]

    async with logged_in(app.server, other) as socket:
        await asyncio.to_thread(app.switch_on)
        assert await socket.closed() == 4401

    assert app.whom_graphql_knows(other) == 401
    assert app.whom_graphql_knows(app.token) == app.email
    answer = app.send("GET", "/account/authenticators")
    assert {each["type"] for each in answer.json["data"]} == {"totp", "recovery_codes"}
    assert app.secret not in answer.body.decode()


def test_switching_it_off_needs_a_confirmation_and_then_the_password_alone_logs_in(app: App) -> None:
    codes = app.switch_on()
    token = app.log_in().json["meta"]["session_token"]
    app.token = app.send("POST", "/auth/2fa/authenticate", {"code": codes[0]}, token).json["meta"]["session_token"]
    for method, path in (
        ("DELETE", "/account/authenticators/totp"),
        ("GET", "/account/authenticators/recovery-codes"),
        ("POST", "/account/authenticators/recovery-codes"),
    ):
        assert app.send(method, path).status == 401

    app.confirm("/auth/2fa/reauthenticate", code=codes[1])
    new = app.send("POST", "/account/authenticators/recovery-codes").json["data"]["unused_codes"]
    assert not set(new) & set(codes)
    assert app.send("DELETE", "/account/authenticators/totp").status == 200

    assert app.log_in().status == 200
    assert app.send("GET", "/account/authenticators").json["data"] == []


def test_recovering_the_password_logs_nobody_in(uvicorn: Server) -> None:
    app = App(uvicorn)
    app.sign_up()
    app.switch_on()
    token = app.send("POST", "/auth/password/request", {"email": app.email}, token="").json["meta"]["session_token"]
    new = {"key": app.code_in_mail(), "password": "several other words"}

    answer = app.send("POST", "/auth/password/reset", new, token)

    assert answer.status == 401
    assert app.whom_graphql_knows(answer.json["meta"].get("session_token", token)) == 401
    first = app.send("POST", "/auth/login", {"email": app.email, "password": "several other words"}, token="")
    assert first.status == 401
    assert pending(first)[0]["id"] == "mfa_authenticate"
