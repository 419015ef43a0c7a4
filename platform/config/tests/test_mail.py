"""Mail without a mail server."""

from __future__ import annotations

import email
import email.policy
import os
import stat
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from config.embedded.mail import TerminalAndFolderBackend


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return tmp_path / "mail"


def _mail(to: str = "alice@example.org") -> EmailMultiAlternatives:
    message = EmailMultiAlternatives("Your code", "Your code is ABC-123.\n", "Plumbline <plumbline@localhost>", [to])
    message.attach_alternative("<p>Your code is ABC-123.</p>", "text/html")
    return message


def test_a_mail_is_shown_at_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert TerminalAndFolderBackend().send_messages([_mail()]) == 1

    shown = capsys.readouterr().out
    assert "Mail to alice@example.org: Your code" in shown
    assert "Your code is ABC-123." in shown
    assert "<p>" not in shown


def test_a_mail_does_not_steer_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = _mail()
    message.body = "with this browser: \x1b[2J\x9b31mMozilla\rgone\nnext line\n"

    TerminalAndFolderBackend().send_messages([message])

    shown = capsys.readouterr().out
    assert "  | with this browser: ?[2J?31mMozilla\n  | gone\n  | next line\n" in shown


def test_a_mail_is_written_whole_and_for_its_owner_only(folder: Path) -> None:
    TerminalAndFolderBackend().send_messages([_mail()])

    (path,) = folder.iterdir()
    written = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert written["Subject"] == "Your code"
    assert written["To"] == "alice@example.org"
    body = written.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Your code is ABC-123.\n"


def test_an_address_cannot_lead_out_of_the_folder(folder: Path) -> None:
    TerminalAndFolderBackend().send_messages([_mail("../../etc/passwd@example.org")])

    (path,) = folder.iterdir()
    assert ".._.._etc_passwd@example.org" in path.name


def test_a_mail_to_nobody_is_not_sent(folder: Path) -> None:
    message = _mail()
    message.to = []

    assert TerminalAndFolderBackend().send_messages([message]) == 0
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_an_error_unless_silence_is_asked_for(folder: Path) -> None:
    folder.write_text("in the way")

    assert TerminalAndFolderBackend(fail_silently=True).send_messages([_mail()]) == 0
    with pytest.raises(OSError, match=os.strerror(17)):
        TerminalAndFolderBackend().send_messages([_mail()])
