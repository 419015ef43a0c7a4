"""What the product's code never does, whatever it is for: promises of docs/asvs.md that no single view could show."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from conftest import PASSWORD

pytestmark = pytest.mark.thorough

ROOTS = ("accounts", "answers", "security", "reports", "platform")


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    """The product's own code, without its tests."""
    for root in ROOTS:
        for path in sorted((settings.ROOT / root).rglob("*.py")):
            if "tests" not in path.parts and path.name != "settings_for_tests.py":
                yield path, ast.parse(path.read_text())


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _called(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def _where(wanted: set[str], words: set[str]) -> set[str]:
    return {word for word in words if word in wanted or word.split(".")[0] in wanted}


def test_there_is_code_to_look_at() -> None:
    assert len(list(_modules())) > 150


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param({"subprocess", "pty", "commands"}, id="starts other programs"),
        pytest.param({"pickle", "marshal", "shelve", "dill"}, id="makes objects of bytes"),
        pytest.param({"xml", "lxml", "defusedxml"}, id="reads XML"),
        pytest.param({"ldap3", "ldap"}, id="asks a directory"),
    ],
)
def test_no_module(modules: set[str]) -> None:
    found = {str(path): _where(modules, _imported(tree)) for path, tree in _modules()}

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"eval", "exec", "compile", "__import__"}, id="runs text as code"),
        pytest.param({"os.system", "os.popen", "os.execv", "os.spawnl"}, id="runs text as a command"),
        pytest.param({"mark_safe", "SafeString"}, id="takes text for markup"),
        pytest.param({"hashlib.md5", "hashlib.sha1"}, id="hashes by what is broken"),
        pytest.param({"random.random", "random.choice", "random.randint"}, id="takes a guessable number for a secret"),
    ],
)
def test_no_call(names: set[str]) -> None:
    found = {str(path): _called(tree) & names for path, tree in _modules()}

    assert {path: calls for path, calls in found.items() if calls} == {}


def test_no_page_takes_files() -> None:
    code = "\n".join(path.read_text() for path, _tree in _modules())
    pages = "\n".join(path.read_text() for path in (settings.ROOT / "templates").rglob("*.html"))

    assert "FileField" not in code.replace("FilePathField", "")
    assert ".FILES" not in code
    assert 'type="file"' not in pages
    assert "multipart/form-data" not in pages


def test_no_hidden_text_begins_with_what_belongs_to_the_word_before() -> None:
    """Browsers put a blank before what is only read aloud: "Change : Is there MFA?"."""
    found = {
        path.name: hidden
        for path in (settings.ROOT / "templates").rglob("*.html")
        if (hidden := re.findall(r'visually-hidden">\s*[:,;.]', path.read_text()))
    }

    assert found == {}


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["' OR '1'='1", '" OR ""="', "x'; DROP TABLE accounts_user; --", "%' --", "\\"])
def test_text_stays_text_in_statements(word: str, client: Client, admin_user: User, alice: User) -> None:
    client.post("/accounts/login/", {"login": f"{word}@example.org", "password": word})
    client.post("/accounts/login/", {"login": alice.email, "password": word})
    assert "_auth_user_id" not in client.session

    client.force_login(admin_user)
    page = client.get("/admin/accounts/user/", {"q": word})
    assert page.status_code == 200
    assert f"/admin/accounts/user/{alice.pk}/change/" not in page.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/nothing/", "text/html; charset=utf-8"),
        ("/health", "application/json"),
        ("/schemas/AnswerEvent.v1.json", "application/schema+json"),
        ("/static/css/plumbline.css", 'text/css; charset="utf-8"'),
        ("/static/js/live.js", 'text/javascript; charset="utf-8"'),
        ("/accounts/login/", "text/html; charset=utf-8"),
    ],
)
def test_each_answer_says_what_it_is(address: str, content_type: str, client: Client) -> None:
    assert client.get(address)["Content-Type"] == content_type


@pytest.mark.parametrize(
    "address", ["/.git/config", "/.env", "/static/../manage.py", "/static/", "/platform/config/settings.py"]
)
@pytest.mark.django_db
def test_nothing_of_the_checkout_is_served(address: str, client: Client) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_nobody_is_there_from_the_start() -> None:
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_session_has_a_key_that_nobody_guesses_and_a_new_one_when_somebody_signs_in(alice: User) -> None:
    browser = Client()
    browser.get("/accounts/login/")
    session = browser.session
    session["before"] = "somebody"
    session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    before = str(session.session_key)

    browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})

    after = browser.session.session_key
    assert after
    assert after != before
    assert len(after) == 32  # of 36 letters and digits: 165 bits
    assert not type(session)(before).exists(before)
