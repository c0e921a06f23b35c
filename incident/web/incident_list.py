"""The list of incidents: newest first or by what is due next, with the next deadline of each; as a page and as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, render_template, request, url_for
from sqlalchemy import Select, or_

from incident.domain import incidents as rules
from incident.domain.errors import Invalid
from incident.exports import csv
from incident.store import deadlines, users
from incident.store import incidents as rows
from incident.store.deadlines import Place
from incident.store.incidents import Incident
from incident.web import marks, story
from incident.web.access import now, permit
from incident.web.dues import DueWords, due_words
from incident.web.incidents import bp as bp
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word
from incident.web.marks import Mark
from incident.web.pages import named

PAGE = 50
BY_DUE = "due"
ORDERS = {"": Word("Newest first"), BY_DUE: Word("Next due first")}
HEADER = (
    "reference",
    "kind",
    "title",
    "category",
    "state",
    "opened (UTC)",
    "closed (UTC)",
    "next due (UTC)",
    "next duty",
)


@dataclass(frozen=True)
class Row:
    """One incident of the list; `due` says that it has no deadline where it has none, and is missing where it is closed."""

    incident: Incident
    due: DueWords | None
    duty: str = ""
    href: str = ""
    mark: Mark | None = None


@bp.get("/")
@permit("incident.view")
@named(Word("All incidents"))
def index() -> str:
    """All incidents this reader may know of, newest first or by what is due next."""
    query, chosen = _filtered()
    again: dict[str, Any] = dict(chosen)
    found, going_on = _page(query, chosen.get("order", ""), PAGE)
    return render_template(
        "incidents/list.html",
        found=_shown(found),
        more=url_for(".index", **going_on, **again) if going_on else "",
        first=url_for(".index", **again) if {"before", "after"} & request.args.keys() else "",
        chosen=chosen,
        orders=ORDERS,
        people=_names(found),
    )


@bp.get("/incidents.csv")
@permit("incident.view")
def table() -> Response:
    """The same list as CSV, in the same order."""
    query, chosen = _filtered()

    def lines() -> Iterator[tuple[Any, ...]]:
        for found in _all(query, chosen.get("order", "")):
            due = deadlines.of([one.id for one in found])
            yield from (_cells(one, due.get(one.id)) for one in found)

    return csv_answer(csv.rows(HEADER, lines()), "incidents.csv")


def _cells(one: Incident, due: deadlines.Deadline | None) -> tuple[Any, ...]:
    return (
        one.ref,
        one.kind,
        one.title,
        one.category,
        one.state,
        one.opened_at.isoformat(),
        one.closed_at.isoformat() if one.closed_at else "",
        due.due_at.isoformat() if due else "",
        due.title if due else "",
    )


def _filtered() -> tuple[Select[Incident], dict[str, str]]:
    chosen = {name: request.args.get(name, "").strip() for name in ("kind", "state", "q", "order")}
    chosen = {name: word for name, word in chosen.items() if word and (name != "order" or word in ORDERS)}
    query = visible()
    if "kind" in chosen:
        query = query.where(Incident.kind == rules.kind(chosen["kind"]))
    if chosen.get("state") in {"open", "closed"}:
        query = query.where(Incident.state == chosen["state"])
    if "q" in chosen:
        query = query.where(
            or_(
                Incident.title.icontains(chosen["q"], autoescape=True),
                Incident.ref.icontains(chosen["q"], autoescape=True),
            )
        )
    return query, chosen


def _page(query: Select[Incident], order: str, limit: int) -> tuple[list[Incident], dict[str, Any]]:
    """The rows from where the address says, and how the address of the next page says it; empty at the end."""
    if order != BY_DUE or request.args.get("state") == "closed":  # none that is closed has a deadline
        found = list(rows.page(query, before=request.args.get("before", type=int), limit=limit + 1))
        return found[:limit], {"before": str(found[limit - 1].id)} if len(found) > limit else {}
    placed = deadlines.soonest(query, after=place(request.args.get("after", "")), limit=limit + 1)
    going_on = {"after": key(placed[limit - 1][1])} if len(placed) > limit else {}
    return [one for one, _ in placed[:limit]], going_on


def _all(query: Select[Incident], order: str, at_once: int = 500) -> Iterator[Sequence[Incident]]:
    after: Place | None = None
    if order == BY_DUE:
        while placed := deadlines.soonest(query, after=after, limit=at_once):
            yield [one for one, _ in placed]
            after = placed[-1][1]
        return
    before: int | None = None
    while found := rows.page(query, before=before, limit=at_once):
        yield found
        before = found[-1].id


def _shown(found: Sequence[Incident]) -> list[Row]:
    due = deadlines.of([one.id for one in found])
    return [_row(one, due.get(one.id)) for one in found]


def _row(one: Incident, due: deadlines.Deadline | None) -> Row:
    if one.state != "open":
        return Row(one, None)
    if due is None:
        return Row(one, due_words(None, now(), none=Word("no deadline")))
    href = url_for("obligations.show", incident=one.ref, ref=due.finding)
    mark = marks.MARKS["late" if due.due_at < now() else "owed"]
    return Row(one, due_words(due.due_at, now()), due.title, href, mark)


def _names(found: Sequence[Incident]) -> dict[str, str]:
    refs = {incident.opened_by for incident in found}
    return story.BY_ITSELF | {ref: user.name for ref, user in users.by_refs(refs).items()}


def key(place: Place) -> str:
    """A place of a list by due time, as addresses say it."""
    return f"{place.due_at.isoformat() if place.due_at else ''},{place.number}"


def place(said: str) -> Place | None:
    """The place that an address names; None is the start. Raises Invalid."""
    if not said:
        return None
    due, _, last = said.partition(",")
    try:
        moment = datetime.fromisoformat(due.replace(" ", "+")) if due else None
        if moment is None or moment.tzinfo is not None:
            return Place(moment, int(last[:18]))
    except ValueError:
        pass
    raise Invalid("after", "This is not a place in the list. Start from the top.")
