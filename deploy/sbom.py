"""Writes what Plumbline is made of, as CycloneDX 1.6: `make sbom`.

The Python packages are those that requirements.txt pins, with the hashes of their files; the others are in
static/vendor and listed in vendored.json beside this file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent
VENDORED = ROOT / "deploy" / "vendored.json"


def document() -> dict[str, Any]:
    """The whole list. The same pins and files give the same document."""
    found = _python_packages()
    components = [*map(_named, found["components"]), *map(_vendored, json.loads(VENDORED.read_text()))]
    return {
        "$schema": found["$schema"],
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _product()},
        "components": components,
        "dependencies": [{"ref": "plumbline", "dependsOn": [component["bom-ref"] for component in components]}],
    }


def valid(text: str) -> str:
    """The text itself; ends the program where it is no CycloneDX."""
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"The list is no valid CycloneDX: {error}")
    return text


def _python_packages() -> dict[str, Any]:
    command = ["requirements", "--sv", "1.6", "--of", "JSON", "--output-reproducible", "requirements.txt"]
    done = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-m", "cyclonedx_py", *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _named(package: dict[str, Any]) -> dict[str, Any]:
    """A package by its name instead of by the line of a file, which changes with every other package."""
    return {**{key: value for key, value in package.items() if key != "description"}, "bom-ref": package["purl"]}


def _vendored(package: dict[str, Any]) -> dict[str, Any]:
    files = [
        {"type": "file", "name": f"static/vendor/{name}", "hashes": [{"alg": "SHA-256", "content": digest}]}
        for name, digest in package["files"].items()
    ]
    return {
        "type": "library",
        "bom-ref": package["purl"],
        "name": package["name"],
        "version": package["version"],
        "purl": package["purl"],
        "licenses": [{"license": {"id": package["license"]}}],
        "components": files,
    }


def _product() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"type": "application", "bom-ref": "plumbline", "name": project["name"], "version": project["version"]}


if __name__ == "__main__":
    made = document()
    Path(sys.argv[1]).write_text(valid(json.dumps(made, indent=1) + "\n"))
    sys.stdout.write(f"{sys.argv[1]} lists {len(made['components'])} components.\n")
