"""Waits for the word to stop."""

import os
import select
import signal
from collections.abc import Callable
from types import FrameType

from incident import watchdog

ALIVE_SECONDS = 10


def when_told(stop: Callable[[], object]) -> None:
    """Have this called at SIGTERM or SIGINT, in the main thread, while it does something else; a second one ends the process."""

    def told(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)


def until_stopped() -> None:
    """Come back at SIGTERM or SIGINT; meanwhile systemd hears that we are alive."""
    hear, speak = os.pipe()  # of all means to wake a waiting thread, a pipe alone is safe inside a signal handler

    def told(_number: int, _frame: FrameType | None) -> None:
        os.write(speak, b".")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    watchdog.say(watchdog.ALIVE)
    while not select.select([hear], [], [], ALIVE_SECONDS)[0]:
        watchdog.say(watchdog.ALIVE)
    watchdog.say(watchdog.STOPPING)
