"""APScheduler wakes the table of work: each kind by its own period, one look of a kind at a time.

What is due goes to the workers of this installation, on whatever machine; where there are none, it is done here.
"""

import os
import secrets
import socket
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from incident import clock, work
from incident.settings import Settings
from incident.store import leases, write_ahead
from incident.work import WORK, Kind, hand_over, sweep

THREADS = 6
AT_ONCE = 1.0  # seconds; what is looked for as often as that is looked for at once when a process begins
PART = "clock"
"""The lease's name, and the thread that keeps it: busy looks must not let it run out."""
JOURNAL = "journal"
"""The thread that carries SQLite's journal over, which must not wait for busy looks either."""


@cache
def machine() -> str:
    """Eight letters for this start of this machine, as far as its processes see each other; elsewhere, for nobody else."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        seen_in = Path("/proc/self/ns/pid").readlink()
    except OSError:  # no Linux
        return secrets.token_hex(4)
    return sha256(f"{boot}{seen_in}".encode()).hexdigest()[:8]


def has_died(holder: str) -> bool:
    """Whether this holder was a process of this machine, and is no more. Of other machines' nobody here can say."""
    number, _, mark = holder.partition(":")[2].partition(":")
    if not mark.startswith(machine()) or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Waker:
    """The clock of one process. With `alone`, it works only while it holds the installation's lease on the clock."""

    def __init__(self, app: Flask, *, alone: bool = True) -> None:
        self.app = app
        self.alone = alone
        self.name = f"{socket.gethostname()[:30]}:{os.getpid()}:{machine()}{secrets.token_hex(4)}"
        self.until = 0.0
        settings: Settings = app.extensions["settings"]
        self.beat = settings.worker_heartbeat
        self.lease = timedelta(seconds=settings.lost_after)
        self.apscheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": ThreadPoolExecutor(THREADS),
                PART: ThreadPoolExecutor(1),
                JOURNAL: ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for kind in WORK:
            soon = {"next_run_time": datetime.now(UTC)} if kind.every_seconds <= AT_ONCE else {}
            self.apscheduler.add_job(
                self._look, "interval", seconds=kind.every_seconds, args=(kind,), id=kind.name, **soon
            )
        every = write_ahead.EVERY_SECONDS
        self.apscheduler.add_job(self._carry_over, "interval", seconds=every, id="journal", executor=JOURNAL)
        self.apscheduler.add_job(self._sweep, "interval", seconds=self.beat, id="sweep", executor=PART)

    @property
    def ours(self) -> bool:
        """Whether the part is ours at this moment. A process that was frozen for longer than its lease knows that it is not."""
        return not self.alone or clock.monotonic() < self.until

    def start(self) -> None:
        """Begin to look. A look that was missed happens once, late."""
        with self.app.app_context():
            work.go_ahead()
        if self.alone:
            self._renew()
            self.apscheduler.add_job(self._renew, "interval", seconds=self.beat, id=PART, executor=PART)
        self.apscheduler.start()

    def stop(self) -> None:
        """Finish what is under way, and let the next one have the clock."""
        with self.app.app_context():
            work.stop()
        self.apscheduler.shutdown(wait=True)
        if self.alone and self.ours:
            self.until = 0.0
            with self.app.app_context():
                leases.let_go(PART, self.name, now=clock.now())

    def _renew(self) -> None:
        asked = clock.monotonic()
        with self.app.app_context():
            held = leases.hold(PART, self.name, now=clock.now(), length=self.lease, has_died=has_died)
        self.until = asked + self.lease.total_seconds() if held else 0.0

    def _look(self, kind: Kind) -> None:
        if self.ours:
            with self.app.app_context():
                hand_over(kind)

    def _carry_over(self) -> None:
        if self.ours:
            with self.app.app_context():
                write_ahead.carry_over()

    def _sweep(self) -> None:
        if self.ours:
            with self.app.app_context():
                sweep()
