"""The board of a sending: who stands where, start, pause, go on, stop, and those who need a person."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import dispatch as dispatching
from incident.actions import rolls
from incident.domain import deliveries as rules
from incident.domain.deliveries import Pace, State
from incident.domain.errors import Invalid, Missing
from incident.domain.notices import demand_count
from incident.domain.people import Audience
from incident.exports import csv, register
from incident.store import audiences, deliveries, dispatches, notices, registers, users
from incident.store.dispatches import Dispatch
from incident.web import bar, paces, preflights, pretences
from incident.web.access import actor, now, permit
from incident.web.boards import CHANNEL_LABELS, MEANINGS, board_of, boards_of, reason_words, with_details
from incident.web.incidents import csv_answer
from incident.web.languages import Word
from incident.web.pages import named
from notifiers.contract import Channels

bp = Blueprint("deliveries", __name__, url_prefix="/incidents/<incident>/sending")

PAGE = 50
__all__ = ["CHANNEL_LABELS", "MEANINGS", "board_of", "bp", "names", "reason_words"]

# Boards ---------------------------------------------------------------------------------------------------------------


@bp.get("/")
@permit("sending.view")
@named(Word("Sending"))
def index(incident: str) -> str:
    """Every sending of this incident, and what is approved and not on its way."""
    before = request.args.get("before", type=int)
    found = list(dispatches.of_incident(g.incident.id, before=before, limit=PAGE + 1))
    more = url_for(".index", incident=incident, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    boards = boards_of(found[:PAGE])
    return render_template(
        "deliveries/list.html",
        boards=boards,
        titles={notice.id: notice.title for notice in notices.of_incident(g.incident.id, limit=500)},
        ready=_ready(found),
        more=more,
        rehearsed={(row.notice_id, row.version_number) for row in found if row.simulated},
        only_sandbox=_channels().only_sandbox,
    )


def _ready(found: Sequence[Dispatch]) -> list[Any]:
    started = {(row.notice_id, row.version_number) for row in found if row.first_attempt}
    return [
        notice
        for notice in notices.of_incident(g.incident.id, limit=500)
        if notice.stage == "approved" and (notice.id, notice.number) not in started
    ]


@bp.get("/register.csv")
@permit("sending.view")
def register_(incident: str) -> Response:
    """The register: every attempt of every sending with its state and times, as CSV."""
    return csv_answer(register.as_csv(registers.pages(g.incident.id)), f"{incident}-register.csv")


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


def _approved(ref: str) -> tuple[notices.Notice, notices.NoticeVersion]:
    """The notice with its approved version. Raises Missing where there is none."""
    text = notices.by_ref(g.incident.id, ref)
    version = notices.version(text.id, text.number) if text else None
    if text is None or version is None or version.state != "approved":
        raise Missing()
    return text, version


def _new_page(notice: str, errors: dict[str, str]) -> str:
    text, version = _approved(notice)
    simulated = _simulated()
    opened = list(_channels().open(simulated=simulated))
    ways = _ways(version.contents, opened)
    unreached = sum(count for way, count in ways if not way)
    return render_template(
        "deliveries/new.html",
        notice=text,
        version=version,
        ways=ways,
        labels=CHANNEL_LABELS,
        reached=sum(count for _, count in ways) - unreached,
        unreached=unreached,
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
        frozen=bar.around().frozen,
        left_out=rolls.fell_out(g.incident.id, version),
        shares=pretences.shares(request.form) if g.incident.kind == "drill" else [],
        begun=dispatches.of_version(version.id, simulated=simulated),
    )


def _demand_number(notice: str) -> None:
    """Raises Invalid where real people are written to and their number was not typed, and Missing where nothing is approved."""
    _text, version = _approved(notice)
    if _simulated() or dispatches.of_version(version.id, simulated=False) is not None:
        return
    reached = sum(count for way, count in _ways(version.contents, list(_channels().open(simulated=False))) if way)
    demand_count(request.form.get("people", ""), reached)


def _ways(contents: dict[str, Any], opened: list[str]) -> list[tuple[str, int]]:
    """How many will be told by each channel, and by none (an empty word); from the tally of people."""
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
    return sorted(counted.items(), key=lambda item: -item[1])


@bp.post("/new/<notice>")
@permit("notice.send")
def start(incident: str, notice: str) -> ResponseReturnValue:
    """Begin to send; where it reaches people, to as many as were typed."""
    try:
        _demand_number(notice)
        approved = paces.approved_pace(notice)
        pace = replace(paces.typed(request.form, approved), at_any_hour=approved.at_any_hour, day=approved.day)
        life = pretences.typed(request.form)
        ref = dispatching.start(
            incident, notice, only_sandbox=_channels().only_sandbox, pace=pace, life=life, actor=actor(), now=now()
        )
    except Invalid as wrong:
        return _new_page(notice, {wrong.field: wrong.sentence}), 422
    flash("It begins within seconds. This page keeps itself fresh.", "met")
    return redirect(url_for(".show", incident=incident, dispatch=ref))


@bp.get("/<dispatch>")
@permit("sending.view")
def show(incident: str, dispatch: str) -> str:
    """One sending: the live board, what can be done, who needs a person."""
    board, details = with_details(dispatch)
    row = board.row
    return render_template(
        "deliveries/show.html",
        board=board,
        details=details,
        notice=notices.by_ref(g.incident.id, row.notice_ref),
        people=names([row.started_by]),
        pretended=pretences.words(row.pretended),
        may_repeat=not row.simulated and row.counts.bad > 0 and bool(deliveries.repeatable(row.id, 1)),
        channels=[CHANNEL_LABELS.get(word, word) for word in row.channels],
    )


@bp.get("/<dispatch>/board")
@permit("sending.view")
def fragment(incident: str, dispatch: str) -> Response:
    """The figures alone, for the page that keeps itself fresh."""
    board, details = with_details(dispatch)
    changed = board.row.course != request.args.get("course", board.row.course)
    page = Response(render_template("deliveries/board.html", board=board, details=details, changed=changed))
    page.headers["X-Fragment"] = "1"
    return page


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
