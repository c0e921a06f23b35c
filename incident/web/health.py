"""For machines that watch: alive, ready, figures. No personal data, no titles; figures only for who holds the word for them."""

from datetime import datetime
from hmac import compare_digest
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from incident.domain import editions
from incident.settings import Settings
from incident.store import audit, checkpoints, dispatches, leases
from incident.store.db import db
from incident.store.incidents import Incident
from incident.web.access import now, permit

bp = Blueprint("health", __name__)

PART = "clock"  # the lease of whoever does the background work (scheduler.py)


@bp.get("/health")
@permit("public")
def health() -> Response:
    """The process answers. Nothing else is asked, so that a slow database does not get it restarted."""
    return jsonify({"status": "ok"})


@bp.get("/ready")
@permit("public")
def ready() -> ResponseReturnValue:
    """Whether the database answers, somebody works, when it was last backed up and signed, and whether sending is frozen."""
    try:
        db.session.execute(text("SELECT 1"))
        return jsonify({"ready": True, "database": "ok"} | standing())
    except (SQLAlchemyError, audit.RecordTrouble):
        db.session.rollback()
        return jsonify({"ready": False, "database": "no answer"}), 503


def standing() -> dict[str, Any]:
    """How the installation stands, in words and times."""
    last, backup = checkpoints.latest(), audit.last("instance.backed_up")
    return {
        "work": "somebody does it" if leases.held(PART, now()) else "nobody does it",
        "last_backup": backup.at if backup else None,
        "last_checkpoint": last.at if last else None,
        "lines_since_checkpoint": audit.head().size - (last.size if last else 0),
        "sending": "frozen" if dispatches.frozen() else "open",
        "laws": laws(),
    }


def laws() -> dict[str, Any]:
    """Which laws are in use, and how many files of the user, or packs, cannot be used as they are."""
    made = editions.current()
    return {"version": made.version, "digest": made.digest[:12], "mistakes": len(made.mistakes)}


@bp.get("/metrics")
@permit("public")
def metrics() -> Response:
    """Figures for Prometheus, where TOCSIN_METRICS_TOKEN is set and the caller brings it; else as if not there."""
    settings: Settings = current_app.extensions["settings"]
    wanted = settings.metrics_token.get_secret_value()
    given = request.authorization.token if request.authorization and request.authorization.type == "bearer" else ""
    if not wanted or not compare_digest((given or "").encode(), wanted.encode()):
        abort(404)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """What is counted, read when asked for."""

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
        yield _gauge("tocsin_work_held", "1 while a process does the background work.", int(leases.held(PART, now())))
        yield from _incidents()
        yield from _deliveries()


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


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _unix(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() if at else 0.0
