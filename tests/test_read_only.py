"""A root that can't be written, as deploy/compose.yaml and the Kubernetes manifests promise.

Processes may write to /tmp and to the data folder.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.production import ROOT, Browser, Installation
from tests.services import Service
from tests.walking import GOLDEN

pytestmark = pytest.mark.process
VOLUME = "/srv"
"""Where the data folder lies for the processes, like /var/lib/plumbline in the image."""
READ_ONLY = f"""
set -e
mount --bind "$1" {VOLUME}
shift
while read -r device folder kind options; do
    case $folder in
        {VOLUME} | /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) ;;
        *) mount -o remount,bind,ro "$folder" 2>/dev/null || true ;;
    esac
done </proc/mounts
mount -t tmpfs -o mode=1777,size=64m,noexec,nosuid,nodev tmpfs /tmp
cd "$PWD"
exec "$@"
"""
UNSHARE = ["unshare", "--mount", "--propagation", "private"]
ANSWERS = GOLDEN | {"exposed": "no", "provider": "no"}


@pytest.fixture
def installation(postgres: Service, redis_server: Service, tmp_path: Path) -> Installation:
    """One whose processes and commands each live on a read-only root."""
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        pytest.skip("this user may not mount anything: run it as root")
    if ROOT.is_relative_to("/tmp"):  # noqa: S108
        pytest.skip("the project lies in /tmp, which is another one for the processes")
    installation = Installation(postgres, redis_server, tmp_path)
    installation.within = [*UNSHARE, "sh", "-c", READ_ONLY, "read-only", str(tmp_path)]
    installation.environment |= {"DATA_DIR": VOLUME, "HOME": VOLUME}
    return installation


def _refused(installation: Installation, *arguments: str) -> str:
    """What a command says that ends with an error."""
    command = [*installation.within, "python", "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=installation.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    return done.stderr


def test_nothing_but_the_two_can_be_written(installation: Installation) -> None:
    installation.run("sh", "-c", f"touch /tmp/here {VOLUME}/here && ! touch here 2>/dev/null && ! touch /var/here 2>&-")
    assert (installation.folder / "here").exists()
    assert not (ROOT / "here").exists()


def test_every_process_starts_works_and_ends(installation: Installation) -> None:
    installation.run("deploy/run", "release")
    browser = Browser(installation)
    with ExitStack() as stack:
        web = stack.enter_context(installation.web())
        names = ("worker", "worker-security", "worker-reports", "worker-mail")
        workers = [stack.enter_context(installation.worker(name)) for name in names]
        live = stack.enter_context(browser.live())
        assert browser.save(ANSWERS) == 200
        assert json.loads(live.recv(30))["state"] == "new"
        assert browser.submit() == 302
        assert json.loads(live.recv(30))["revision"] == 2
        for name, worker in zip(names, workers, strict=True):
            worker.wait_for(lambda name=name, worker=worker: f"{name.removeprefix('worker-')}@" in worker.output)  # type: ignore[misc]
            assert worker.end() == 0
        web.end()
    assert not [process.log for process in (web, *workers) if "Errno" in process.output]


def test_commands_work_or_say_what_can_not_be_written(installation: Installation) -> None:
    installation.run("deploy/run", "release")
    archive = f"{VOLUME}/monday.plumbline"

    installation.manage("backup", archive)
    installation.manage("verify", archive)
    installation.manage("restore", archive)

    assert _refused(installation, "backup", "monday.plumbline") == (
        "CommandError: monday.plumbline can't be written (Read-only file system). "
        "Choose a folder in which you may write\n"
    )
    assert "Nothing has to be collected" in installation.manage("collectstatic", "--no-input")
    assert (installation.folder / "monday.plumbline").exists()
