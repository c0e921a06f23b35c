"""APScheduler wakes the table of work: each kind by its own period, one look of a kind at a time.

What is due goes to the workers of this installation, on whatever machine; where there are none, it is done here.
"""

import os
import secrets
import socket
from datetime import UTC, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from incident import clock, work
from incident.settings import Settings
from incident.store import leases
from incident.work import WORK, Kind, hand_over, sweep

THREADS = 6
PART = "clock"
"""The lease's name, and the thread that keeps it: busy looks must not let it run out."""


class Waker:
    """The clock of one process. With `alone`, it works only while it holds the installation's lease on the clock."""

    def __init__(self, app: Flask, *, alone: bool = True) -> None:
        self.app = app
        self.alone = alone
        self.name = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.until = 0.0
        settings: Settings = app.extensions["settings"]
        self.beat = settings.worker_heartbeat
        self.lease = timedelta(seconds=settings.lost_after)
        self.apscheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(THREADS), PART: ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for kind in WORK:
            self.apscheduler.add_job(self._look, "interval", seconds=kind.every_seconds, args=(kind,), id=kind.name)
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
            held = leases.hold(PART, self.name, now=clock.now(), length=self.lease)
        self.until = asked + self.lease.total_seconds() if held else 0.0

    def _look(self, kind: Kind) -> None:
        if self.ours:
            with self.app.app_context():
                hand_over(kind)

    def _sweep(self) -> None:
        if self.ours:
            with self.app.app_context():
                sweep()
