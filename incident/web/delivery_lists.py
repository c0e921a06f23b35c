"""The lists behind the numbers of a board: people by channel, language, state, reason and owner, and who waits for the next step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.domain import deliveries as rules
from incident.domain.deliveries import State
from incident.domain.errors import Missing
from incident.exports import csv, register
from incident.store import climbs, dispatches, listings, moves, tallies
from incident.store.dispatches import Dispatch
from incident.store.listings import Wanted
from incident.store.tallies import Place
from incident.web import lookups
from incident.web.access import now, permit
from incident.web.boards import CHANNEL_LABELS, MEANINGS, SPANS, language_label, reason_label, reason_words
from incident.web.deliveries import bp as bp
from incident.web.deliveries import names
from incident.web.flowplot import ORDER
from incident.web.incidents import csv_answer
from incident.web.languages import _

PAGE = 50
NOBODY = "none"
"""The word of an address for those in nobody's care."""


@dataclass(frozen=True)
class Facets:
    """What the filters offer: only what this sending has."""

    channels: list[tuple[str, str]]
    languages: list[tuple[str, str]]
    reasons: list[tuple[str, str]]
    owners: list[tuple[str, str]]


def wanted_of(args: Mapping[str, str]) -> Wanted:
    """What an address asks for. Raises Missing for a state that there is not."""
    state = args.get("state", "")
    if state and state not in set(State):
        raise Missing()
    language, owner = args.get("language", ""), args.get("owner", "")
    return Wanted(
        state=state,
        channel=args.get("channel", "")[:12],
        language={"": None, NOBODY: ""}.get(language, language[:12]),
        reason=args.get("reason", "")[:40],
        owner={"": None, NOBODY: ""}.get(owner, owner[:20]),
        came_from=args.get("came_from", "")[:12],
        every=bool(args.get("every")),
    )


def asked_of(wanted: Wanted) -> dict[str, Any]:
    """The same as parts of an address; what is not asked for is left out."""
    named = {
        "state": wanted.state,
        "channel": wanted.channel,
        "language": NOBODY if wanted.language == "" else wanted.language or "",
        "reason": wanted.reason,
        "owner": NOBODY if wanted.owner == "" else wanted.owner or "",
        "came_from": wanted.came_from,
        "every": "1" if wanted.every else "",
    }
    return {name: word for name, word in named.items() if word}


@bp.get("/<dispatch>/people")
@permit("sending.view")
def people(incident: str, dispatch: str) -> str:
    """The people of a sending as they are asked for, by key. No names: a reference leads to the person."""
    row, wanted = found_dispatch(dispatch), wanted_of(request.args)
    tally, after = tallies.of(row.id), max(0, request.args.get("after", 0, type=int))
    if not after and wanted.state == State.WAITING and row.waiting <= listings.LOOKED_AT:
        after = listings.first_waiting(row.id)
    found = listings.page(row.id, wanted, after=after, limit=PAGE)
    asked = asked_of(wanted)
    facets = _facets(row, wanted, tally)
    owners = [one.owner for one in found.rows if one.owner] + [word for word, _ in facets.owners if word != NOBODY]
    more = url_for(".people", incident=incident, dispatch=dispatch, **asked, after=found.after) if found.after else ""
    return render_template(
        "deliveries/people.html",
        row=row,
        asked=asked,
        facets=facets,
        states=_states(row, wanted, tally),
        word=_word(wanted),
        meaning=_meaning(wanted),
        found=found.rows,
        looked_on=len(found.rows) < PAGE and found.after is not None,
        words=rules.WORDS,
        tones=rules.TONES,
        people=names(owners),
        more=more,
        needs_owner=wanted.state in rules.NEEDS_OWNER,
        may_ask=wanted.state == State.IN_DOUBT and not row.simulated and lookups.may_ask_any(),
        count=_count(row, wanted, tally),
        labels=CHANNEL_LABELS,
        languages=language_label,
        reasons=reason_words,
    )


def found_dispatch(ref: str) -> Dispatch:
    """The sending of this incident. Raises Missing."""
    row = dispatches.by_ref(g.incident.id, ref)
    if row is None:
        raise Missing()
    return row


def _word(wanted: Wanted) -> str:
    if wanted.state:
        return rules.WORDS[State(wanted.state)]
    return _("went on") if wanted.came_from else _("every attempt")


def _meaning(wanted: Wanted) -> str:
    if wanted.came_from:
        origin, target = (CHANNEL_LABELS.get(word, word) for word in (wanted.came_from, wanted.channel))
        return _(
            "who went on from %(origin)s to %(target)s, whatever became of it",
            origin=origin,
            target=target or "another channel",
        )
    if wanted.every or not wanted.state:
        return _("those that another one followed included")
    return MEANINGS[State(wanted.state)]


def _count(row: Dispatch, wanted: Wanted, tally: Mapping[Place, int]) -> int | None:
    if wanted.came_from and asked_of(wanted).keys() <= {"came_from", "channel"}:
        return moves.of(row.id).get((wanted.came_from, wanted.channel))
    told = listings.counted(tally, wanted)
    if told is not None or wanted.state not in rules.NEEDS_OWNER or wanted.came_from:
        return told
    counted = listings.count(row.id, wanted, most=listings.COUNTED)
    return counted if counted < listings.COUNTED else None


def _states(row: Dispatch, wanted: Wanted, tally: Mapping[Place, int]) -> list[tuple[str, str, bool, int]]:
    """The tabs: each state that anybody stands in, with how many fit the channel and language asked for."""
    found = []
    for state in ORDER:
        same = Wanted(state=state.value, channel=wanted.channel, language=wanted.language)
        count = listings.counted(tally, same) or 0
        if count or state.value == wanted.state:
            href = url_for(".people", incident=g.incident.ref, dispatch=row.ref, **asked_of(same))
            found.append((rules.WORDS[state], href, state.value == wanted.state, count))
    return found


def _facets(row: Dispatch, wanted: Wanted, tally: Mapping[Place, int]) -> Facets:
    of_state = [place for place in tally if wanted.state in ("", place.state)]
    owners = listings.owners([row.id], State(wanted.state)) if wanted.state in rules.NEEDS_OWNER else {}
    channels = dict.fromkeys([*row.channels, *sorted(place.channel for place in tally)])
    return Facets(
        channels=[(word, CHANNEL_LABELS.get(word, word)) for word in channels],
        languages=[(tag or NOBODY, language_label(tag)) for tag in sorted({place.language for place in tally})],
        reasons=[(word, reason_label(word)) for word in sorted({place.reason for place in of_state}) if word],
        owners=[(owner or NOBODY, f"{count:,}") for owner, count in sorted(owners.items())],
    )


@bp.get("/<dispatch>/people.csv")
@permit("sending.view")
def table(incident: str, dispatch: str) -> Response:
    """The same as CSV: every attempt, or those that are asked for."""
    row, wanted = found_dispatch(dispatch), wanted_of(request.args)
    lines = (register.record(incident, one, row) for one in listings.each(row.id, wanted))
    return csv_answer(csv.rows(register.COLUMNS, lines), f"{dispatch}.csv")


# Who waits for the next step ------------------------------------------------------------------------------------------


@bp.get("/<dispatch>/waits")
@permit("sending.view")
def waits(incident: str, dispatch: str) -> ResponseReturnValue:
    """Whose step of the ladder may yet end without proof, the soonest first."""
    row, span = found_dispatch(dispatch), request.args.get("span", type=int)
    since, until = _edges(span)
    after = _key(request.args.get("at", ""), request.args.get("after", 0, type=int))
    found = climbs.waiting(row.id, since=since, until=until, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    more = ""
    if len(found) > PAGE and shown[-1].climb_at is not None:
        key: dict[str, Any] = {"at": shown[-1].climb_at.isoformat(), "after": shown[-1].id}
        more = url_for(".waits", incident=incident, dispatch=dispatch, span=span, **key)
    if not found and after:
        return redirect(url_for(".waits", incident=incident, dispatch=dispatch, span=span))
    return render_template(
        "deliveries/waits.html",
        row=row,
        span=SPANS[span][0] if span is not None and 0 <= span < len(SPANS) else "",
        spans=[(words, place) for place, (words, _) in enumerate(SPANS)],
        found=shown,
        more=more,
        words=rules.WORDS,
        tones=rules.TONES,
        labels=CHANNEL_LABELS,
        languages=language_label,
    )


def _edges(span: int | None) -> tuple[datetime | None, datetime | None]:
    if span is None or not 0 <= span < len(SPANS):
        return None, None
    return (now() + SPANS[span - 1][1] if span else None), now() + SPANS[span][1]


def _key(at: str, after: int) -> tuple[datetime, int] | None:
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found, after) if found.tzinfo else None


@bp.get("/<dispatch>/waits.csv")
@permit("sending.view")
def waits_table(incident: str, dispatch: str) -> Response:
    """The same as CSV, with when each step ends."""
    row = found_dispatch(dispatch)

    def lines() -> Iterator[tuple[Any, ...]]:
        after: tuple[datetime, int] | None = None
        while found := climbs.waiting(row.id, since=None, until=None, after=after, limit=1_000):
            for one in found:
                yield (f"P-{one.person_number}", one.channel, one.language, one.state, one.called_at, one.climb_at)
            after = (found[-1].climb_at or now(), found[-1].id)

    header = ("person", "channel", "language", "state", "handed over (UTC)", "next channel after (UTC)")
    return csv_answer(csv.rows(header, lines()), f"{dispatch}-waits.csv")
