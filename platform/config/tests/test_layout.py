"""`platform/` is a source root. As a package it would shadow the standard library's module of the same name."""

from __future__ import annotations

import importlib
import sysconfig
from pathlib import Path

from django.conf import settings


def test_import_platform_gives_the_standard_library() -> None:
    module = importlib.import_module("platform")

    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(sysconfig.get_path("stdlib"))


def test_the_source_root_is_no_package_and_holds_no_loose_modules() -> None:
    assert list((settings.ROOT / "platform").glob("*.py")) == []
