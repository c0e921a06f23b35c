"""The desks of an incident's sendings: in doubt, not sent, came back, unreached, cancelled; who has them, and what is to be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from incident.actions import desks as actions
from incident.actions.desks import OPEN_TO, Chosen, Verdict
from incident.domain import deliveries as rules
from incident.domain.access import may as holds
from incident.domain.deliveries import State
from incident.domain.errors import Invalid, Missing
from incident.domain.lookups import WORDS as SAYS
from incident.domain.lookups import Verdict as Said
from incident.exports import csv, register
from incident.store import dispatches, doubts, listings, lookups
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.tallies import Place
from incident.web.access import actor, me, now, permit
from incident.web.attempts import open_channels
from incident.web.boards import CHANNEL_LABELS, MEANINGS, language_label, reason_label, reason_words
from incident.web.deliveries import names
from incident.web.delivery_lists import NOBODY, Facets, asked_of, wanted_of
from incident.web.incidents import csv_answer
from incident.web.ladders import colleagues
from incident.web.languages import Word, _
from incident.web.lookups import may_ask_any
from incident.web.pages import named

bp = Blueprint("desks", __name__, url_prefix="/incidents/<incident>/sending/desk")

PAGE = 50
MOST_ASKED = 5
"""So many sendings get a button to ask the provider; more are asked from their own lists."""
VERDICT_WORDS = {
    Verdict.SENT: (Word("They were sent"), Word("They count as accepted, on your word.")),
    Verdict.AGAIN: (
        Word("Send them again"),
        Word("Each gets one more message by the same channel. Whoever got the first one after all gets it twice."),
    ),
    Verdict.NEXT: (
        Word("Try the next channel"),
        Word("Each is told by the next channel of the notice that reaches them; whom none reaches stays here."),
    ),
}


@dataclass(frozen=True)
class Row:
    """One delivery of a desk, and what is known of how it stands."""

    one: Delivery
    sending: Dispatch
    evidence: Sequence[str]


@bp.get("/")
@permit("sending.view")
@named(Word("Those in doubt, failed or unreached"))
def index(incident: str) -> ResponseReturnValue:
    """The desk on which most waits: in doubt first."""
    held = _held()
    state = next((state for state in rules.NEEDS_OWNER if sum(row.counts.of(state) for row in held)), State.IN_DOUBT)
    return redirect(url_for(".show", incident=incident, state=state.value))


@bp.get("/<state>")
@permit("sending.view")
def show(incident: str, state: str) -> str:
    """Everybody of this incident who stands so, by sending and key, with what is known of each."""
    return _page(state, {})


def _page(state: str, errors: dict[str, str]) -> str:
    chosen, held = _chosen(state), _held()
    here = _of(held, chosen)
    rows, more = _rows(here, chosen)
    owners = listings.owners([row.id for row in here], State(state))
    tally = listings.tallied([row.id for row in here])
    count = _count(here, chosen, tally)
    people = colleagues(g.incident)
    return render_template(
        "deliveries/desk.html",
        state=state,
        word=rules.WORDS[State(state)],
        meaning=MEANINGS[State(state)],
        tabs_of=_tabs(held, state, chosen),
        rows=rows,
        sendings=held,
        asked=_asked(chosen),
        facets=_facets(chosen, owners, tally),
        count=count,
        at_once=min(count, actions.AT_ONCE),
        verdicts=[(verdict.value, *VERDICT_WORDS[verdict]) for verdict in OPEN_TO[State(state)]],
        colleagues=people,
        people=dict(people) | names([word for word in owners if word and word not in dict(people)]),
        more=more,
        labels=CHANNEL_LABELS,
        languages=language_label,
        reasons=reason_words,
        typed=request.form,
        errors=errors,
        mine=me().ref,
        may_ask=[row.ref for row in here[:MOST_ASKED]] if state == State.IN_DOUBT and _may_ask() else [],
    )


def _may_ask() -> bool:
    return may_ask_any() and holds("delivery.settle", me().roles)


def _chosen(state: str) -> Chosen:
    """What the address asks for. Raises Missing for a state that needs nobody."""
    if state not in rules.NEEDS_OWNER:
        raise Missing()
    wanted = replace(wanted_of(request.args), state=state, every=False, came_from="")
    return Chosen(wanted, request.args.get("sending", "")[:20], tuple(request.form.getlist("attempt")[:PAGE]))


def _asked(chosen: Chosen) -> dict[str, Any]:
    asked = {name: word for name, word in asked_of(chosen.wanted).items() if name != "state"}
    return asked | ({"sending": chosen.sending} if chosen.sending else {})


def _held() -> list[Dispatch]:
    """The sendings of this incident that are meant for people, newest first."""
    return [row for row in dispatches.of_incident(g.incident.id, limit=1_000) if not row.simulated]


def _of(held: Sequence[Dispatch], chosen: Chosen) -> list[Dispatch]:
    """The sendings that this desk shows now, oldest first. Raises Missing."""
    if chosen.sending and chosen.sending not in {row.ref for row in held}:
        raise Missing()
    state = State(chosen.wanted.state)
    return [row for row in reversed(held) if row.counts.of(state) and chosen.sending in ("", row.ref)]


def _tabs(held: Sequence[Dispatch], state: str, chosen: Chosen) -> list[tuple[str, str, bool, str]]:
    found = []
    for one in rules.NEEDS_OWNER:
        count = sum(row.counts.of(one) for row in held if chosen.sending in ("", row.ref))
        href = url_for(".show", incident=g.incident.ref, state=one.value, sending=chosen.sending or None)
        found.append((rules.WORDS[one], href, one == state, f"{count:,}"))
    return found


def _rows(here: Sequence[Dispatch], chosen: Chosen) -> tuple[list[Row], str]:
    """One page over all these sendings, one after the other; and the address of the next."""
    begun, after = request.args.get("at", ""), max(0, request.args.get("after", 0, type=int))
    refs = [row.ref for row in here]
    start = refs.index(begun) if begun in refs else 0
    found: list[tuple[Delivery, Dispatch]] = []
    for row in here[start:]:
        page = listings.page(row.id, chosen.wanted, after=after if row.ref == begun else 0, limit=PAGE - len(found))
        found += [(one, row) for one in page.rows]
        if page.after is not None:
            return _with_evidence(found), _next(chosen, row.ref, page.after)
        if len(found) >= PAGE and row is not here[-1]:
            return _with_evidence(found), _next(chosen, refs[refs.index(row.ref) + 1], 0)
    return _with_evidence(found), ""


def _next(chosen: Chosen, at: str, after: int) -> str:
    state = chosen.wanted.state
    return url_for(".show", incident=g.incident.ref, state=state, **_asked(chosen), at=at, after=after)


def _with_evidence(found: Sequence[tuple[Delivery, Dispatch]]) -> list[Row]:
    """What is known of those in doubt: what the provider said when it was asked, and what became of the rest of their call."""
    doubtful = [one for one, __ in found if one.state == State.IN_DOUBT]
    said = lookups.newest([one.id for one in doubtful]) if doubtful else {}
    calls = doubts.calls({one.dispatch_id for one in doubtful}, {one.claim_id for one in doubtful if one.claim_id})
    rows = []
    for one, sending in found:
        evidence = []
        if one.id in said:
            evidence.append(SAYS[Said(said[one.id].verdict)])
        size, doubt = calls.get(one.claim_id or 0, (0, 0))
        if size > 1:
            evidence.append(
                _(
                    "one of %(size)s handed over together; %(size2)s of those are settled",
                    size=format(size, ","),
                    size2=format(size - doubt, ","),
                )
            )
        rows.append(Row(one, sending, evidence))
    return rows


def _count(here: Sequence[Dispatch], chosen: Chosen, tally: Mapping[Place, int]) -> int:
    """How many fit: from the tallies where they can tell, else counted in the index of those who need a person."""
    counted = listings.counted(tally, chosen.wanted)
    return sum(listings.count(row.id, chosen.wanted) for row in here) if counted is None else counted


def _facets(chosen: Chosen, owners: Mapping[str, int], tally: Mapping[Place, int]) -> Facets:
    places = [place for place in tally if place.state == chosen.wanted.state]
    return Facets(
        channels=[(word, CHANNEL_LABELS.get(word, word)) for word in sorted({place.channel for place in places})],
        languages=[(tag or NOBODY, language_label(tag)) for tag in sorted({place.language for place in places})],
        reasons=[(word, reason_label(word)) for word in sorted({place.reason for place in places}) if word],
        owners=[(owner or NOBODY, f"{count:,}") for owner, count in sorted(owners.items())],
    )


@bp.get("/<state>.csv")
@permit("sending.view")
def table(incident: str, state: str) -> Response:
    """The same as CSV."""
    chosen = _chosen(state)
    here = _of(_held(), chosen)

    def lines() -> Iterator[tuple[Any, ...]]:
        for row in here:
            yield from (register.record(incident, one, row) for one in listings.each(row.id, chosen.wanted))

    return csv_answer(csv.rows(register.COLUMNS, lines()), f"{incident}-{state}.csv")


# What a person does ---------------------------------------------------------------------------------------------------


@bp.post("/<state>/decide")
@permit("delivery.settle")
def decide(incident: str, state: str) -> ResponseReturnValue:
    """Decide on those who are ticked, or on all that fit."""
    chosen, form = _chosen(state), request.form
    if form.get("whom") != "all" and not chosen.attempts:
        return _page(state, {"whom": "Tick somebody on the list, or choose all that fit."}), 422
    if form.get("whom") == "all":
        chosen = replace(chosen, attempts=())
    try:
        done = actions.decide(
            incident,
            chosen,
            form.get("verdict", ""),
            typed=form.get("typed", ""),
            reason=form.get("reason", ""),
            opened=open_channels(simulated=False),
            actor=actor(),
            now=now(),
        )
    except Invalid as wrong:
        return _page(state, {wrong.field: wrong.sentence}), 422
    left = _(" %(left)s stay here: no other channel reaches them.", left=format(done.left, ",")) if done.left else ""
    flash(f"{done.settled:,} settled.{left}", "met")
    return _back(chosen)


@bp.post("/<state>/care")
@permit("delivery.care")
def care(incident: str, state: str) -> ResponseReturnValue:
    """Put all that fit into one's own care, or into a colleague's."""
    chosen, to = replace(_chosen(state), attempts=()), request.form.get("to", "") or me().ref
    try:
        count = actions.hand_over(incident, chosen, to, typed=request.form.get("typed", ""), actor=actor(), now=now())
    except Invalid as wrong:
        return _page(state, {f"care_{wrong.field}": wrong.sentence}), 422
    flash(
        _("%(count)s are in your care now.", count=f"{count:,}")
        if to == me().ref
        else _("%(count)s are in their care now.", count=f"{count:,}"),
        "met",
    )
    return _back(chosen)


def _back(chosen: Chosen) -> ResponseReturnValue:
    asked = {name: word for name, word in _asked(chosen).items() if name != "owner"}
    return redirect(url_for(".show", incident=g.incident.ref, state=chosen.wanted.state, **asked))
