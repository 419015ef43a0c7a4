"""Operate the event bus from the command line."""

from __future__ import annotations

import argparse
import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from eventbus import metrics
from eventbus.dead_letters import redrivable, redrive
from eventbus.models import Delivery, Event, Replay, Status
from eventbus.pausing import UnknownSubscriber, pause, resume, standings
from eventbus.progress import Progress
from eventbus.reading import read_moment, read_whole
from eventbus.replays import (
    DEFAULT_RATE,
    CancelledAlready,
    FinishedAlready,
    NothingToReplay,
    ReplayRefused,
    Selection,
    cancel,
    carry_out,
    place,
)
from eventbus.retention import prune
from eventbus.signals import operated
from eventbus.timeline import in_words
from eventbus.traces import Step, milliseconds, trace
from securitylog import Kind, note, operator

REFUSED = 1
ACTS = ("pause", "resume", "redrive", "replay", "cancel", "prune")
"""What is told in the security log; the others only look."""
NOTHING = 3


class Command(BaseCommand):
    """The administration's pages of the bus, for a terminal. Exit status 0: done; 1: refused, and why; 2: used wrongly;
    3: nothing was found that it could be done to."""

    help = (
        "Operate the event bus: see what waits, pause, redrive dead letters, replay events and cancel that, trace a "
        "request, prune. "
        "Exit status: 0 done, 1 refused, 2 used wrongly, 3 nothing found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        actions.add_parser("status", help="each subscriber with what waits for it")
        for name, sentence in (("pause", "let a subscriber's deliveries wait"), ("resume", "let them go on")):
            actions.add_parser(name, help=sentence).add_argument("name", metavar="NAME", help="a subscriber")
        dead = actions.add_parser("dead", help="the dead letters, the newest first, and why")
        dead.add_argument("--subscriber", metavar="NAME", help="only this one's")
        dead.add_argument("--limit", type=_at_least_one, default=50, metavar="N", help="so many at most (50)")
        again = actions.add_parser("redrive", help="deliver dead letters again")
        again.add_argument(
            "ids", nargs="*", type=_at_least_one, metavar="ID", help="their numbers, as `bus dead` lists them"
        )
        again.add_argument(
            "--subscriber", metavar="NAME", help="instead of numbers, with --all: all of this subscriber"
        )
        again.add_argument("--all", action="store_true", help="all dead letters, or all of --subscriber")
        _add_replay(actions.add_parser("replay", help="deliver old events once more"))
        orders = actions.add_parser("replays", help="the replays, the newest first, and how far they are")
        orders.add_argument("--limit", type=_at_least_one, default=20, metavar="N", help="so many at most (20)")
        stop = actions.add_parser("cancel", help="hand on no more of a replay")
        stop.add_argument("number", type=_at_least_one, metavar="ID", help="its number, as `bus replays` lists it")
        stop.add_argument("--yes", action="store_true", help="don't ask")
        seen = actions.add_parser("trace", help="all that came of one request, with times")
        seen.add_argument("id", type=UUID, metavar="ID", help="a request, correlation or event id")
        actions.add_parser("prune", help="delete what is older than EVENTBUS_KEEP_DELIVERIES and EVENTBUS_KEEP_EVENTS")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            getattr(self, f"_{action}")(**options)
            if action in ACTS:
                note(Kind.ADMINISTRATION, view=f"bus:{action}", by=operator())
        except (UnknownSubscriber, ReplayRefused) as refusal:
            raise CommandError(str(refusal), returncode=REFUSED) from None
        finally:
            if metrics.snapshot():
                operated.send(sender=type(self))

    # --- subscribers -----------------------------------------------------------------------------------------------
    def _status(self, **options: Any) -> None:
        rows = [("SUBSCRIBER", "STATE", "READY", "AT WORK", "LAG", "OLDEST", "DEAD")]
        for each in standings():
            going = "behind" if each.is_behind else "running"
            state = "paused" if each.paused_at else going if each.known else "unknown"
            counts = (str(each.ready), str(each.leased), in_words(each.lag), in_words(each.oldest), str(each.dead))
            rows.append((each.name, state, *counts))
        self._table(rows)

    def _pause(self, name: str, **options: Any) -> None:
        changed = pause(name, _operator())
        self.stdout.write(
            _("%s is paused; what comes for it waits.") % name if changed else _("%s was paused already.") % name
        )

    def _resume(self, name: str, **options: Any) -> None:
        changed = resume(name, _operator())
        self.stdout.write(_("%s goes on with what waited.") % name if changed else _("%s was not paused.") % name)

    # --- dead letters ----------------------------------------------------------------------------------------------
    def _dead(self, subscriber: str | None, limit: int, **options: Any) -> None:
        dead = Delivery.objects.filter(status=Status.DEAD).order_by("-finished_at", "-pk")
        if subscriber:
            dead = dead.filter(subscriber=subscriber)
        letters = list(dead.only("pk", "subscriber", "key", "attempts", "finished_at", "last_error")[:limit])
        if not letters:
            self.stdout.write(_("There are no dead letters."))
            return
        rows = [("ID", "SUBSCRIBER", "KEY", "ATTEMPTS", "DIED", "ERROR")]
        for each in letters:
            died = f"{each.finished_at:%Y-%m-%d %H:%M:%S}"
            rows.append((str(each.pk), each.subscriber, each.key, str(each.attempts), died, each.last_error))
        self._table(rows)

    def _redrive(self, ids: list[int], subscriber: str | None, all: bool, **options: Any) -> None:
        chosen = self._chosen(ids, subscriber, all)
        numbers = set(chosen.values_list("pk", flat=True)) if ids else set()
        redriven = redrive(chosen, _operator())
        if not redriven:
            raise CommandError(
                _("No dead letter was found that can be delivered again; `bus dead` lists them."), returncode=NOTHING
            )
        self.stdout.write(_("%d delivered again.") % redriven)
        if left := sorted(set(ids) - numbers):
            left_out = ", ".join(map(str, left))
            raise CommandError(
                _("Left out, because they are not dead, were erased, or have no subscriber here: %s") % left_out,
                returncode=NOTHING,
            )

    def _chosen(self, ids: list[int], subscriber: str | None, everything: bool) -> QuerySet[Delivery]:
        if ids and (subscriber or everything):
            raise CommandError(_("Give numbers, or --all with or without --subscriber, not both."), returncode=2)
        if not ids and not everything:
            raise CommandError(_("Say which: numbers as `bus dead` lists them, or --all."), returncode=2)
        if ids:
            return redrivable().filter(pk__in=ids)
        return redrivable().filter(subscriber=subscriber) if subscriber else redrivable()

    # --- replay ----------------------------------------------------------------------------------------------------
    def _replay(self, rate: int, dry_run: bool, yes: bool, **options: Any) -> None:
        chosen = {"event_type": options["type"] or "", "subscriber": options["subscriber"] or ""}
        selection = Selection(**chosen, since=options["since"], until=options["until"])
        progress = _progress(options)
        with progress.interruptible(_("Nothing was replayed.")):
            is_agreed = self._agreed(selection, rate, dry_run, yes)
            order = self._place(selection, rate) if is_agreed else None
        if order is None:
            return
        with progress.interruptible(_("Workers go on with it; `bus cancel %d` stops it.") % order.pk):
            order = carry_out(order.pk, lambda order: progress.show("Replaying", order.deliveries, order.expected))
        progress.finish("Replaying", order.deliveries)
        told = _("Replay %(order)d: %(count)d deliveries, %(rate)d due each second.")
        self.stdout.write(told % {"order": order.pk, "count": order.deliveries, "rate": rate})

    def _agreed(self, selection: Selection, rate: int, dry_run: bool, yes: bool) -> bool:
        """Show what would be replayed and, unless it is a dry run, have it confirmed."""
        counted = selection.count()
        self._table([("SUBSCRIBER", "DELIVERIES"), *((name, str(count)) for name, count in counted.items())])
        if left_out := selection.count_superseded():
            told = _("Left out: %d events that newer ones superseded; their contents were removed.")
            self.stdout.write(told % left_out)
        total = sum(counted.values())
        if dry_run:
            return False
        if not total:
            raise CommandError(_("There is nothing to replay."), returncode=NOTHING)
        question = _("Replay %(total)d deliveries at %(rate)d a second? [y/N] ") % {"total": total, "rate": rate}
        if not yes and not _confirmed(question):
            raise CommandError(_("Nothing was replayed. To replay without being asked, add --yes."), returncode=REFUSED)
        return True

    def _place(self, selection: Selection, rate: int) -> Replay:
        try:
            order = place(selection, rate=rate, by=_operator())
        except NothingToReplay:
            raise CommandError(_("There is nothing to replay."), returncode=NOTHING) from None
        told = _("Replay %(order)d is ordered. Workers go on with it if this ends; `bus cancel %(order)d` stops it.")
        self.stdout.write(told % {"order": order.pk})
        return order

    def _replays(self, limit: int, **options: Any) -> None:
        headings = ("ID", "STATE", "TYPE", "SUBSCRIBER", "ORDERED", "MADE", "HANDED ON", "WAITING", "CALLED OFF", "BY")
        replays = list(Replay.objects.with_progress()[:limit])
        rows = [
            (
                *(str(each.pk), str(each.state.label), each.event_type or "-", each.subscriber or "-"),
                *map(str, (each.expected, each.deliveries, each.handed_on, each.waiting, each.called_off)),
                each.cancelled_by or each.started_by,
            )
            for each in replays
        ]
        if rows:
            self._table([headings, *rows])
            if left := ", ".join(str(each.pk) for each in replays if each.is_left_alone):
                advice = _("No worker has begun with %s: is one running? `bus status` and manage.py doctor tell.")
                self.stdout.write(advice % left)
        else:
            self.stdout.write(_("There are no replays."))

    def _cancel(self, number: int, yes: bool, **options: Any) -> None:
        order = Replay.objects.with_progress().filter(pk=number).first()
        if order is None:
            raise CommandError(_("There is no replay %d; `bus replays` lists them.") % number, returncode=NOTHING)
        question = _(
            "Replay %(number)d: %(handed_on)d deliveries were handed on and stay, %(to_come)d will not be. "
            "Cancel it? [y/N] "
        ) % {"number": number, "handed_on": order.handed_on, "to_come": order.to_come}
        if order.may_be_cancelled and not yes and not _confirmed(question):
            raise CommandError(
                _("Nothing was cancelled. To cancel without being asked, add --yes."), returncode=REFUSED
            )
        try:
            cancel(number, _operator())
        except CancelledAlready as already:
            told = _("Replay %(number)d was cancelled already, by %(by)s.")
            said = told % {"number": number, "by": already.order.cancelled_by}
            raise CommandError(said, returncode=NOTHING) from None
        except FinishedAlready:
            told = _("Replay %(number)d has finished: everything was handed on, nothing was cancelled.")
            raise CommandError(told % {"number": number}, returncode=NOTHING) from None
        progress = _progress(options)
        with progress.interruptible(_("Workers go on with cancelling it.")):
            order = carry_out(number, lambda order: progress.show("Cancelling", order.cancelled, None))
        progress.finish("Cancelling", order.cancelled)
        told = _("Replay %(number)d is cancelled: %(handed_on)d deliveries were handed on, %(called_off)d are not.")
        self.stdout.write(told % {"number": number, "handed_on": order.handed_on, "called_off": order.called_off})

    # --- trace and prune -------------------------------------------------------------------------------------------
    def _trace(self, id: UUID, **options: Any) -> None:
        event = Event.objects.filter(Q(correlation_id=id) | Q(uuid=id)).only("correlation_id").first()
        found = trace(event.correlation_id) if event else None
        if found is None:
            raise CommandError(_("Nothing carries the id %s: it never was, or was pruned.") % id, returncode=NOTHING)
        self.stdout.write(
            f"{found.correlation_id}  {found.begins:%Y-%m-%d %H:%M:%S.%f %Z}  {milliseconds(found.lasts)}"
        )
        rows = [("AT", "STEP", "STATE", "WAITED", "WORKED", "FINISHED AT", "")]
        self._table([*rows, *(_row_of(step) for step in found.steps)])
        if found.cut:
            self.stdout.write(_("There are more events; these are the first."))

    def _prune(self, **options: Any) -> None:
        progress = _progress(options)
        with progress.interruptible(_("What was pruned is gone; the rest goes at the next time.")):
            pruned = prune(progress=lambda so_far: progress.show("Pruning", so_far.deliveries + so_far.events, None))
        if pruned.deliveries or pruned.events:
            progress.finish("Pruning", pruned.deliveries + pruned.events)
        told = _("Pruned %(deliveries)d deliveries and %(events)d events.")
        self.stdout.write(told % {"deliveries": pruned.deliveries, "events": pruned.events})

    def _table(self, rows: Sequence[tuple[str, ...]]) -> None:
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _add_replay(parser: ArgumentParser) -> None:
    parser.add_argument("--type", metavar="TYPE", help="only events of this type, for example AnswerEvent")
    parser.add_argument("--subscriber", metavar="NAME", help="only to this subscriber")
    parser.add_argument(
        "--since", type=_moment, metavar="TIME", help="published then or later: 2026-11-23 or 2026-11-23T18:00"
    )
    parser.add_argument("--until", type=_moment, metavar="TIME", help="published before")
    parser.add_argument(
        "--rate", type=_whole, default=DEFAULT_RATE, metavar="N", help=f"so many a second ({DEFAULT_RATE})"
    )
    parser.add_argument("--dry-run", action="store_true", help="only count")
    parser.add_argument("--yes", action="store_true", help="don't ask")


def _confirmed(question: str) -> bool:
    """Whether the person at the terminal says yes; where nobody sits there, no."""
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")


def _moment(text: str) -> datetime:
    """A date or a time, in the site's time zone where it names none."""
    moment = read_moment(text)
    if moment is None:
        raise argparse.ArgumentTypeError(_("%r is no time: write 2026-11-23 or 2026-11-23T18:00") % text)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _at_least_one(text: str) -> int:
    if not (number := read_whole(text)):
        raise argparse.ArgumentTypeError(_("%r is no number from 1 on") % text)
    return number


def _whole(text: str) -> int:
    if (number := read_whole(text)) is None:
        raise argparse.ArgumentTypeError(_("%r is no whole number: write digits alone, for example 1000") % text)
    return number


def _row_of(step: Step) -> tuple[str, ...]:
    title = f"  {step.title}" if step.kind in ("delivery", "moment") else str(step.title)
    state = step.status or ("published" if step.kind == "event" else "")
    times = (milliseconds(step.waited), milliseconds(step.worked), milliseconds(step.ends))
    return (milliseconds(step.starts), title, state, *times, str(step.meaning or step.error or step.note.strip()))


def _progress(options: dict[str, Any]) -> Progress:
    return Progress(sys.stderr, quiet=options["verbosity"] == 0)


def _operator() -> str:
    """Who sits at the terminal, for the notes."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        return "command line"
