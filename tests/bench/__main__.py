"""Measure: `make bench`, or one part of it: `make bench PART=production`. `--quick` is for a look.

A figure alone says little on an unknown machine; its ratio to the floor says how much the product adds to what the
machine can't do without. Each part runs in a process of its own, against the product's real processes on loopback.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

PARTS = ("embedded", "production", "api", "growth", "strangers", "abuse")


def main() -> int:
    """Run the parts that were asked for, one after the other; gives the exit status of the worst."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="only this one")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a look")
    given = parser.parse_args()
    quick = ["--quick"] if given.quick else []
    parts = [given.part] if given.part else PARTS
    return max(subprocess.run([sys.executable, "-m", f"tests.bench.{part}", *quick]).returncode for part in parts)


if __name__ == "__main__":
    sys.exit(main())
