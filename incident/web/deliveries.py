"""The board of a sending: who stands where, start, pause, go on, stop, and those who need a person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import deliveries as actions
from incident.actions import dispatch as dispatching
from incident.actions import rolls
from incident.domain import deliveries as rules
from incident.domain.deliveries import Course, Pace, State
from incident.domain.errors import Invalid, Missing
from incident.domain.people import Audience
from incident.exports import csv, register
from incident.store import audiences, climbs, dispatches, letters, notices, users
from incident.store import deliveries as rows
from incident.store.dispatches import Dispatch
from incident.web import paces, preflights
from incident.web.access import actor, now, permit
from incident.web.composing import CHANNEL_WORDS
from incident.web.incidents import csv_answer
from notifiers.contract import Channels

bp = Blueprint("deliveries", __name__, url_prefix="/incidents/<incident>/sending")

PAGE = 50
ACTIVE = (Course.PREPARING, Course.SENDING)
COURSE_WORDS = {
    Course.PREPARING: ("being prepared", "owed"),
    Course.SENDING: ("sending", "owed"),
    Course.PAUSED: ("paused", "soon"),
    Course.STOPPED: ("stopped for good", "late"),
    Course.DONE: ("all handed over", "met"),
}
ORDER = (
    State.CONFIRMED, State.DELIVERED, State.ACCEPTED, State.SIMULATED, State.SENDING, State.WAITING,
    State.IN_DOUBT, State.BOUNCED, State.FAILED, State.UNREACHED, State.CANCELLED,
)  # fmt: skip
MEANINGS = {
    State.WAITING: "not handed over yet",
    State.SENDING: "in a worker's hands now",
    State.IN_DOUBT: "the answer is lost: it may have gone out",
    State.ACCEPTED: "the provider has it",
    State.DELIVERED: "the receiving side took it",
    State.CONFIRMED: "a human confirmed it: by a key in the call, or to one of us",
    State.FAILED: "no provider took it",
    State.BOUNCED: "taken by the provider, and not delivered",
    State.CANCELLED: "stopped before it went out",
    State.SIMULATED: "kept in the sandbox: nobody was told",
    State.UNREACHED: "no channel that is set up reaches them, or is left to try",
}


@dataclass(frozen=True)
class Tally:
    """One state of a board in ready words."""

    state: str
    word: str
    tone: str
    meaning: str
    count: int
    href: str


@dataclass(frozen=True)
class Board:
    """A dispatch in ready words."""

    row: Dispatch
    word: str
    tone: str
    sentence: str
    parts: list[tuple[int, str]]
    tallies: list[Tally]
    unowned: int
    complete: bool
    active: bool
    why: str


def board_of(row: Dispatch) -> Board:
    """The board of a dispatch; its figures come from its own row."""
    course, counts = Course(row.course), row.counts
    unowned = rows.unowned(row.id)
    complete = rules.is_complete(course, counts, unowned, climbs.still_open(row.id)) and not letters.unposted(row.id)
    word, tone = COURSE_WORDS[course]
    tallies = [
        Tally(
            state.value,
            rules.WORDS[state],
            rules.TONES[state] or "idle",
            MEANINGS[state],
            counts.of(state),
            url_for("deliveries.people", incident=g.incident.ref, dispatch=row.ref, state=state.value),
        )
        for state in ORDER
        if counts.of(state) or state in (State.WAITING, State.ACCEPTED, State.DELIVERED)
    ]
    return Board(
        row, word, tone, _sentence(row, unowned), _parts(row), tallies, unowned, complete, course in ACTIVE, _why(row)
    )


def _why(row: Dispatch) -> str:
    """Why it is paused, in a sentence; nothing when it is not."""
    words = rules.PAUSE_WORDS.get(row.paused_for, "") if row.course == Course.PAUSED else ""
    return f"Paused: {words}." if words else ""


def _sentence(row: Dispatch, unowned: int) -> str:
    counts = row.counts
    if row.course == Course.PREPARING:
        return f"{counts.total:,} of {row.audience:,} people are on the list."
    said = [f"{row.audience - counts.waiting - counts.sending:,} of {row.audience:,} dealt with"]
    if row.course == Course.SENDING and counts.waiting and row.rate:
        said.append(f"{row.rate:,.0f} a second, about {_left(counts.waiting / row.rate)} left")
    if counts.in_doubt:
        said.append(f"{counts.in_doubt:,} in doubt")
    if unowned:
        said.append(f"{unowned:,} that nobody looks after yet")
    return " · ".join(said) + "."


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds)):,} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5_400 else f"{seconds / 3600:,.1f} h"


def _parts(row: Dispatch) -> list[tuple[int, str]]:
    """The bar: whole hundredths, nobody's share rounded up."""
    counts, whole = row.counts, max(1, row.audience)
    shares = (
        (counts.delivered + counts.confirmed, "met"),
        (counts.accepted, "owed"),
        (counts.simulated, "soon"),
        (counts.in_doubt, "open"),
        (counts.bad + counts.unreached, "late"),
    )
    return [(100 * count // whole, tone) for count, tone in shares]


CHANNEL_LABELS: dict[str, str] = {channel.value: word for channel, word in CHANNEL_WORDS.items()} | {
    "none": "No channel"
}


def reason_words(one: Any) -> str:
    """Why it stands as it does, in words, with the provider's code."""
    said = one.reason.replace("_", " ")
    return f"{said} ({one.code})" if said and one.code else said or one.code


# Boards ---------------------------------------------------------------------------------------------------------------


@bp.get("/")
@permit("sending.view")
def index(incident: str) -> str:
    """Every sending of this incident, and what is approved and not on its way."""
    before = request.args.get("before", type=int)
    found = list(dispatches.of_incident(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".index", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    boards = [board_of(row) for row in found[:PAGE]]
    return render_template(
        "deliveries/list.html",
        boards=boards,
        titles={notice.id: notice.title for notice in notices.of_incident(g.incident.id, limit=500)},
        ready=_ready(found),
        more=more,
        only_sandbox=_channels().only_sandbox,
    )


def _ready(found: Sequence[Dispatch]) -> list[Any]:
    started = {(row.notice_id, row.version_number) for row in found if row.first_attempt}
    return [
        notice
        for notice in notices.of_incident(g.incident.id, limit=500)
        if notice.stage == "approved" and (notice.id, notice.number) not in started
    ]


@bp.get("/sendings.csv")
@permit("sending.view")
def sendings(incident: str) -> Response:
    """The same list as CSV, with every count."""
    header = (
        "sending",
        "notice",
        "version",
        "simulated",
        "course",
        "paused for",
        "people",
        *(state.value for state in State),
        "begun (UTC)",
        "begun by",
        "nothing left since (UTC)",
    )

    def lines() -> Iterator[tuple[Any, ...]]:
        before: int | None = None
        while found := dispatches.of_incident(g.incident.id, before=before, limit=500):
            for row in found:
                counts = (row.counts.of(state) for state in State)
                yield (
                    row.ref,
                    row.notice_ref,
                    row.version_number,
                    row.simulated,
                    row.course,
                    row.paused_for,
                    row.audience,
                    *counts,
                    row.started_at,
                    row.started_by,
                    row.finished_at,
                )
            before = found[-1].id

    return csv_answer(csv.rows(header, lines()), f"{incident}-sendings.csv")


@bp.get("/new/<notice>")
@permit("notice.send")
def new(incident: str, notice: str) -> str:
    """Before a notice goes out: to how many, by which way, where it really goes."""
    return _new_page(notice, {})


def _new_page(notice: str, errors: dict[str, str]) -> str:
    text = notices.by_ref(g.incident.id, notice)
    version = notices.version(text.id, text.number) if text else None
    if text is None or version is None or version.state != "approved":
        raise Missing()
    simulated = _simulated()
    opened = list(_channels().open(simulated=simulated))
    ways = _ways(version.contents, opened)
    return render_template(
        "deliveries/new.html",
        notice=text,
        version=version,
        ways=ways,
        simulated=simulated,
        rehearsal=simulated and g.incident.kind != "drill",
        providers={word: notifier.provider for word, notifier in _channels().open(simulated=simulated).items()},
        pace=Pace.from_json(version.pace) or Pace(),
        limit=Pace.from_json(version.pace),
        careful=paces.words(Pace.from_json(version.pace), version.contents["channels"]),
        ways_of=[(word, CHANNEL_LABELS[word]) for word in version.contents["channels"]],
        check=preflights.of_notice(text, 0),
        tones=preflights.TONES,
        typed=request.form,
        errors=errors,
        frozen=dispatches.frozen(),
        left_out=rolls.fell_out(g.incident.id, version),
        begun=dispatches.of_version(version.id, simulated=simulated),
    )


def _ways(contents: dict[str, Any], opened: list[str]) -> list[tuple[str, int]]:
    """How many will be told by each channel, and by none; from the tally of people."""
    wanted = Audience.from_json(contents["audience"]["filter"])
    counted: dict[str, int] = {}
    for group in audiences.counted(g.incident.id, wanted):
        reached = {
            "email": bool(group.reach & 1),
            "sms": bool(group.reach & 2),
            "call": bool(group.reach & 2),
            "letter": bool(group.reach & 4),
            "push": bool(group.reach & 8),
        }
        way = rules.first_channel(contents["channels"], reached, opened)
        counted[way] = counted.get(way, 0) + group.people
    return [
        (CHANNEL_LABELS.get(way, "nobody reaches them"), count)
        for way, count in sorted(counted.items(), key=lambda item: -item[1])
    ]


@bp.post("/new/<notice>")
@permit("notice.send")
def start(incident: str, notice: str) -> ResponseReturnValue:
    """Begin to send."""
    try:
        pace = paces.typed(request.form, paces.approved_pace(notice))
        ref = dispatching.start(
            incident, notice, only_sandbox=_channels().only_sandbox, pace=pace, actor=actor(), now=now()
        )
    except Invalid as wrong:
        return _new_page(notice, {wrong.field: wrong.sentence}), 422
    flash("It begins within seconds. This page keeps itself fresh.", "met")
    return redirect(url_for(".show", incident=incident, dispatch=ref))


@bp.get("/<dispatch>")
@permit("sending.view")
def show(incident: str, dispatch: str) -> str:
    """One sending: the live board, what can be done, who needs a person."""
    row = _found(dispatch)
    return render_template(
        "deliveries/show.html",
        board=board_of(row),
        notice=notices.by_ref(g.incident.id, row.notice_ref),
        people=names([row.started_by]),
        frozen=dispatches.frozen(),
        may_repeat=any(row.counts.of(state) for state in (State.FAILED, State.BOUNCED)) and not row.simulated,
        channels=[CHANNEL_LABELS.get(word, word) for word in row.channels],
    )


@bp.get("/<dispatch>/board")
@permit("sending.view")
def fragment(incident: str, dispatch: str) -> Response:
    """The figures alone, for the page that keeps itself fresh."""
    board = board_of(_found(dispatch))
    changed = board.row.course != request.args.get("course", board.row.course)
    page = Response(render_template("deliveries/board.html", board=board, changed=changed))
    page.headers["X-Fragment"] = "1"
    return page


@bp.get("/<dispatch>/people")
@permit("sending.view")
def people(incident: str, dispatch: str) -> str:
    """The people of a sending in one state, by key. No names: a reference leads to the person."""
    row = _found(dispatch)
    state = request.args.get("state", "")
    if state and state not in set(State):
        raise Missing()
    after = request.args.get("after", 0, type=int)
    found = list(rows.page(row.id, state=state, after=max(0, after), limit=PAGE + 1))
    shown = found[:PAGE]
    more = (
        url_for(".people", incident=incident, dispatch=dispatch, state=state, after=shown[-1].id)
        if len(found) > PAGE
        else ""
    )
    return render_template(
        "deliveries/people.html",
        board=board_of(row),
        state=state,
        word=rules.WORDS[State(state)] if state else "everybody",
        meaning=MEANINGS[State(state)] if state else "every attempt, whatever became of it",
        found=shown,
        words=rules.WORDS,
        tones=rules.TONES,
        people=names([one.owner for one in shown if one.owner]),
        more=more,
        needs_owner=state in rules.NEEDS_OWNER,
        count=row.counts.of(State(state)) if state else row.audience,
        labels=CHANNEL_LABELS,
        reasons=reason_words,
    )


@bp.get("/<dispatch>/people.csv")
@permit("sending.view")
def table(incident: str, dispatch: str) -> Response:
    """The same as CSV: every attempt, or those of one state."""
    row = _found(dispatch)
    state = request.args.get("state", "")
    if state and state not in set(State):
        raise Missing()

    def lines() -> Iterator[tuple[Any, ...]]:
        after = 0
        while found := rows.page(row.id, state=state, after=after, limit=1_000):
            yield from (register.record(incident, one, row) for one in found)
            after = found[-1].id

    return csv_answer(csv.rows(register.COLUMNS, lines()), f"{dispatch}.csv")


# What a person does ---------------------------------------------------------------------------------------------------


@bp.post("/<dispatch>/pause")
@permit("sending.pause")
def pause(incident: str, dispatch: str) -> ResponseReturnValue:
    """Let nothing more go out for now."""
    dispatching.pause(incident, dispatch, actor=actor(), now=now())
    flash("Paused. What a provider already has can no longer be called back.", "soon")
    return _back(dispatch)


@bp.post("/<dispatch>/go-on")
@permit("sending.steer")
def go_on(incident: str, dispatch: str) -> ResponseReturnValue:
    """Take it up again."""
    dispatching.go_on(incident, dispatch, actor=actor(), now=now())
    flash("It goes on.", "met")
    return _back(dispatch)


@bp.post("/<dispatch>/stop")
@permit("sending.steer")
def stop(incident: str, dispatch: str) -> ResponseReturnValue:
    """Stop for good."""
    cancelled = dispatching.stop(incident, dispatch, typed=request.form.get("typed", ""), actor=actor(), now=now())
    flash(f"Stopped for good. {cancelled:,} people were not told by it.", "late")
    return _back(dispatch)


@bp.post("/<dispatch>/repeat")
@permit("sending.steer")
def repeat(incident: str, dispatch: str) -> ResponseReturnValue:
    """Send the failed again."""
    count = dispatching.repeat_failed(incident, dispatch, actor=actor(), now=now())
    flash(f"{count:,} will be tried again; nobody else.", "met")
    return _back(dispatch)


@bp.post("/<dispatch>/care")
@permit("delivery.care")
def care(incident: str, dispatch: str) -> ResponseReturnValue:
    """Take those nobody looks after into one's own care."""
    state = request.form.get("state", "")
    count = dispatching.take_care(incident, dispatch, state, actor=actor(), now=now())
    flash(f"{count:,} are in your care now." if count else "Somebody looks after all of them already.", "met")
    return redirect(url_for(".people", incident=incident, dispatch=dispatch, state=state))


@bp.post("/<dispatch>/doubts")
@permit("delivery.settle")
def doubts(incident: str, dispatch: str) -> ResponseReturnValue:
    """Settle all in doubt at once."""
    form = request.form
    count = actions.settle_doubts(
        incident,
        dispatch,
        verdict=form.get("verdict", ""),
        typed=form.get("typed", ""),
        reason=form.get("reason", ""),
        actor=actor(),
        now=now(),
    )
    flash(f"{count:,} settled.", "met")
    return _back(dispatch)


def _channels() -> Channels:
    channels: Channels = current_app.extensions["channels"]
    return channels


def _simulated() -> bool:
    return _channels().only_sandbox or g.incident.kind == "drill"


def _found(dispatch: str) -> Dispatch:
    row = dispatches.by_ref(g.incident.id, dispatch)
    if row is None:
        raise Missing()
    return row


def names(refs: Sequence[str]) -> dict[str, str]:
    """The names of these colleagues, by reference."""
    return {ref: user.name for ref, user in users.by_refs(set(refs)).items()} if refs else {}


def _back(dispatch: str) -> ResponseReturnValue:
    return redirect(url_for(".show", incident=g.incident.ref, dispatch=dispatch))
