#!/usr/bin/env bash
# An exception that a handler of signal.signal raises ends asyncio's loop, and does not end uvloop's.
#
# Python's own loop lets the exception out of run(): programs stop themselves so, with a timer (SIGALRM) or on SIGTERM.
# uvloop runs the handler inside a callback of the loop. It prints the exception to the loop's exception handler and goes
# on as if nothing had come; only SystemExit and KeyboardInterrupt get out. The same program so stops with the one loop and
# runs on with the other, also where the exception derives from BaseException to get past every `except Exception`.
#
# For whom it matters: people that run Channels or another ASGI application under uvicorn, which takes uvloop by itself
# where it is installed, and people that write load generators and tests which use uvloop for speed and stop by a signal.
# Let such a handler raise SystemExit, or use loop.add_signal_handler and cancel the task.
#
# Needs Python 3.11 or later with venv, and the package index. Exits 0 while it is so, and 1 once that has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0

cat > "$folder/stopping.py" <<'PYTHON'
import asyncio
import os
import signal
import sys
import threading

import uvloop

FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
BASES = {"Exception": Exception, "BaseException": BaseException, "SystemExit": SystemExit}
Stop = type("Stop", (BASES[sys.argv[2]],), {})


def stop(*_):
    raise Stop


async def work():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    await asyncio.sleep(1.5)


signal.signal(signal.SIGTERM, stop)
with asyncio.Runner(loop_factory=FACTORIES[sys.argv[1]]) as runner:
    runner.get_loop().set_exception_handler(lambda loop, context: None)
    try:
        runner.run(work())
    except Stop:
        print("stopped")
    else:
        print("ran on")
PYTHON

"$folder/venv/bin/python" -c 'import sys, uvloop; print("Python", sys.version.split()[0] + ", uvloop", uvloop.__version__)'
changed=0
check() {
	seen=$("$folder/venv/bin/python" "$folder/stopping.py" "$1" "$2")
	echo "$1, handler raises $2: one would expect stopped; seen: $seen"
	[ "$seen" = "$3" ] || changed=1
}
check asyncio Exception stopped
check asyncio BaseException stopped
check uvloop Exception "ran on"
check uvloop BaseException "ran on"
check uvloop SystemExit stopped
exit $changed
