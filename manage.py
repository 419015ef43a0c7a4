#!/usr/bin/env python
"""Put the source roots on the path, name the settings, hand over."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.command_line import run  # noqa: E402

if __name__ == "__main__":
    run(sys.argv)
