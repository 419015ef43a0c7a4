"""What Plumbline is made of: pinned by hash, listed, and with its licences."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.embedded import ROOT

VENDOR = ROOT / "static" / "vendor"


def _vendored() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "deploy" / "vendored.json").read_text())
    return found


def _pins(file: str) -> list[str]:
    """Each pin with all that belongs to it."""
    text = re.sub(r"\\\n\s*", "", (ROOT / file).read_text())
    return [line for line in text.splitlines() if re.match(r"[A-Za-z]", line)]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_each_pin_has_the_hashes_of_its_files(file: str) -> None:
    pins = _pins(file)

    assert len(pins) > 50
    assert [pin for pin in pins if not re.search(r"==[^ ;]+.* --hash=sha256:[0-9a-f]{64}", pin)] == []


@pytest.mark.parametrize("file", ["Makefile", "deploy/Dockerfile"])
def test_nothing_is_installed_without_its_hash(file: str) -> None:
    installs = re.findall(r"pip install .*", (ROOT / file).read_text())

    assert installs
    assert [line for line in installs if "--require-hashes" not in line] == []


def test_every_file_of_others_is_known_and_unchanged() -> None:
    known = {name: digest for package in _vendored() for name, digest in package["files"].items()}
    there = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*") if path.is_file()}
    licences = {package["license_file"] for package in _vendored()}

    assert set(there) == set(known) | licences
    assert {name: hashlib.sha256(there[name].read_bytes()).hexdigest() for name in known} == known


@pytest.mark.parametrize("package", _vendored(), ids=lambda package: str(package["name"]))
def test_the_licence_of_each_is_beside_it(package: dict[str, Any]) -> None:
    licence = (VENDOR / package["license_file"]).read_text()

    assert "MIT License" in licence
    assert "Permission is hereby granted, free of charge" in licence
    assert all(Path(name).parent == Path(package["license_file"]).parent for name in package["files"])
    if package["license_file"].startswith("graphiql/"):
        assert f"{package['version']}" in licence.splitlines()[0]
        assert package["name"] in licence


@pytest.mark.process
def test_the_list_is_valid_and_has_every_package(tmp_path: Path) -> None:
    target = tmp_path / "plumbline.cdx.json"
    done = subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "sbom.py"), str(target)], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")

    made = json.loads(target.read_text())
    named = {component["name"]: component for component in made["components"]}
    pinned = {re.match(r"[A-Za-z0-9._-]+", pin)[0] for pin in _pins("requirements.txt")}  # type: ignore[index]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["version"] == project["version"]
    assert set(named) == pinned | {package["name"] for package in _vendored()}
    assert named["django"]["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"
    assert (
        named["react"]["components"][0]["hashes"][0]["content"]
        == _vendored()[3]["files"]["graphiql/react.production.min.js"]
    )


def test_security_md_says_what_somebody_needs_who_found_something() -> None:
    text = (ROOT / "SECURITY.md").read_text()

    for section in ("## Report", "## Supported versions", "## What we promise", "## What it is made of"):
        assert section in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ".".join(project["version"].split(".")[:2]) in text
