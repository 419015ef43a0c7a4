"""A bar on a terminal; in a log a line now and then."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from eventbus.progress import Progress


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


def seconds(pause: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each look at the clock came so many seconds after the one before."""
    now = iter(range(1000))
    monkeypatch.setattr("eventbus.progress.time.monotonic", lambda: next(now) * pause)


def numbers(upto: int) -> Iterator[int]:
    yield from range(upto)


def test_a_terminal_gets_one_line_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(1, monkeypatch)
    shown = Terminal()
    assert list(Progress(shown).over(numbers(2), "events", 2)) == [0, 1]
    assert shown.getvalue() == (
        f"\r[{'#' * 15}{' ' * 15}]  50%  events  1 of 2\x1b[K"
        f"\r[{'#' * 30}] 100%  events  2 of 2\x1b[K"
        f"\r[{'#' * 30}] 100%  events  2\x1b[K\n"
    )


def test_a_log_gets_a_line_every_ten_seconds_and_one_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(3, monkeypatch)
    shown = io.StringIO()
    assert len(list(Progress(shown).over(numbers(10), "events", 10))) == 10
    assert [line.split("]")[1] for line in shown.getvalue().splitlines()] == [
        "  40%  events  4 of 10",
        "  80%  events  8 of 10",
        " 100%  events  10",
    ]


def test_quick_work_leaves_one_line_in_a_log() -> None:
    shown = io.StringIO()
    assert len(list(Progress(shown).over(numbers(10), "events", 10))) == 10
    assert shown.getvalue() == f"[{'#' * 30}] 100%  events  10\n"


def test_a_step_that_has_more_than_was_counted_is_full_and_not_fuller(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(1, monkeypatch)
    shown = Terminal()
    Progress(shown).show("events", 5, 4)
    assert shown.getvalue() == f"\r[{'#' * 30}] 100%  events  5 of 5\x1b[K"


def test_work_whose_end_nobody_knows_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds(1, monkeypatch)
    shown = Terminal()
    Progress(shown).show("pruned", 1500, None)
    assert shown.getvalue() == "\rpruned  1,500\x1b[K"


@pytest.mark.parametrize("quiet", [True, False])
def test_who_is_interrupted_hears_how_far_it_had_come_and_what_to_do(quiet: bool) -> None:
    progress = Progress(io.StringIO(), quiet=quiet)

    def work() -> None:
        with progress.interruptible("Start it again."):
            for number in progress.over(numbers(2000), "events", 2000):
                if number == 1234:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        work()
    assert stopped.value.args == ("It had come to events, 1,234 of 2,000. Start it again.",)


def test_what_had_not_begun_has_come_nowhere() -> None:
    with pytest.raises(KeyboardInterrupt) as stopped, Progress(io.StringIO()).interruptible("Start it again."):
        raise KeyboardInterrupt
    assert stopped.value.args == ("Start it again.",)


def test_the_innermost_block_knows_best() -> None:
    progress = Progress(io.StringIO())
    with (
        pytest.raises(KeyboardInterrupt) as stopped,
        progress.interruptible("Outside."),
        progress.interruptible("Inside."),
    ):
        raise KeyboardInterrupt
    assert stopped.value.args == ("Inside.",)


def test_who_wants_it_quiet_sees_nothing() -> None:
    shown = Terminal()
    assert list(Progress(shown, quiet=True).over(numbers(1), "events", 1)) == [0]
    assert shown.getvalue() == ""
