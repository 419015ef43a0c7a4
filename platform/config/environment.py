"""The environment, and what it may not say. What is wrong there is refused at the start, with what to do."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from environs import Env, ValidationError

from throttling import rates

ROOT = Path(__file__).resolve().parent.parent.parent
env = Env()
env.read_env(ROOT / ".env", recurse=False)


def refuse_no_rate(text: str) -> None:
    """Raise ValidationError for what is no rate, such as 5/s,40."""
    try:
        rates.read(text)
    except ValueError as problem:
        raise ValidationError(str(problem)) from None


def refuse_no_plain_rate(text: str) -> None:
    """Raise ValidationError for what is no rate without a burst, such as 120/m."""
    refuse_no_rate(text)
    if text == rates.OFF or "," in text:
        raise ValidationError("write a number and a time, as in 120/m")


def refuse_unknown_time_zone(name: str) -> None:
    """Raise ValidationError for what the machine does not know."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValidationError("No time zone of this name; one is Europe/Zurich.") from None
