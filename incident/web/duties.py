"""The page of duties over all incidents: what is due soonest, wherever it is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from incident.domain.errors import Invalid
from incident.exports import csv
from incident.store import incidents
from incident.store import obligations as rows
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.web import findings
from incident.web.access import now, permit
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("duties", __name__, url_prefix="/duties")

PAGE = 50


@bp.get("/")
@permit("duty.view")
@named(Word("Duties of all incidents"))
def index() -> str:
    """What is due soonest over all incidents that this reader may know of."""
    only = "open" if request.args.get("only") == "open" else "owed"
    found = list(rows.soonest(_unsettled(only), after=_after(), limit=PAGE + 1))
    last = found[PAGE - 1] if len(found) > PAGE else None
    where = incidents.by_ids({row.incident_id for row in found})
    return render_template(
        "obligations/all.html",
        found=[(findings.shown(row, now()), where[row.incident_id]) for row in found[:PAGE]],
        more=url_for(".index", only=only, after=_key(last)) if last else "",
        first=url_for(".index", only=only) if request.args.get("after") else "",
        only=only,
    )


@bp.get("/duties.csv")
@permit("duty.view")
def table() -> Response:
    """The same as CSV: every duty that somebody still has to act on."""

    def found() -> Iterator[tuple[FindingRow, str]]:
        after: tuple[datetime | None, int] | None = None
        while page := rows.soonest(_unsettled("owed"), after=after, limit=500):
            where = incidents.by_ids({row.incident_id for row in page})
            yield from ((row, where[row.incident_id].ref) for row in page)
            after = (page[-1].due_at, page[-1].id)

    return csv_answer(
        csv.rows(findings.HEADER, (findings.cells(row, incident) for row, incident in found())), "duties.csv"
    )


def _unsettled(only: str) -> Any:
    mine = visible().where(Incident.state == "open").with_only_columns(Incident.id)
    return rows.unsettled(mine, ("open",) if only == "open" else rows.ACTIVE)


def _key(row: FindingRow) -> str:
    return f"{row.due_at.isoformat() if row.due_at else ''},{row.id}"


def _after() -> tuple[datetime | None, int] | None:
    """The place in the list that the address names; from the start if it names none. Raises Invalid."""
    raw = request.args.get("after", "")
    if not raw:
        return None
    due, _, last = raw.partition(",")
    try:
        moment = datetime.fromisoformat(due.replace(" ", "+")) if due else None
        if moment is None or moment.tzinfo is not None:
            return moment, int(last[:18])
    except ValueError:
        pass
    raise Invalid("after", "This is not a place in the list. Start from the top.")
