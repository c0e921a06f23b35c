"""The page of duties over all incidents: what is due soonest, wherever it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from incident.web.findings import Shown
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word
from incident.web.pages import named

bp = Blueprint("duties", __name__, url_prefix="/duties")

PAGE = 50
COUNTED = 100
"""So many duties of one window are counted, and no more."""


@dataclass(frozen=True)
class Span:
    """A stretch of due times from now on: its word, from and until when, how many stand on the first page, whether folded there."""

    label: str
    start: timedelta | None
    end: timedelta | None
    shown: int
    folded: bool = False

    def window(self) -> rows.Window:
        """The same in moments; None for what has no due time."""
        if self.start is None and self.end is None:
            return None
        at = now()
        return self.start if self.start is None else at + self.start, self.end if self.end is None else at + self.end


NOW, DAY, WEEK = timedelta(0), timedelta(hours=24), timedelta(days=7)
SPANS = {
    "late": Span(Word("Already late"), None, NOW, 3),
    "day": Span(Word("Within 24 hours"), NOW, DAY, 25),
    "week": Span(Word("Within 7 days"), DAY, WEEK, 15),
    "later": Span(Word("Later"), WEEK, None, 10, folded=True),
    "timeless": Span(Word("Without a fixed time"), None, None, 10, folded=True),
}


@dataclass(frozen=True)
class Row:
    """The soonest duty of one incident in a window, and its others there."""

    one: Shown
    incident: Incident
    others: list[Shown]


@dataclass(frozen=True)
class Group:
    """One window of due times, its first rows, and how many duties it has: a number in words."""

    name: str
    label: str
    rows: list[Row]
    count: str
    more: str
    folded: bool


@bp.get("/")
@permit("duty.view")
@named(Word("Duties of all incidents"))
def index() -> str:
    """What is due over all incidents that this reader may know of, by when; a list of its own for each window of time."""
    only, when = _asked()
    if only == "owed" and not when and "after" not in request.args:
        return render_template("obligations/all.html", groups=_groups(), only=only)
    query = rows.within(_unsettled(only), SPANS[when].window()) if when else _unsettled(only)
    found = list(rows.soonest(query, after=_after(), limit=PAGE + 1))
    last = found[PAGE - 1] if len(found) > PAGE else None
    again: dict[str, Any] = {"only": only} | ({"when": when} if when else {})
    return render_template(
        "obligations/all.html",
        groups=[],
        found=_rows(found[:PAGE], apart=True),
        more=url_for(".index", **again, after=_key(last)) if last else "",
        first=url_for(".index", **again) if request.args.get("after") else "",
        only=only,
        when=SPANS[when].label if when else "",
    )


def _asked() -> tuple[str, str]:
    """Which duties the address asks for, owed or open ones, and those of which window; of open ones it is every one."""
    if request.args.get("only") == "open":
        return "open", ""
    when = request.args.get("when", "")
    return "owed", when if when in SPANS else ""


def _groups() -> list[Group]:
    """Every span that holds something, the nearest first."""
    query, windows = _unsettled("owed"), {name: span.window() for name, span in SPANS.items()}
    found = rows.first_of_each(query, {name: (window, SPANS[name].shown) for name, window in windows.items()})
    counts = rows.count_of_each(query, windows, most=COUNTED)
    where = incidents.by_ids({row.incident_id for those in found.values() for row in those})
    return [
        Group(
            name,
            SPANS[name].label,
            _rows(those, where),
            f"{counts[name]}+" if counts[name] == COUNTED else f"{counts[name]}",
            url_for(".index", when=name) if counts[name] > len(those) else "",
            SPANS[name].folded,
        )
        for name, those in found.items()
        if those
    ]


def _rows(
    found: Sequence[FindingRow], where: Mapping[int, Incident] | None = None, *, apart: bool = False
) -> list[Row]:
    """In their order, those of one incident together below the soonest; `apart` leaves each on its own."""
    where = incidents.by_ids({row.incident_id for row in found}) if where is None else where
    made: dict[int, Row] = {}
    for row in found:
        told = findings.shown(row, now())
        if row.incident_id in made and not apart:
            made[row.incident_id].others.append(told)
        else:
            made[row.id if apart else row.incident_id] = Row(told, where[row.incident_id], [])
    return list(made.values())


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
