"""Improvements: the list over all incidents, and one with what can be done about it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select

from incident.actions import improvements as actions
from incident.actions.plans import able
from incident.domain.errors import Invalid, Missing
from incident.domain.improvements import TONES, State
from incident.exports import csv
from incident.store import improvements as rows
from incident.store import incidents, users
from incident.store.improvements import Improvement
from incident.store.incidents import Incident
from incident.web.access import actor, me, now, permit, zone
from incident.web.answers import instant
from incident.web.dues import DueWords, due_words
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("improvements", __name__, url_prefix="/improvements")
one = Blueprint("improvement", __name__, url_prefix="/incidents/<incident>/review/improvements")

PAGE: Final = 50
AT_ONCE: Final = 500
DAY_ENDS: Final = "T23:59"
STATES: Final = {State.OPEN: Word("to do"), State.DONE: Word("done"), State.DROPPED: Word("not done")}
DID: Final = {
    "finished": Word("finished it"),
    "dropped": Word("decided not to do it"),
    "reopened": Word("took it up again"),
    "moved": Word("moved it"),
    "handed_over": Word("handed it over"),
}


@bp.get("/")
@permit("improvement.view")
@named(Word("Improvements after incidents"))
def index() -> str:
    """Those of all incidents that this reader may know of, newest first."""
    query, chosen = _filtered()
    found = list(rows.page(query, before=request.args.get("before", type=int), limit=PAGE + 1))
    again: dict[str, Any] = dict(chosen)
    return render_template(
        "improvements/list.html",
        found=[(row, due(row)) for row in found[:PAGE]],
        more=url_for(".index", before=found[PAGE - 1].id, **again) if len(found) > PAGE else "",
        chosen=chosen,
        cases=incidents.by_ids({row.incident_id for row in found}),
        people=owners(found),
        states=STATES,
        tones=TONES,
    )


@bp.get("/improvements.csv")
@permit("improvement.view")
def table() -> Response:
    """The same list as CSV."""
    header = ("reference", "incident", "what", "owner", "due (UTC)", "state", "asked for (UTC)", "ended (UTC)")
    return csv_answer(csv.rows(header, _cells(_filtered()[0])), "improvements.csv")


def _cells(query: Select[Improvement]) -> Iterator[tuple[Any, ...]]:
    before: int | None = None
    while found := list(rows.page(query, before=before, limit=AT_ONCE)):
        cases, people = incidents.by_ids({row.incident_id for row in found}), owners(found)
        yield from (
            (
                row.ref, cases[row.incident_id].ref, row.text, people.get(row.owner_id, ""), row.due_at, row.state,
                row.made_at, row.ended_at,
            )
            for row in found
        )  # fmt: skip
        before = found[-1].id


def _filtered() -> tuple[Select[Improvement], dict[str, str]]:
    """Those that the address asks for: open ones unless it says otherwise."""
    show = request.args.get("show", "open")
    show = show if show in {"open", "mine", "late", "all", *State} else "open"
    query = rows.asked(
        visible().with_only_columns(Incident.id),
        state={"all": "", "mine": "open", "late": "open"}.get(show, show),
        owner_id=me().id if show == "mine" else None,
        due_before=now() if show == "late" else None,
    )
    return query, {} if show == "open" else {"show": show}


def owners(found: Sequence[Any]) -> dict[int | None, str]:
    """The names of those who look after these, by number, in one query."""
    return users.names({row.owner_id for row in found})


def due(row: Improvement) -> DueWords:
    """Its time in words; of one that ended, that it did."""
    if row.state != State.OPEN:
        return DueWords(str(STATES[State(row.state)]), TONES[row.state], row.ended_at)
    return due_words(row.due_at, now())


@one.get("/<ref>")
@permit("improvement.view")
def show(incident: str, ref: str) -> str:
    """One, with what became of it."""
    return _page(_row(ref), {})


def _page(row: Improvement, errors: dict[str, str]) -> str:
    events = rows.events([row.id]).get(row.id, [])
    refs = {row.made_by, *(event.done_by for event in events), *(event.handed_to for event in events)}
    return render_template(
        "improvements/show.html",
        row=row,
        due_words=due(row),
        events=events,
        did=DID,
        names={ref: user.name for ref, user in users.by_refs(refs).items()},
        people=owners([row]),
        team=able(g.incident.id),
        pieces=incidents.evidence(g.incident.id),
        states=STATES,
        tones=TONES,
        typed=request.form,
        errors=errors,
    )


@one.post("/<ref>/finish")
@permit("improvement.change")
def finish(incident: str, ref: str) -> ResponseReturnValue:
    """Say that it is done."""
    note, pieces = request.form.get("note", ""), request.form.getlist("evidence")
    return _done(
        ref,
        lambda: actions.finish(incident, ref, note=note, evidence=pieces, actor=actor(), now=now()),
        _("Finished."),
    )


@one.post("/<ref>/drop")
@permit("improvement.change")
def drop(incident: str, ref: str) -> ResponseReturnValue:
    """Decide not to do it."""
    why = request.form.get("reason", "")
    return _done(ref, lambda: actions.drop(incident, ref, reason=why, actor=actor(), now=now()), _("Kept."))


@one.post("/<ref>/reopen")
@permit("improvement.change")
def reopen(incident: str, ref: str) -> ResponseReturnValue:
    """Take it up again."""
    why = request.form.get("reason", "")
    return _done(ref, lambda: actions.reopen(incident, ref, reason=why, actor=actor(), now=now()), _("Open again."))


@one.post("/<ref>/move")
@permit("improvement.change")
def move(incident: str, ref: str) -> ResponseReturnValue:
    """Give it another day."""
    day, why = request.form.get("due_at", ""), request.form.get("reason", "")
    return _done(
        ref,
        lambda: actions.move(incident, ref, due_at=day_end(day), reason=why, seen=_seen(), actor=actor(), now=now()),
        _("Moved."),
    )


@one.post("/<ref>/owner")
@permit("improvement.change")
def hand_over(incident: str, ref: str) -> ResponseReturnValue:
    """Give it to somebody."""
    to = request.form.get("to", "")
    return _done(
        ref, lambda: actions.hand_over(incident, ref, to=to, seen=_seen(), actor=actor(), now=now()), _("Handed over.")
    )


def _seen() -> str | None:
    """The mark of what the form was made over."""
    return request.form.get("seen")


def _done(ref: str, act: Callable[[], None], said: str) -> ResponseReturnValue:
    try:
        act()
    except Invalid as error:
        return _page(_row(ref), {error.field: error.sentence}), 422
    flash(said, "met")
    return redirect(url_for(".show", incident=g.incident.ref, ref=ref))


def _row(ref: str) -> Improvement:
    found = rows.by_ref(g.incident.id, ref)
    if found is None:
        raise Missing()
    return found


def day_end(day: str) -> datetime | None:
    """The end of a day in the reader's zone. Raises Invalid."""
    return instant(f"{day}{DAY_ENDS}" if len(day) == len("2026-11-22") else day, zone(), "due_at")
