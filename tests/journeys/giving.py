"""A worker that gives people their codes, in a process of its own, for a test to kill at a chosen moment.

`python -m tests.journeys.giving SENDING` loads the program once for the installation of its environment and takes orders on its
standard input: how many statements a worker may run from the first one about codes on (0: as many as it likes), and how many
hours after NOW it is. Each worker is a child that prepares and sends; at its moment it is killed by SIGKILL. What it hands to
the provider is said, by writev, before the provider answers; then how it ended.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from datetime import timedelta

from flask import Flask
from sqlalchemy import event

from incident import start
from incident.actions import preparing, sending
from incident.settings import Settings
from incident.store.db import db
from notifiers.contract import Answer, Channels, Message
from notifiers.memory import Memory
from tests.actions.waves import NOW, SANDBOX, Ticking

AT_ONCE = 4
"""How many people are prepared in one transaction, so that a dozen of them take several."""


class Telling(Memory):
    """A provider that says what it was handed for whom, before it answers."""

    def send(self, batch: Iterable[Message]) -> list[Answer]:
        """Everybody is accepted."""
        taken = list(batch)
        for message in taken:
            say(to=message.to, text=message.text)
        return super().send(taken)


def say(**words: object) -> None:
    """One line to the test."""
    os.writev(1, [json.dumps(words).encode() + b"\n"])


def dying_after(statements: int) -> Callable[..., None]:
    """A listener that kills this process at that statement, or end of a transaction, once codes were spoken of."""
    seen = 0

    def one_more(*words: object) -> None:
        nonlocal seen
        seen += seen > 0 or any("remedy_code" in str(word) for word in words)
        if seen >= statements:
            os.kill(os.getpid(), signal.SIGKILL)

    return one_more


def work(app: Flask, ref: str, statements: int, hours: int) -> None:
    """Prepare and send until nothing is left, or until the moment to die."""
    clock = Ticking(NOW + timedelta(hours=hours))
    channels = Channels({"email": Telling("email", batch=2)}, SANDBOX)
    with app.app_context():
        if statements:
            strike = dying_after(statements)
            event.listen(db.engine, "before_cursor_execute", strike)
            event.listen(db.engine, "commit", strike)
        while ref in sending.due(clock()):
            sending.work(ref, channels, clock=clock)


def main(ref: str) -> None:
    """Take orders until there are no more."""
    app = start.without_pages(Settings())
    with app.app_context():
        db.engine.dispose()
    preparing.PREPARED_AT_ONCE = AT_ONCE
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _carry_out(app, ref, *json.loads(line))
        _, status = os.waitpid(child, 0)
        say(ended=os.waitstatus_to_exitcode(status))


def _carry_out(app: Flask, ref: str, statements: int, hours: int) -> None:
    code = 1
    try:
        work(app, ref, statements, hours)
        code = 0
    except BaseException as error:
        say(broke="".join(traceback.format_exception(error)))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
