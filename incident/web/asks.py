"""What the organisation's own systems are asked to do for people's accounts: ask, follow each batch, say what became of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import asks as actions
from incident.actions import people
from incident.actions.asks import Wanted
from incident.domain.asks import Kind
from incident.domain.errors import Invalid, Missing
from incident.domain.handovers import State
from incident.domain.people import Audience
from incident.exports import csv
from incident.store import asks as rows
from incident.store import plans
from incident.store.asks import SystemAsk
from incident.web.access import actor, now, permit
from incident.web.dues import due_words
from incident.web.filters import number
from incident.web.incidents import csv_answer
from incident.web.languages import Word, _
from incident.web.pages import named

bp = Blueprint("asks", __name__, url_prefix="/incidents/<incident>/asks")

PAGE: Final = 50
KINDS: Final = {
    Kind.END_SESSIONS: Word("end sessions"),
    Kind.RESET_PASSWORDS: Word("have passwords reset"),
    Kind.REVOKE_TOKENS: Word("revoke tokens"),
    Kind.LOCK_ACCOUNTS: Word("lock accounts"),
}
STATES: Final = {
    State.WAITING: (Word("waiting"), "idle"),
    State.CLAIMED: (Word("being asked"), "idle"),
    State.CALLING: (Word("being asked"), "idle"),
    State.ACCEPTED: (Word("taken"), "met"),
    State.FAILED: (Word("refused"), "late"),
    State.CANCELLED: (Word("not wanted any more"), "idle"),
    State.SIMULATED: (Word("drill: nothing left"), "soon"),
}


@bp.get("/")
@permit("ask.view")
@named(Word("Asks of your own systems"))
def index(incident: str) -> str:
    """What was asked in this incident, newest first, with how it stands."""
    return _index({}, {})


def _index(typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    found = list(rows.page(g.incident.id, before=request.args.get("before", type=int), limit=PAGE + 1))
    return render_template(
        "asks/list.html",
        found=found[:PAGE],
        standings=rows.standings(found[:PAGE]),
        dues={row.id: due_words(row.due_at, now()) for row in found[:PAGE]},
        names=rows.names(found[:PAGE]),
        late={row.id for row in found if row.ended_at is None and row.due_at < now()},
        kinds=KINDS,
        endpoints=actions.endpoints(g.incident),
        steps=[step for step in plans.steps(g.incident.id) if step.state in plans.UNDONE],
        waves=people.waves(g.incident.ref),
        typed=typed,
        errors=errors,
        more=url_for(".index", incident=g.incident.ref, before=found[PAGE - 1].id) if len(found) > PAGE else "",
    )


@bp.post("/")
@permit("ask.make")
def ask(incident: str) -> ResponseReturnValue:
    """Ask a system."""
    form = request.form
    waves = tuple(int(word) for word in form.getlist("wave") if word.isdecimal())
    wanted = Wanted(
        form.get("endpoint", ""),
        form.get("kind", ""),
        form.get("hours", ""),
        Audience(waves=waves),
        form.get("step", ""),
    )
    try:
        ref = actions.ask(incident, wanted, actor=actor(), now=now())
    except Invalid as error:
        return _index(form, {error.field: error.sentence}), 422
    flash(_("Asked. The batches go out within seconds, and are repeated until they are taken."), "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


@bp.get("/asks.csv")
@permit("ask.view")
def table(incident: str) -> Response:
    """The asks with how they stand, as CSV."""
    header = (
        "ask", "kind", "system", "step", "accounts", "without_reference", "batches", "taken", "done", "failed", "left",
        "asked_at (UTC)", "due_at (UTC)", "ended_at (UTC)", "simulated",
    )  # fmt: skip

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := rows.page(g.incident.id, before=before, limit=500):
            stands, names = rows.standings(found), rows.names(found)
            for row in found:
                one = stands[row.id]
                yield (
                    *(row.ref, row.kind, names[row.id], row.step, row.accounts, row.left_out, row.batches),
                    *(one.taken, one.done, one.failed, one.left),
                    *(row.made_at, row.due_at, row.ended_at or "", row.simulated),
                )
            before = found[-1].id

    return csv_answer(csv.rows(header, lines()), f"{incident}-asks.csv")


@bp.get("/<ref>")
@permit("ask.view")
def show(incident: str, ref: str) -> str:
    """One ask with its batches."""
    return _page(_one(ref), {}, 0)


def _page(row: SystemAsk, errors: Mapping[str, str], at: int) -> str:
    found = list(rows.batches(row.id, after=request.args.get("after", 0, type=int), limit=PAGE + 1))
    more = (
        url_for(".show", incident=g.incident.ref, ref=row.ref, after=found[PAGE - 1].number)
        if len(found) > PAGE
        else ""
    )
    return render_template(
        "asks/show.html",
        row=row,
        stands=rows.standings([row])[row.id],
        due=due_words(row.due_at, now()),
        name=rows.names([row])[row.id],
        kinds=KINDS,
        states=STATES,
        found=found[:PAGE],
        told=(State.CALLING, State.ACCEPTED, State.FAILED),
        errors=errors,
        at=at,
        more=more,
    )


@bp.get("/<ref>/batches.csv")
@permit("ask.view")
def batches_table(incident: str, ref: str) -> Response:
    """The batches of an ask, as CSV."""
    row = _one(ref)
    header = (
        "ask",
        "batch",
        "accounts",
        "state",
        "reason",
        "code",
        "tries",
        "done",
        "failed",
        "told_at (UTC)",
        "told_by",
    )

    def lines() -> Iterator[tuple[Any, ...]]:
        after = 0
        while found := rows.batches(row.id, after=after, limit=500):
            for one in found:
                said = ("" if one.done is None else one.done, "" if one.failed is None else one.failed)
                yield (
                    row.ref,
                    one.number,
                    one.size,
                    one.state,
                    one.reason,
                    one.code,
                    one.tries,
                    *said,
                    one.told_at or "",
                    one.told_by,
                )
            after = found[-1].number

    return csv_answer(csv.rows(header, lines()), f"{row.ref}-batches.csv")


@bp.post("/<ref>/batches/<int:batch>")
@permit("ask.make")
def tell(incident: str, ref: str, batch: int) -> ResponseReturnValue:
    """Say by hand what became of a batch."""
    form = request.form
    try:
        actions.tell(
            incident, ref, batch, form.get("done", ""), form.get("failed", "") or "0", actor=actor(), now=now()
        )
    except Invalid as error:
        return _page(_one(ref), {error.field: error.sentence}, batch), 422
    flash(_("Kept."), "met")
    return redirect(url_for(".show", incident=incident, ref=ref, _anchor=f"batch-{batch}"))


@bp.post("/<ref>/again")
@permit("ask.make")
def again(incident: str, ref: str) -> ResponseReturnValue:
    """Hand over once more what was refused."""
    count = actions.again(incident, ref, actor=actor(), now=now())
    flash(_("%(count)s batches go out once more.", count=number(count)), "met")
    return redirect(url_for(".show", incident=incident, ref=ref))


def _one(ref: str) -> SystemAsk:
    row = rows.by_ref(ref)
    if row is None or row.incident_id != g.incident.id:
        raise Missing()
    return row
