"""A worker: takes what schedulers and actions hand over, on as many machines as one likes (PostgreSQL only).

Each lane is a worker of its own in Procrastinate, so that an import keeps no reminder waiting, and one process sends one slice
at a time. A lane that ends, because the database was away, begins anew.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask

from incident import clock, watchdog, work
from incident.domain.lanes import Lane
from incident.settings import Settings, SettingsError
from incident.store import jobs
from incident.store.db import db

log = structlog.get_logger()

AT_ONCE: Mapping[Lane, int] = {Lane.SENDING: 1, Lane.LONG: 1, Lane.QUICK: 2}
"""How many jobs of a lane one process does at a time."""
POLL_SECONDS = 2.0  # new jobs announce themselves; this is for when an announcement is lost
AGAIN_SECONDS = 1.0
ALIVE_SECONDS = 10.0
MOST_DRIFT = timedelta(seconds=5)


def demand_possible(app: Flask) -> None:
    """Nothing where this installation can have workers. Raises SettingsError where it cannot, or where this clock is wrong."""
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            raise SettingsError(
                "Workers need PostgreSQL (TOCSIN_DATABASE_URL). With SQLite, `tocsin run` does all work."
            )
        if not jobs.possible():
            raise SettingsError("Workers need Tocsin's extra `scale`: pip install 'tocsin[scale]'.")
    demand_right_time(app)


def demand_right_time(app: Flask) -> None:
    """Nothing where this machine's clock agrees with PostgreSQL's, as all leases are times. Raises SettingsError where not."""
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            return
        drift = abs(jobs.time_there() - clock.now())
        db.session.remove()
    if drift > MOST_DRIFT:
        raise SettingsError(
            f"This machine's clock and the database's differ by {drift.total_seconds():.0f} seconds. "
            "Leases and deadlines are times: set the clock right first."
        )


class Worker:
    """All lanes of one process, until it is told to stop; what is under way then is finished."""

    def __init__(self, app: Flask, lanes: Sequence[Lane]) -> None:
        self.app = app
        self.lanes = lanes
        self.stopped = False
        self.running: dict[Lane, asyncio.Task[None]] = {}

    @property
    def settings(self) -> Settings:
        """The settings of the application."""
        settings: Settings = self.app.extensions["settings"]
        return settings

    def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        asyncio.run(self._run())

    def do(self, kind: str, reference: str) -> None:
        """One job, in a thread of its own."""
        with self.app.app_context():
            work.do(kind, reference)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        alive = asyncio.create_task(self._say_alive())
        watchdog.say(watchdog.READY)
        await asyncio.gather(*(self._lane(lane) for lane in self.lanes))
        alive.cancel()

    def _stop(self) -> None:
        self.stopped = True
        with self.app.app_context():
            work.stop()
        watchdog.say(watchdog.STOPPING)
        for one in self.running.values():
            one.cancel()  # lets it finish what it does

    async def _lane(self, lane: Lane) -> None:
        """Work in one lane; begin anew when the database was away, or others have forgotten us."""
        while not self.stopped:
            try:
                await self._once(lane)
            except asyncio.CancelledError:
                if not self.stopped:
                    raise
            except Exception:
                log.exception("worker.lane_ended", lane=lane)
            if not self.stopped:
                log.warning("worker.joins_anew", lane=lane)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _once(self, lane: Lane) -> None:
        engine = jobs.engine(self.settings.database_url, self.do)
        async with engine.open_async():
            beat = self.settings.worker_heartbeat
            one = jobs.worker(engine, lane, at_once=AT_ONCE[lane], poll=POLL_SECONDS, heartbeat=beat)
            if self.stopped:
                return
            self.running[lane] = asyncio.create_task(one.run())
            known = asyncio.create_task(self._stay_known(engine, one))
            try:
                await self.running[lane]
            finally:
                known.cancel()

    async def _stay_known(self, engine: Any, one: Any) -> None:
        """End a lane that the database has forgotten: it was restored, or a standby took over that lagged behind."""
        known = True
        while known:
            await asyncio.sleep(self.settings.worker_heartbeat)
            try:
                known = await jobs.is_known(engine, one)
            except Exception as error:  # away: asked again when it is back
                log.warning("worker.cannot_ask", kind=type(error).__name__)
        one.stop()

    async def _say_alive(self) -> None:
        while True:
            watchdog.say(watchdog.ALIVE)
            await asyncio.sleep(ALIVE_SECONDS)
