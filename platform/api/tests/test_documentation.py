"""What docs/api.md says can be typed as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from api import limits, messages
from api.tests.servers import ROOT, Server

TEXT = (ROOT / "docs" / "api.md").read_text() + (ROOT / "docs" / "api-schema.md").read_text()


@pytest.mark.process
def test_every_block_for_the_shell_runs(uvicorn: Server) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    environment = {"PATH": os.environ["PATH"], "PLUMBLINE": uvicorn.url}

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert len(blocks) == 2
    assert done.stdout.startswith('{"data":{"__typename":"Query"}}')
    assert '"is_authenticated": false' in done.stdout


def test_every_limit_stands_there_with_its_default() -> None:
    stated = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", TEXT, re.MULTILINE))

    assert {name: int(number.replace(",", "")) for name, number in stated.items()} == vars(limits.current())


def test_every_close_code_stands_there() -> None:
    codes = {value for value in vars(messages).values() if isinstance(value, int) and value >= 1000}

    assert codes <= {int(code) for code in re.findall(r"^\| (\d{4}) \|", TEXT, re.MULTILINE)}


def test_every_code_of_an_error_stands_there() -> None:
    sources = [path.read_text() for path in (ROOT / "platform" / "api").glob("*.py")]
    codes = {code for source in sources for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', source)}
    codes -= {"HTTP_X_FORWARDED_PROTO", "SCHEMA"}

    assert codes
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
