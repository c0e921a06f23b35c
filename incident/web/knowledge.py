"""Who knew what when: every value that was recorded of any fact, by person and time."""

from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request, url_for

from incident.domain.facts import vocabulary
from incident.exports import csv
from incident.store import incidents as rows
from incident.store import users
from incident.store.incidents import Fact
from incident.web.access import permit
from incident.web.incidents import csv_answer, fact_words
from incident.web.languages import Word
from incident.web.marked import hidden, items
from incident.web.pages import named

bp = Blueprint("knowledge", __name__, url_prefix="/incidents/<incident>/facts/known")

PAGE: Final = 100
MOST_AT_ONCE: Final = 500


@bp.get("/")
@permit("fact.view")
@named(Word("Who knew what when"))
def index(incident: str) -> str:
    """What was recorded, newest first, with who recorded it, when it was learnt, and from where."""
    chosen = _chosen()
    before = request.args.get("before", type=int)
    found = list(rows.entries(g.incident.id, **chosen, without=hidden("fact"), before=before, limit=PAGE + 1))
    knowers = rows.knowers(g.incident.id, hidden("fact"))
    place: dict[str, Any] = {"incident": incident, **{name: word for name, word in chosen.items() if word}}
    return render_template(
        "incidents/known.html",
        found=[fact_words(vocabulary()[row.key], row) for row in found[:PAGE]],
        knowers=knowers,
        chosen=chosen,
        keys=vocabulary(),
        names={ref: user.name for ref, user in users.by_refs({ref for ref, *_ in knowers}).items()},
        more=url_for(".index", **place, before=found[PAGE - 1].id) if len(found) > PAGE else "",
        first=url_for(".index", **place) if before is not None else "",
    )


@bp.get("/known.csv")
@permit("fact.view")
def table(incident: str) -> Response:
    """The same as CSV; what is marked as privileged stays out."""
    header = ("recorded (UTC)", "by", "fact", "value", "learnt (UTC)", "source", "confidence")
    return csv_answer(csv.rows(header, _lines(g.incident.id, _chosen(), items("fact"))), f"{incident}-known.csv")


def _lines(incident_id: int, chosen: dict[str, str], without: frozenset[str]) -> Iterator[tuple[str, ...]]:
    before = None
    while found := list(rows.entries(incident_id, **chosen, without=without, before=before, limit=MOST_AT_ONCE)):
        yield from (_line(row) for row in found)
        before = found[-1].id


def _line(row: Fact) -> tuple[str, ...]:
    said = fact_words(vocabulary()[row.key], row)["words"]
    recorded, learnt = row.recorded_at.isoformat(), row.learnt_at.isoformat()
    return recorded, row.recorded_by, row.key, said, learnt, row.source, row.confidence


def _chosen() -> dict[str, str]:
    """By whom and of which fact; words that name none ask for nothing."""
    key = request.args.get("fact", "")
    return {"by": request.args.get("who", "")[:20], "key": key if key in vocabulary() else ""}
