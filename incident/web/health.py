"""For machines that watch: alive, ready, figures. No personal data, no titles; figures only for who holds the word for them."""

from hmac import compare_digest
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from incident.domain import editions
from incident.settings import Settings
from incident.store import audit, checkpoints, dispatches, jobs, leases
from incident.store.db import db
from incident.web.access import now, permit
from incident.web.figures import PART, Figures

bp = Blueprint("health", __name__)


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
        "workers": workers(),
    }


def workers() -> dict[str, Any] | None:
    """Workers beside the clock, on whatever machine: lanes alive, jobs that wait, and for how long; None where there can be none."""
    if not jobs.ready():
        return None
    settings: Settings = current_app.extensions["settings"]
    waiting = [queue for queue in jobs.standing() if queue.state == "todo"]
    return {
        "lanes": jobs.workers(settings.lost_after),
        "waiting": sum(queue.jobs for queue in waiting),
        "oldest_seconds": round(max((queue.oldest for queue in waiting), default=0.0), 1),
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
    registry.register(Figures(now(), settings.lost_after))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
