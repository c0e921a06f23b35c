"""Calls by hand: who is to be called, the call in one's hands, and what became of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import calls as actions
from incident.domain import calls as rules
from incident.domain import hours
from incident.domain.calls import Outcome, Why
from incident.domain.errors import Invalid, Missing
from incident.exports import csv
from incident.store import calls as rows
from incident.web.access import actor, now, permit, zone
from incident.web.answers import instant
from incident.web.deliveries import names
from incident.web.incidents import csv_answer
from incident.web.languages import Word, tongue
from incident.web.pages import named

bp = Blueprint("calls", __name__, url_prefix="/incidents/<incident>/calls")

PAGE = 50
STEPS = {
    "opening": Word("First"),
    "somebody_else": Word("If somebody else answers"),
    "voice_mail": Word("If a machine answers"),
    "end": Word("At the end"),
}


@dataclass(frozen=True)
class Listed:
    """One who is to be called, in ready words."""

    ref: str
    person: str
    why: str
    tries: int
    due_at: datetime
    there: str
    is_quiet: bool
    language: str
    holder: str


def _listed(found: Sequence[Any]) -> list[Listed]:
    moment = now()
    return [
        Listed(
            row.ref,
            f"P-{row.person_number}",
            rules.WHY_WORDS[Why(task.why)],
            task.tries,
            task.due_at,
            hours.local(task.place, moment).words,
            hours.is_quiet(task.place, moment),
            language_words(task.language),
            task.holder if rules.is_held(task.holder, task.held_until, moment) else "",
        )
        for task, row, _ in found
    ]


def language_words(tag: str) -> str:
    """The name of a language; nothing where it is not known."""
    return tongue(tag) if tag else ""


def _wanted() -> dict[str, Any]:
    """What the reader asked to see. Raises Missing for what is not offered."""
    why, due = request.args.get("why", ""), request.args.get("due", "")
    if why not in {"", *Why} or due not in {"", "now"}:
        raise Missing()
    return {"language": request.args.get("language", "")[:12], "why": why, "due_by": now() if due else None}


def _place() -> tuple[datetime, int] | None:
    """Where to go on: the moment and number of the last one shown. Raises Missing."""
    given = request.args.get("after", "")
    if not given:
        return None
    stamp, _, number = given.partition("_")
    try:
        return datetime.fromtimestamp(int(stamp) / 1_000_000, UTC), int(number)
    except (ValueError, OverflowError, OSError):
        raise Missing() from None


def _key(task: Any) -> str:
    return f"{round(task.due_at.timestamp() * 1_000_000)}_{task.delivery_id}"


@bp.get("/")
@permit("sending.view")
@named(Word("Calls to make"))
def index(incident: str) -> str:
    """Who is to be called, soonest first. No names and no numbers stand here."""
    found = rows.page(g.incident.id, **_wanted(), after=_place(), limit=PAGE + 1)
    asked: dict[str, Any] = {name: request.args[name] for name in ("language", "why", "due") if request.args.get(name)}
    more = url_for(".index", incident=incident, **asked, after=_key(found[PAGE - 1][0])) if len(found) > PAGE else ""
    listed = _listed(found[:PAGE])
    return render_template(
        "calls/list.html",
        found=listed,
        asked=asked,
        more=more,
        count=rows.open_count(g.incident.id),
        languages=[(tag, language_words(tag) or "not known") for tag in rows.languages(g.incident.id)],
        people=names([one.holder for one in listed if one.holder]),
        whys=rules.WHY_WORDS,
        most=rules.MOST_TRIES,
    )


@bp.get("/calls.csv")
@permit("sending.view")
def table(incident: str) -> Response:
    """The same list as CSV."""

    def lines() -> Iterator[tuple[Any, ...]]:
        after: tuple[datetime, int] | None = None
        while found := rows.page(g.incident.id, after=after, limit=500):
            for task, row, told in found:
                yield (
                    row.ref,
                    f"P-{row.person_number}",
                    told.notice_ref,
                    task.why,
                    task.tries,
                    task.language,
                    task.place,
                    task.due_at,
                )
            after = (found[-1][0].due_at, found[-1][0].delivery_id)

    header = ("attempt", "person", "notice", "why", "tries", "language", "place", "not before (UTC)")
    return csv_answer(csv.rows(header, lines()), f"{incident}-calls.csv")


@bp.post("/next")
@permit("call.make")
def take_next(incident: str) -> ResponseReturnValue:
    """Take the next call, and see number and script."""
    opened = actions.take_next(incident, language=request.form.get("language", "")[:12], actor=actor(), now=now())
    return _unkept(_page(opened.ref, opened))


@bp.get("/<attempt>")
@permit("sending.view")
def show(incident: str, attempt: str) -> str:
    """One call without name, number and script: what was tried, when to call."""
    return _page(attempt, None)


@bp.post("/<attempt>/take")
@permit("call.make")
def take(incident: str, attempt: str) -> ResponseReturnValue:
    """Take this very call, and see number and script."""
    return _unkept(_page(attempt, actions.take(incident, attempt, actor=actor(), now=now())))


@bp.post("/<attempt>/outcome")
@permit("call.make")
def record(incident: str, attempt: str) -> ResponseReturnValue:
    """Say what became of the call."""
    form = request.form
    try:
        then = actions.record(
            incident,
            attempt,
            outcome=form.get("outcome", ""),
            note=form.get("note", ""),
            back_at=instant(form.get("back_at", ""), _their_zone(attempt), "back_at"),
            actor=actor(),
            now=now(),
        )
    except Invalid as wrong:
        opened = actions.take(incident, attempt, actor=actor(), now=now())
        return _unkept(_page(attempt, opened, {wrong.field: wrong.sentence})), 422
    flash("Kept. They are off the list of calls." if then.is_done else "Kept. They stay on the list.", "met")
    return redirect(url_for(".index", incident=incident))


@bp.post("/<attempt>/back")
@permit("call.make")
def let_go(incident: str, attempt: str) -> ResponseReturnValue:
    """Give the call back without having made it."""
    actions.let_go(incident, attempt, actor=actor(), now=now())
    flash("Given back: somebody else can take it.", "met")
    return redirect(url_for(".index", incident=incident))


def _found(attempt: str) -> Any:
    found = rows.of_attempt(g.incident.id, attempt)
    if found is None:
        raise Missing("Nobody is to be called about this any more.")
    return found


def _their_zone(attempt: str) -> ZoneInfo:
    """The zone in which a time to call back is given: the person's where there is one, else the caller's."""
    there = hours.zones(_found(attempt)[0].place)
    return ZoneInfo(there[0]) if len(there) == 1 else zone()


def _page(attempt: str, opened: actions.Opened | None, errors: dict[str, str] | None = None) -> str:
    task, row, told = _found(attempt)
    tried = list(rows.attempts_of([row.id]))
    there = hours.local(task.place, now())
    return render_template(
        "calls/show.html",
        one=_listed([(task, row, told)])[0],
        notice=told.notice_ref,
        opened=opened,
        steps=STEPS,
        there=there,
        fit_at=hours.next_fit(task.place, now()) if there.is_quiet else None,
        their_zone=_their_zone(attempt).key,
        tried=list(zip(tried, actions.notes(g.incident.id, tried) if opened else [""] * len(tried), strict=True)),
        outcomes=[(word.value, rules.WORDS[word], rules.MEANINGS[word]) for word in Outcome],
        words=rules.WORDS,
        chosen=request.form,
        errors=errors or {},
        is_mine=task.holder == actor(),
        people=names([*(one.by for one in tried), *([task.holder] if task.holder else [])]),
    )


def _unkept(page: str) -> Response:
    """The page, which the browser is not to keep."""
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer
