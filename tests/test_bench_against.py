"""Two builds against each other as a person asks for it: what may be asked, what it ends with, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.bench.against import builds
from tests.bench.against.__main__ import EVERYDAY, PARTS, options, status_of
from tests.bench.against.ratios import Comparison
from tests.bench.against.turns import CannotMeasure
from tests.conftest import ROOT

SMALL = ("--people", "3", "--seconds", "0.5", "--rounds", "1")
NO_GIT = "this is no git checkout, or git is missing"


@pytest.fixture(scope="module")
def _git() -> None:
    """A checkout of which a revision can be had."""
    try:
        builds.this_build()
    except CannotMeasure:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_GIT, pytrace=False)
        pytest.skip(NO_GIT)


def figure(ratio: float, turns: int = 15) -> Comparison:
    return Comparison("embedded", "flows a second", "rate", "a second", (ratio,) * turns, (1.0,) * turns, (2.0,))


# --- what may be asked ------------------------------------------------------------------------------------------------
def test_nothing_said_is_fifteen_turns_of_both_modes_by_128_people() -> None:
    given = options(["0df5df1"])
    assert (given.revision, given.turns, given.part, given.people, given.gate) == ("0df5df1", 15, None, 128, False)


@pytest.mark.parametrize(
    ("arguments", "turns"), [(["--quick"], 2), (["--quick", "--turns", "4"], 4), (["--turns", "31"], 31)]
)
def test_turns_can_be_said(arguments: list[str], turns: int) -> None:
    assert options(["main", *arguments]).turns == turns


def test_everyday_is_measured_in_both_modes_and_the_tail_when_it_is_asked_for() -> None:
    assert EVERYDAY == [("embedded", "everyday"), ("production", "everyday")]
    assert options(["main", "--part", "tail"]).part == "tail"
    assert PARTS["tail"] == [("embedded", "tail"), ("production", "tail")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "say which revision"),
        ([], "required: revision"),
        (["main", "--turns", "0"], "turns and people start at 1"),
        (["main", "--turns", "many"], "invalid int value"),
        (["main", "--part", "api"], "invalid choice"),
        (["main", "--gate", "--turns", "5"], "at least 6 turns"),
        (["main", "--gate", "--quick"], "at least 6 turns"),
    ],
)
def test_what_can_not_be_asked_is_refused_with_the_status_of_what_was_not_measured(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        options(arguments)
    assert refused.value.code == 2
    assert words in capsys.readouterr().err


# --- what it ends with ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("figures", "status"),
    [
        ([figure(1.0), figure(0.95)], 0),
        ([figure(1.0), figure(0.87)], 0),
        ([figure(1.0), figure(0.86)], 1),
        ([figure(0.5, turns=5)], 0),
    ],
)
def test_the_gate_is_shut_by_one_figure_that_is_slower_beyond_doubt(figures: list[Comparison], status: int) -> None:
    assert status_of(figures) == status


@pytest.mark.process
@pytest.mark.parametrize(("ended_with", "status"), [(0, 0), (1, 1), (2, 2), (130, 2)])
def test_make_hands_the_gates_status_on(tmp_path: Path, ended_with: int, status: int) -> None:
    # Measuring takes a quarter of an hour: here the program that make starts only ends.
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/arguments"\nexit {ended_with}\n')
    program.chmod(0o755)
    mine = [f"BIN={tmp_path}", f"GATE={tmp_path}/gate", "AGAINST=main~1", "TURNS=6", "PART=embedded"]
    done = make("bench-gate", *mine)
    assert done.returncode == status, done.stderr
    asked = "-m tests.bench.against main~1 --gate --turns 6 --part embedded\n"
    assert (tmp_path / "arguments").read_text() == asked


@pytest.mark.process
@pytest.mark.parametrize("target", ["bench", "bench-gate"])
def test_a_revision_that_git_does_not_know_is_not_measured(tmp_path: Path, target: str) -> None:
    done = make(target, f"GATE={tmp_path}/gate", "AGAINST=no-such-revision")
    assert done.returncode == 2
    assert "Not measured: git " in done.stdout


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As from a terminal: not as a part of the make that may have started these tests."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


# --- the environment --------------------------------------------------------------------------------------------------
def test_this_environment_serves_where_it_has_the_very_pins() -> None:
    mine = version("django")
    assert builds.holds(f"# a comment\ndjango=={mine}\n    # via plumbline\n\n")
    assert builds.holds("colorama==0.0.1 ; sys_platform == 'win32'")
    assert not builds.holds(f"django=={mine}\ncelery==4.0.0")
    assert not builds.holds("no-such-package==1.0")


def test_pins_with_the_hashes_of_their_files_are_read() -> None:
    mine = version("django")
    hashes = " \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via plumbline\n"
    assert builds.holds(f"django=={mine}{hashes}")
    assert builds.holds(f"django=={mine} ; python_version > '3'{hashes}")
    assert not builds.holds(f"django==1.0{hashes}")


def test_what_runs_these_tests_has_what_this_checkout_pins() -> None:
    assert builds.holds((ROOT / "requirements.txt").read_text())


# --- for real ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def started(tmp_path: Path, _git: None) -> Iterator[list[subprocess.Popen[str]]]:
    """What a test has started; ended with everything it started where a test fails."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=120)


def against(folder: Path | None, *arguments: str) -> subprocess.Popen[str]:
    """Compare with the last commit, in a session of its own as if from another terminal. All that it makes for a while
    is in the folder, if one is given."""
    own = {"TMPDIR": str(folder)} if folder else {}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.against", "HEAD", *SMALL, *arguments],
        cwd=ROOT,
        env={**os.environ, **own, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_of(folder: Path) -> list[str]:
    """Files, worktrees and processes."""
    found = [str(path) for path in folder.iterdir()]
    worktrees = subprocess.run(["git", "worktree", "list"], cwd=ROOT, capture_output=True, text=True, check=True)
    found += [line for line in worktrees.stdout.splitlines() if str(folder) in line]
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder):
                found.append(str(process))
        except psutil.Error:
            continue
    return found


@pytest.mark.process
def test_the_embedded_builds_are_measured_in_turns_and_nothing_stays(
    tmp_path: Path, started: list[subprocess.Popen[str]]
) -> None:
    started.append(process := against(tmp_path, "--part", "embedded", "--turns", "1"))
    figures = figures_of(process, turns=1)
    assert left_of(tmp_path) == []
    # Three people who may save twice a second.
    assert max(figures["flows a second"]["new"] + figures["flows a second"]["old"]) <= 12.0


@pytest.mark.process
@pytest.mark.long
@pytest.mark.usefixtures("postgres", "redis_server")
def test_the_production_builds_are_measured_on_the_same_services(
    started: list[subprocess.Popen[str]],
) -> None:
    # Not in the test's folder, which PostgreSQL's user may not enter where that is not root.
    started.append(process := against(None, "--part", "production", "--turns", "1"))
    figures_of(process, turns=1)


@pytest.mark.process
@pytest.mark.long
@pytest.mark.usefixtures("postgres", "redis_server")
def test_the_tail_is_measured_in_both_modes(started: list[subprocess.Popen[str]]) -> None:
    started.append(process := against(None, "--part", "tail", "--turns", "1"))
    figures_of(process, turns=1, names=2 * TAIL)


TAIL = [
    "save with 8 at once, p50",
    "save with 8 at once, p95",
    "saves a second, 8 at once",
    "report after submit, 50 at it, p50",
    "report after submit, 50 at it, p95",
]


def figures_of(
    process: subprocess.Popen[str], turns: int, names: Sequence[str] = ("answer to browser", "flows a second")
) -> dict[str, dict[str, Any]]:
    """What it has kept of each figure, once it has ended; the file goes."""
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    file = next(line for line in said.splitlines() if line.startswith("Every turn is in "))
    kept = ROOT / file.removeprefix("Every turn is in ").rstrip(".")
    document = json.loads(kept.read_text())
    kept.unlink()
    assert [each["figure"] for each in document["figures"]] == list(names)
    for each in document["figures"]:
        assert [len(each[name]) for name in ("new", "old", "floor", "ratios")] == [turns] * 4
        assert min(each["new"] + each["old"] + each["floor"]) > 0
        assert each["verdict"] == "too few turns to say"
    return {each["figure"]: each for each in document["figures"]}


@pytest.mark.process
@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "status", "after"),
    [(signal.SIGINT, 130, "turn 1 of 1000"), (signal.SIGTERM, 143, "both builds start")],
    ids=["int", "term"],
)
def test_stopped_half_way_it_leaves_nothing(
    tmp_path: Path, started: list[subprocess.Popen[str]], number: signal.Signals, status: int, after: str
) -> None:
    started.append(process := against(tmp_path, "--part", "embedded", "--turns", "1000"))
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if after in line:
            # Ctrl-C reaches everything that runs in the terminal, SIGTERM the process alone.
            (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
            break
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == status, "".join([*said, rest])
    assert left_of(tmp_path) == []
