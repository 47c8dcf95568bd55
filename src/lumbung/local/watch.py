"""Keep an installation running: start again what has died."""

from __future__ import annotations

import time
from collections.abc import Callable

from lumbung.errors import explained
from lumbung.local.stack import Stack

PAUSE = 30
"""Seconds between two looks; longer than 'lumbung down' needs to end the parts of Airflow."""


def watch(stack: Stack, start: Callable[[], object], *, pause: float = PAUSE) -> None:
    """Start everything; start it again when a part is down, or a task waits, at two looks in a row.

    It returns when somebody has stopped the installation with 'lumbung down'. A start or a look
    that failed, for whatever reason, is printed and tried again: where this command is a service,
    its end would end every part.

    Args:
        stack: the installation.
        start: starts what does not run, as 'lumbung up' does.
        pause: seconds between two looks.

    """
    before = missing = ["everything"]
    while True:
        if again := [name for name in missing if name in before]:
            _say(f"down: {', '.join(again)}; starting")
            try:
                start()
            except Exception as error:
                _say(str(explained(error, stack.settings.home)))
                time.sleep(pause)
                continue
            missing = []
        time.sleep(pause)
        try:
            if not stack.processes.names():
                _say("stopped by 'lumbung down'")
                return
            died = [part.name for part in stack.status() if not part.pid]
            before, missing = missing, [*died, *stack.queued_too_long()]
        except Exception as error:
            _say(str(explained(error, stack.settings.home)))


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)
