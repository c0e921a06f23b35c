"""APScheduler wakes the table of work: each kind by its own period, one look of a kind at a time."""

from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from incident.work import WORK, Kind, look

THREADS = 6


def build(app: Flask) -> BackgroundScheduler:
    """A scheduler that looks for due work, not started yet. A look that was missed happens once, late."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for kind in WORK:
        scheduler.add_job(_look, "interval", seconds=kind.every_seconds, args=(app, kind), id=kind.name, jitter=None)
    return scheduler


def _look(app: Flask, kind: Kind) -> None:
    with app.app_context():
        look(kind)
