"""What `manage.py up` checks before it starts, and how it says what to do."""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import data_folder, surroundings
from config.environment import ROOT


def test_an_old_python_is_told_the_way_to_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))

    with pytest.raises(surroundings.Unfit, match=r"Python 3\.11 or newer is needed.*make PYTHON="):
        surroundings.check_versions()


def test_an_old_sqlite_is_named_with_the_version_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    with pytest.raises(surroundings.Unfit, match=r"SQLite 3\.35 or newer"):
        surroundings.check_versions()


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    surroundings.prepare_folder(tmp_path / "a" / "b")

    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["static"]


def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(surroundings.Unfit, match=r"data folder .*file/x can.t be written .*DATA_DIR="):
        surroundings.prepare_folder(tmp_path / "file" / "x")


def test_a_port_in_use_is_refused_with_another_one_to_take() -> None:
    with surroundings.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(surroundings.Unfit, match=rf"port {port} is used.*PORT={port + 1} make run"):
            surroundings.listen("127.0.0.1", port)


def test_a_host_that_is_no_address_is_refused() -> None:
    with pytest.raises(surroundings.Unfit, match=r"HOST=256\.0\.0\.1:1 is no address"):
        surroundings.listen("256.0.0.1:1", 0)


def test_ipv6_can_be_listened_on() -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")

    with surroundings.listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = data_folder.secret_key(tmp_path)

    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert data_folder.secret_key(tmp_path) == first


def test_a_folder_in_use_is_refused_and_names_the_process(tmp_path: Path) -> None:
    with data_folder.claim(tmp_path), pytest.raises(data_folder.FolderInUse) as refusal:
        data_folder.claim(tmp_path)

    assert str(refusal.value) == str(os.getpid())


def test_a_folder_is_free_again_once_its_process_is_done(tmp_path: Path) -> None:
    data_folder.claim(tmp_path).close()

    with data_folder.claim(tmp_path) as file:
        assert not file.closed


def test_an_empty_data_dir_is_not_the_folder_in_which_one_stands(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": "", "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "platform")))}
    code = "from config.settings import DATA_DIR; print(DATA_DIR)"

    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert shown.stdout.strip() == str(ROOT / "var")
