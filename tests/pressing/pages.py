"""The pages of the product that have forms: what links lead to, and what is open only in the middle of something."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import Browser, BrowserContext, Page

from tests.conftest import Person, Server
from tests.pressing.buttons import ID, Place
from tests.second_factor import open_switch_on, session_of, sign_in, switch_on
from tests.walking import GOLDEN

MAKE_WORLD = """
import itertools
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.timezone import now
from accounts.models import Organisation, User
from answers.saving import Change, save_answers
from answers.submissions import start, submit
from django.conf import settings
from reports.models import Problem

alice = User.objects.get(email={email!r})
home = alice.organisation
answers = json.loads({answers!r})

def made(name, final=True):
    draft = start(alice, "quick-check", organisation=home, name=name)
    save_answers(draft.pk, alice, [Change(question=question, value=value) for question, value in answers.items()])
    return submit(draft.pk, alice) if final else draft

def session():
    store = SessionStore()
    store[SESSION_KEY] = str(alice.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = alice.get_session_auth_hash()
    store.create()
    return store.session_key

world = {{
    "draft": start(alice, "quick-check", organisation=home, name="Draft").pk,
    "complete": made("Complete", final=False).pk,
    "submitted": made("Submitted").pk,
    "read": made("Read").pk,
    "reported": made("Reported").pk,
    "failed": start(alice, "quick-check", organisation=home, name="Failed").pk,
}}
Problem.objects.create(
    submission=world["failed"], organisation=home, questionnaire_slug="quick-check", revision=0, provisional=True,
    reason="not_evaluated", position=0, at=now(),
)
alice.join(Organisation.objects.create(name="Second"))
print(json.dumps({{**{{name: str(key) for name, key in world.items()}}, "home": str(home.pk), "session": session()}}))
"""
STARTS = (
    "/questionnaires/",
    "/questionnaires/?organisation={home}",
    "/questionnaires/quick-check/start/",
    "/questionnaires/quick-check/start/?organisation={home}",
    "/submissions/{draft}/",
    "/submissions/{failed}/",
    "/submissions/{complete}/review/",
    "/submissions/{submitted}/",
    "/submissions/{read}/review/",
    "{report}",
    "/reports/?organisation={home}",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
)
NOT_FOLLOWED = re.compile(r"^/(admin|graphql|static|schemas|health|accounts/2fa/recovery-codes/download)")
CODE = re.compile(r"^(\S+)\n\nis the code", re.MULTILINE)
SETUP = re.compile(r"/accounts/setup/[\w-]+/")


def all_pages(server: Server, browser: Browser) -> list[Place]:
    """Every page with a form, in the session in which it is open."""
    context = browser.new_context(base_url=server.url)
    page = context.new_page()
    alice = server.person(f"alice-{uuid4().hex}@example.org", f"Acme {uuid4().hex}", name="Alice")
    setup = SETUP.search(server.output())
    assert setup, server.output()
    places = [
        *_of_somebody_who_answers(server, page, alice),
        *_found_from(server, context, ["/", setup[0]]),
        *_in_the_middle(server, browser),
    ]
    context.close()
    return places


def _found_from(server: Server, context: BrowserContext, starts: list[str], session: str = "") -> list[Place]:
    """The pages with forms that are reached by links, one of each kind."""
    context.clear_cookies()
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    waiting, seen, places = list(starts), set(starts), []
    while waiting:
        path = waiting.pop(0)
        html = context.request.get(server.url + path).text()
        seen.add(ID.sub("", path))
        if "<form" in html.partition("</header>")[2]:
            places.append(Place(path, session))
        for link in re.findall(r'href="(/[^"#]*)', html):
            if ID.sub("", link) not in seen and not NOT_FOLLOWED.match(link):
                seen.add(ID.sub("", link))
                waiting.append(link.replace("&amp;", "&"))
    context.clear_cookies()
    return places


def _of_somebody_who_answers(server: Server, page: Page, alice: Person) -> list[Place]:
    """The pages of who answers, with a draft, submitted answers and a report for each button that changes them."""
    answers = json.dumps(GOLDEN | {"exposed": "no", "provider": "no"})
    made = server.manage("shell", "--no-imports", "-c", MAKE_WORLD.format(email=alice.email, answers=answers))
    assert made.returncode == 0, made.stderr
    world = json.loads(made.stdout.splitlines()[-1])
    page.context.add_cookies([{"name": "sessionid", "value": alice.session_key, "url": server.url}])
    # As after submitting: this page goes on to the report, whether it was made already or not.
    page.goto(f"/submissions/{world['reported']}/?submitted=1")
    page.wait_for_url(re.compile("/reports/[0-9a-f-]{36}/"))
    report = page.url.removeprefix(server.url)
    starts = [start.format(**world, report=report) for start in STARTS]
    return [
        *_found_from(server, page.context, starts, alice.session_key),
        Place("/accounts/logout/", world["session"]),
    ]


# ------------------------------------------------------------------------------------------- in the middle of something
def _in_the_middle(server: Server, browser: Browser) -> list[Place]:
    """Pages that a session leads to, and no link: codes, new passwords, the second factor."""
    carol = server.person(f"carol-{uuid4().hex}@example.org", f"Carol's {uuid4().hex}")
    erin = server.person(f"erin-{uuid4().hex}@example.org", f"Erin's {uuid4().hex}")

    def walked(walk: Callable[[Page], object]) -> str:
        context = browser.new_context(base_url=server.url)
        walk(context.new_page())
        session = session_of(context)
        context.close()
        return session

    def sign_up(page: Page) -> None:
        page.goto("/accounts/signup/")
        page.get_by_label("Email").fill(f"frank-{uuid4().hex}@example.org")
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        page.wait_for_url("**/accounts/confirm-email/")

    asked = itertools.count(1)

    def ask_for_a_code(page: Page) -> int:
        """Gives how many codes Carol has asked for by now."""
        page.goto("/accounts/password/reset/")
        page.get_by_label("Email").fill(carol.email)
        page.get_by_role("main").get_by_role("button", name="Send the code").click()
        page.wait_for_url("**/accounts/password/reset/confirm/")
        return next(asked)

    def recover(page: Page) -> None:
        count = ask_for_a_code(page)
        newest = server.mails(carol.email, least=count, about="lets you set a new password")[-1]
        code = CODE.search(newest.get_content())
        assert code
        page.get_by_label("Code").fill(code[1])
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/accounts/password/reset/complete/")

    def sign_in_afresh(page: Page) -> None:
        sign_in(page, carol)

    def have_a_second_factor(page: Page) -> None:
        sign_in(page, erin)
        open_switch_on(page, erin)
        switch_on(page)

    def be_asked_for_the_second_factor(page: Page) -> None:
        sign_in(page, erin)
        page.wait_for_url("**/2fa/authenticate/")

    fresh = walked(sign_in_afresh)
    guarded = walked(have_a_second_factor)
    return [
        Place("/accounts/confirm-email/", walked(sign_up)),
        Place("/accounts/password/reset/confirm/", walked(ask_for_a_code)),
        Place("/accounts/2fa/totp/activate/", fresh),
        Place("/accounts/2fa/authenticate/", walked(be_asked_for_the_second_factor)),
        Place("/accounts/2fa/reauthenticate/", erin.session_key),
        Place("/accounts/2fa/recovery-codes/generate/", guarded),
        Place("/accounts/2fa/totp/deactivate/", guarded),
        Place("/accounts/password/reset/complete/", walked(recover)),
    ]
