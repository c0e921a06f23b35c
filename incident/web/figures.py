"""The figures for Prometheus: counts, ages and rates, and never a name, an address or a title."""

from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from incident.store import audit, checkpoints, dispatches, jobs, leases
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.reminders import ReminderMessage

PART = "clock"  # the lease of whoever does the background work (scheduler.py)


class Figures(Collector):
    """What is counted, read when asked for."""

    def __init__(self, now: datetime, lost_after: float) -> None:
        self.now = now
        self.lost_after = lost_after

    def collect(self) -> Any:
        """All figures."""
        last, backup = checkpoints.latest(), audit.last("instance.backed_up")
        size = audit.head().size
        yield _gauge("tocsin_record_lines", "Lines in the record.", size)
        yield _gauge(
            "tocsin_record_lines_unsigned", "Lines after the newest checkpoint.", size - (last.size if last else 0)
        )
        yield _gauge(
            "tocsin_last_checkpoint_seconds",
            "When the newest checkpoint was signed (Unix time); 0: never.",
            _unix(last.at if last else ""),
        )
        yield _gauge(
            "tocsin_last_backup_seconds",
            "When the last backup was made (Unix time); 0: never.",
            _unix(backup.at if backup else ""),
        )
        yield _gauge("tocsin_sending_frozen", "1 while all sending is frozen.", int(dispatches.frozen()))
        yield from self._leases()
        yield from _incidents()
        yield from _deliveries()
        yield from _sendings(self.now)
        yield from _reminders()
        if jobs.ready():
            yield from self._jobs()

    def _leases(self) -> Any:
        """Who holds which part, and until when."""
        held = leases.all_held(self.now)
        yield _gauge(
            "tocsin_work_held", "1 while a process does the background work.", int(PART in [one.name for one in held])
        )
        family = GaugeMetricFamily(
            "tocsin_lease_seconds", "How long a part is still held, by part and holder.", labels=("part", "holder")
        )
        for one in held:
            family.add_metric((one.name, one.holder), (one.until - self.now).total_seconds())
        yield family

    def _jobs(self) -> Any:
        """What waits for workers, what they have, and for how long."""
        count = GaugeMetricFamily("tocsin_jobs", "Jobs by lane and state.", labels=("lane", "state"))
        oldest = GaugeMetricFamily("tocsin_oldest_job_seconds", "Age of the oldest job.", labels=("lane", "state"))
        for queue in jobs.standing():
            count.add_metric((queue.lane, queue.state), queue.jobs)
            oldest.add_metric((queue.lane, queue.state), queue.oldest)
        yield count
        yield oldest
        yield _gauge("tocsin_worker_lanes", "Lanes of workers that give signs of life.", jobs.workers(self.lost_after))


def _incidents() -> Any:
    family = GaugeMetricFamily("tocsin_incidents", "Incidents by kind and state.", labels=("kind", "state"))
    for kind, state, count in db.session.execute(
        select(Incident.kind, Incident.state, func.count()).group_by(Incident.kind, Incident.state)
    ):
        family.add_metric((kind, state), count)
    yield family


def _deliveries() -> Any:
    """From the counters of the dispatches: a million rows are never counted for a figure."""
    family = GaugeMetricFamily("tocsin_deliveries", "Deliveries by state, over all dispatches.", labels=("state",))
    columns = {state.value: getattr(dispatches.Dispatch, name) for state, name in dispatches.COLUMN.items()}
    sums = db.session.execute(select(*(func.coalesce(func.sum(column), 0) for column in columns.values()))).one()
    for state, count in zip(columns, sums, strict=True):
        family.add_metric((state,), float(count))
    yield family


def _sendings(now: datetime) -> Any:
    """How fast notices leave, and since when the oldest sending that is under way has been going."""
    rows = dispatches.under_way()
    yield _gauge("tocsin_sendings", "Sendings that are under way.", len(rows))
    yield _gauge(
        "tocsin_sending_rate", "Messages a second, over all sendings under way.", sum(row.rate for row in rows)
    )
    ages = [(now - row.started_at).total_seconds() for row in rows if row.waiting]
    yield _gauge(
        "tocsin_oldest_sending_seconds", "Age of the oldest sending in which somebody waits.", max(ages, default=0.0)
    )


def _reminders() -> Any:
    family = GaugeMetricFamily("tocsin_reminder_messages", "Messages of reminders by state.", labels=("state",))
    for state, count in db.session.execute(
        select(ReminderMessage.state, func.count()).group_by(ReminderMessage.state).order_by(ReminderMessage.state)
    ):
        family.add_metric((state,), count)
    yield family


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _unix(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() if at else 0.0
