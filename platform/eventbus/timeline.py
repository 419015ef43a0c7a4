"""What the administration shows of the bus: ages in words, and a trace as bars on one scale of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from eventbus.pausing import Standing
from eventbus.traces import Step, Trace, milliseconds

WIDTH = 1000.0
SLIVER = 4.0
"""The narrowest bar that is still seen."""


@dataclass(frozen=True)
class Bar:
    """A rectangle in an SVG of WIDTH units; numbers as SVG wants them."""

    x: str
    width: str
    kind: str


@dataclass(frozen=True)
class TimelineRow:
    """One step with its times as text, and its bars."""

    step: Step
    starts: str
    waited: str
    worked: str
    ends: str
    bars: list[Bar]


def rows_of(trace: Trace) -> list[TimelineRow]:
    """The rows of the timeline."""
    scale = WIDTH / max(trace.lasts.total_seconds(), 0.001)
    return [
        TimelineRow(
            step,
            milliseconds(step.starts),
            milliseconds(step.waited),
            milliseconds(step.worked),
            milliseconds(step.ends),
            _bars(step, scale),
        )
        for step in trace.steps
    ]


def _bars(step: Step, scale: float) -> list[Bar]:
    if step.kind != "delivery":
        return [_bar(step.starts, None, scale, step.kind)]
    bars = []
    until = step.claimed or step.ends
    bars.append(_bar(step.starts, until, scale, "waited"))
    if step.claimed is not None:
        bars.append(_bar(step.claimed, step.ends, scale, step.status))
    return bars


def _bar(begin: timedelta, end: timedelta | None, scale: float, kind: str) -> Bar:
    width = max(((end or begin) - begin).total_seconds() * scale, SLIVER)
    x = min(max(begin.total_seconds() * scale, 0.0), WIDTH - SLIVER)
    return Bar(f"{x:.1f}", f"{min(width, WIDTH - x):.1f}", kind)


@dataclass(frozen=True)
class StandingRow:
    """A subscription with its ages in words."""

    standing: Standing
    lag: str
    oldest: str


def shown(standing: Standing) -> StandingRow:
    """The row of the subscriptions page."""
    return StandingRow(standing, in_words(standing.lag), in_words(standing.oldest))


def in_words(span: timedelta | None) -> str:
    """A span in its largest whole unit: "12 s", "3 min", "5 h", "2 days"; a dash for None."""
    if span is None:
        return "–"  # noqa: RUF001
    seconds = int(span.total_seconds())
    if seconds < 120:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 7200:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 172_800:
        return _("%(n)d h") % {"n": seconds // 3600}
    return _("%(n)d days") % {"n": seconds // 86_400}
