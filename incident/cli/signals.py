"""Waits for the word to stop."""

import os
import select
import signal
from types import FrameType

from incident import watchdog

ALIVE_SECONDS = 10


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
