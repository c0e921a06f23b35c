"""The board of a sending in ready words: figures, a bar for each channel and language, reasons, and who waits for the next step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import g, url_for

from incident.domain import deliveries as rules
from incident.domain import flows, reasons
from incident.domain.deliveries import Counts, Course, State
from incident.domain.errors import Missing
from incident.domain.letters import RETURN_WORDS, Returned
from incident.store import climbs, listings, loose_ends, moves, paces, put_off
from incident.store.dispatches import Dispatch
from incident.store.loose_ends import Ends
from incident.store.put_off import Waiting
from incident.store.tallies import Place
from incident.web import boardwords
from incident.web.access import now
from incident.web.composing import CHANNEL_WORDS
from incident.web.flowplot import ORDER, Links, Plot, drawn
from incident.web.languages import Word, _, ngettext, said, tongue

ACTIVE = (Course.PREPARING, Course.SENDING)
COURSE_WORDS = {
    Course.PREPARING: (Word("being prepared"), "owed"),
    Course.SENDING: (Word("sending"), "owed"),
    Course.PAUSED: (Word("paused"), "soon"),
    Course.STOPPED: (Word("stopped for good"), "late"),
    Course.IN_DOUBT: (Word("people in doubt"), "open"),
    Course.DONE: (Word("all handed over"), "met"),
}
MEANINGS = {
    State.WAITING: Word("not handed over yet"),
    State.SENDING: Word("in a worker's hands now"),
    State.IN_DOUBT: Word("the answer is lost: it may have gone out"),
    State.ACCEPTED: Word("the provider has it"),
    State.DELIVERED: Word("the receiving side took it"),
    State.CONFIRMED: Word("a human confirmed it: by a key in the call, or to one of us"),
    State.FAILED: Word("no provider took it"),
    State.BOUNCED: Word("taken by the provider, and not delivered"),
    State.CANCELLED: Word("stopped before it went out"),
    State.SIMULATED: Word("kept in the sandbox: nobody was told"),
    State.UNREACHED: Word("no channel that is set up reaches them, or is left to try"),
}
CHANNEL_LABELS: Mapping[str, str] = {channel.value: word for channel, word in CHANNEL_WORDS.items()} | {
    "none": Word("No channel")
}
MOST_REASONS = 12
NOBODY: Mapping[str, Waiting] = {}
PLOTS = {"wide": 680, "narrow": 330}
"""How wide the picture of the ladder is drawn: once for a desk, once for a telephone."""


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

    @property
    def unowned_words(self) -> str:
        """How many are in nobody's care, in words."""
        return boardwords.so_far(self.unowned)


@dataclass(frozen=True)
class Bar:
    """How far one channel is, or one language of it."""

    key: str
    label: str
    people: int
    href: str
    parts: list[tuple[int, str]]
    sentence: str
    tallies: list[Tally]
    within: Sequence["Bar"] = ()


@dataclass(frozen=True)
class Reason:
    """Why attempts by one channel failed, and how often."""

    channel: str
    words: str
    word: str
    tone: str
    count: int
    href: str


@dataclass(frozen=True)
class Move:
    """How many went from one channel to another; back, where an earlier message turned out to have told them."""

    origin: str
    target: str
    count: int
    href: str
    back: bool


@dataclass(frozen=True)
class Ahead:
    """How many take their next step in a span of time."""

    words: str
    count: int
    more: bool
    share: int
    href: str


@dataclass(frozen=True)
class Need:
    """Those in one state who need a person, and the desk where they are decided on."""

    word: str
    tone: str
    meaning: str
    count: int
    href: str


@dataclass(frozen=True)
class Hold:
    """Why some wait for more than their turn, and the page where somebody sees to it; `first` is when the first of them goes."""

    count: str
    words: str
    to: str
    href: str
    first: datetime | None = None


@dataclass(frozen=True)
class Details:
    """What stands under the figures."""

    needs: Sequence[Need]
    holds: Sequence[Hold]
    bars: Sequence[Bar]
    reasons: Sequence[Reason]
    more_reasons: int
    too_many: bool
    plots: Mapping[str, Plot]
    moves: Sequence[Move]
    ahead: Sequence[Ahead]
    first_step: datetime | None


def board_of(row: Dispatch) -> Board:
    """The board of a dispatch; its figures come from its own row."""
    return boards_of([row])[0]


def with_details(dispatch: str) -> tuple[Board, Details]:
    """The board of this sending and what stands under it, both by the speed of the last minute. Raises Missing."""
    found = loose_ends.found(g.incident.id, dispatch)
    if found is None:
        raise Missing()
    row, ends = found
    rates = paces.of_last_minute(row.id, now()) if row.course == Course.SENDING else {}
    waiting = put_off.of(row.id, row.channels, now()) if row.waiting and row.prepared else NOBODY
    return _board(row, ends, sum(rates.values()), waiting), details_of(row, rates, waiting, ends.unposted)


def boards_of(rows: Sequence[Dispatch]) -> list[Board]:
    """The boards of these dispatches; what keeps them from being complete is read for all at once."""
    ends = loose_ends.of([row.id for row in rows]) if rows else {}
    return [_board(row, ends.get(row.id, Ends())) for row in rows]


def _board(row: Dispatch, ends: Ends, rate: float = 0.0, waiting: Mapping[str, Waiting] = NOBODY) -> Board:
    course, counts = Course(row.course), row.counts
    complete = rules.is_complete(course, counts, ends.unowned, ends.climbing) and not ends.unposted
    word, tone = standing(row)
    shown = {state: counts.of(state) for state in ORDER}
    return Board(
        row,
        word,
        tone,
        boardwords.sentence(row, ends.unowned, rate, waiting.values()),
        parts(counts, row.audience),
        _tallies(row, shown, always=(State.WAITING, State.ACCEPTED, State.DELIVERED)),
        ends.unowned,
        complete,
        course in ACTIVE,
        _why(row),
    )


def standing(row: Dispatch) -> tuple[str, str]:
    """Where it stands; that all was handed over is said only where nobody is left to look after."""
    if row.course == Course.DONE and row.in_doubt:
        return COURSE_WORDS[Course.IN_DOUBT]
    if row.course == Course.DONE and row.failed + row.bounced + row.unreached:
        return _("nothing left to send"), "soon"
    return COURSE_WORDS[Course(row.course)]


def _why(row: Dispatch) -> str:
    """Why it is paused or not at its end, in a sentence; nothing when it is neither."""
    if row.course == Course.IN_DOUBT:
        said = f"{row.in_doubt:,} {'person' if row.in_doubt == 1 else 'people'}"
        return _(
            "Nothing is left to send, and nobody knows yet whether it reached %(said)s. It ends by itself when the last of them is settled.",
            said=said,
        )
    if row.course == Course.STOPPED and row.cancelled and not row.simulated:
        return _(
            "Stopped for good: %(people)s were cancelled. A notice of their own tells them.",
            people=f"{row.cancelled:,}",
        )
    words = rules.PAUSE_WORDS.get(row.paused_for, "") if row.course == Course.PAUSED else ""
    if words.startswith("paused"):
        return f"{words.capitalize()}."
    return _("Paused: %(words)s.", words=words) if words else ""


def parts(counts: Counts, whole: int) -> list[tuple[int, str]]:
    """The bar: whole hundredths, nobody's share rounded up."""
    shares = (
        (counts.delivered + counts.confirmed, "met"),
        (counts.accepted, "owed"),
        (counts.simulated, "soon"),
        (counts.in_doubt, "open"),
        (counts.bad + counts.unreached, "late"),
    )
    return [(100 * count // max(1, whole), tone) for count, tone in shares]


def _tallies(
    row: Dispatch, shown: Mapping[State, int], *, always: Sequence[State] = (), **narrowed: Any
) -> list[Tally]:
    return [
        Tally(
            state.value,
            rules.WORDS[state],
            rules.TONES[state] or "idle",
            MEANINGS[state],
            shown.get(state, 0),
            list_of(row, state=state.value, **narrowed),
        )
        for state in ORDER
        if shown.get(state) or state in always
    ]


def list_of(row: Dispatch, **wanted: Any) -> str:
    """The address of the list behind a number."""
    return url_for("deliveries.people", incident=g.incident.ref, dispatch=row.ref, **wanted)


def reason_words(one: Any) -> str:
    """Why it stands as it does, in words, with the provider's code."""
    said_so = reason_label(one.reason)
    return f"{said_so} ({one.code})" if said_so and one.code else said_so or one.code


def reason_label(reason: str) -> str:
    """A reason in words; of a letter that the post brought back, what the post said."""
    kind, _underscore, why = reason.partition("_")
    if kind == "returned" and why in RETURN_WORDS:
        return _("letter came back: %(why)s", why=said(RETURN_WORDS[Returned(why)]))
    return str(said(reasons.words(reason)))


def language_label(tag: str) -> str:
    """The name of a language, or that it is not known."""
    return tongue(tag) if tag else _("language not known")


# What stands under the figures ----------------------------------------------------------------------------------------


def details_of(
    row: Dispatch, rates: Mapping[str, float], waiting: Mapping[str, Waiting] = NOBODY, unposted: int = 0
) -> Details:
    """Bars, reasons, the picture of the ladder, and who waits for the next step: in few queries, whatever the size."""
    tally, went = moves.standing(row.id)
    failed = row.counts.bad + sum(went.values())
    found = listings.setbacks(row.id) if 0 < failed <= listings.MOST_FAILED else []
    links = _Links(row)
    streams = flows.streams(row.channels, _stands(tally), went)
    plots = {name: drawn(streams, CHANNEL_LABELS, links, width) for name, width in PLOTS.items()} if went else {}
    ahead, first = _ahead(row)
    return Details(
        needs=_needs(row, tally),
        holds=list(_holds(row, waiting, unposted)),
        bars=list(_bars(row, tally, rates, waiting)),
        reasons=[_reason(row, one) for one in found[:MOST_REASONS]],
        more_reasons=sum(one.n for one in found[MOST_REASONS:]),
        too_many=failed > listings.MOST_FAILED,
        plots={name: plot for name, plot in plots.items() if plot},
        moves=_moves(row, went),
        ahead=ahead,
        first_step=first,
    )


def _needs(row: Dispatch, tally: Mapping[Place, int]) -> list[Need]:
    """Where somebody was perhaps not told. A rehearsal tells nobody, so that nobody has to decide anything.

    Neither has anybody of those who were erased or taken off the list.
    """
    if row.simulated:
        return []
    left = {state: row.counts.of(state) for state in rules.NEEDS_OWNER}
    for place, n in tally.items():
        if place.reason in rules.NOBODY_THERE:
            left[place.state] -= n
    return [
        Need(
            rules.WORDS[state],
            rules.TONES[state] or "idle",
            MEANINGS[state],
            left[state],
            url_for("desks.show", incident=g.incident.ref, state=state.value, sending=row.ref),
        )
        for state in rules.NEEDS_OWNER
        if left[state]
    ]


def _stands(tally: Mapping[Place, int]) -> dict[tuple[str, State], int]:
    found: dict[tuple[str, State], int] = {}
    for place, n in tally.items():
        found[place.channel, place.state] = found.get((place.channel, place.state), 0) + n
    return found


class _Links(Links):
    """The addresses of the lists behind the picture of one sending."""

    def __init__(self, row: Dispatch) -> None:
        self.row = row

    def stands(self, channel: str, state: State) -> str:
        """The list of those who stand so by this channel."""
        return list_of(self.row, state=state.value, channel=channel)

    def moved(self, origin: str, target: str) -> str:
        """The list of those who went from one channel to another."""
        return list_of(self.row, came_from=origin, channel=target)


def _holds(row: Dispatch, waiting: Mapping[str, Waiting], unposted: int) -> Iterator[Hold]:
    """What waits for people of the team, and what for a time to come."""
    here = {"incident": g.incident.ref}
    by_hand = {
        "call": (_("to be called by somebody of the team"), _("Calls by hand"), url_for("calls.index", **here)),
        "letter": (_("whose letter is to be printed"), _("Letters"), url_for("letters.index", **here)),
    }
    for channel, held in waiting.items():
        if held.by_hand and channel in by_hand:
            yield Hold(boardwords.so_far(held.by_hand), *by_hand[channel])
        if held.later:
            words = _("by %(channel)s at a fit hour, or once more", channel=CHANNEL_LABELS.get(channel, channel))
            to = list_of(row, state=State.WAITING.value, channel=channel)
            yield Hold(boardwords.so_far(held.later), words, _("See who waits"), to, held.first)
    if unposted:
        words = ngettext(
            "batch of letters to be printed and posted", "batches of letters to be printed and posted", unposted
        )
        yield Hold(f"{unposted:,}", words, _("Letters"), url_for("letters.index", **here))


def _bars(
    row: Dispatch, tally: Mapping[Place, int], rates: Mapping[str, float], waiting: Mapping[str, Waiting]
) -> Iterator[Bar]:
    order = [*row.channels, *sorted({place.channel for place in tally} - set(row.channels))]
    for channel in order:
        here = {place: n for place, n in tally.items() if place.channel == channel}
        if not here:
            continue
        languages = sorted({place.language for place in here}, key=lambda tag: -_people(here, tag))
        within = [_bar(row, here, channel, tag) for tag in languages] if len(languages) > 1 else []
        tag = None if within else languages[0]
        pace = rates.get(channel, 0.0), waiting.get(channel, Waiting())
        yield _bar(row, here, channel, tag, *pace, within, whole=True)


def _people(here: Mapping[Place, int], tag: str) -> int:
    return sum(n for place, n in here.items() if place.language == tag)


def _bar(
    row: Dispatch,
    here: Mapping[Place, int],
    channel: str,
    tag: str | None,
    rate: float = 0.0,
    waiting: Waiting = Waiting(),  # noqa: B008  (a value)
    within: Sequence[Bar] = (),
    *,
    whole: bool = False,
) -> Bar:
    shown: dict[State, int] = {}
    for place, n in here.items():
        if tag is None or place.language == tag:
            shown[place.state] = shown.get(place.state, 0) + n
    counts, people = Counts(**{state.value: n for state, n in shown.items()}), sum(shown.values())
    name = CHANNEL_LABELS.get(channel, channel)
    label = f"{name}{_(', ')}{language_label(tag)}" if whole and tag is not None else name
    narrowed: dict[str, Any] = {"channel": channel} if tag is None else {"channel": channel, "language": tag}
    return Bar(
        key=f"bar-{channel}-{tag or 'all'}",
        label=label if whole else language_label(tag or ""),
        people=people,
        href=list_of(row, **narrowed),
        parts=parts(counts, people),
        sentence=boardwords.pace(counts, rate, waiting, simulated=row.simulated),
        tallies=_tallies(row, shown, **narrowed),
        within=within,
    )


def _reason(row: Dispatch, one: listings.Setback) -> Reason:
    return Reason(
        CHANNEL_LABELS.get(one.channel, one.channel),
        reason_label(one.reason) or _("no reason given"),
        rules.WORDS[one.state],
        rules.TONES[one.state],
        one.n,
        list_of(row, state=one.state.value, channel=one.channel, reason=one.reason, every="1"),
    )


def _moves(row: Dispatch, went: Mapping[tuple[str, str], int]) -> list[Move]:
    places = {channel: place for place, channel in enumerate(row.channels)}
    found = [
        Move(
            CHANNEL_LABELS.get(origin, origin),
            CHANNEL_LABELS.get(target, target),
            n,
            list_of(row, came_from=origin, channel=target),
            places.get(target, 99) < places.get(origin, 99),
        )
        for (origin, target), n in went.items()
    ]
    return sorted(found, key=lambda move: (move.back, -move.count, move.origin))


SPANS = (
    (Word("over now: the next channel follows"), timedelta(0)),
    (Word("within an hour"), timedelta(hours=1)),
    (Word("within 6 hours"), timedelta(hours=6)),
    (Word("within a day"), timedelta(days=1)),
    (Word("within 3 days"), timedelta(days=3)),
    (Word("within 14 days"), timedelta(days=14)),
    (Word("later"), timedelta(days=3650)),
)


def _ahead(row: Dispatch) -> tuple[list[Ahead], datetime | None]:
    """Who waits for the end of their step, by when it ends; and when the first one does. Nobody does once it was stopped."""
    if row.course == Course.STOPPED:
        return [], None
    edges = [now() + span for _, span in SPANS]
    here = {"incident": g.incident.ref, "dispatch": row.ref}
    first, counts = climbs.ahead(row.id, edges)
    most = max(counts, default=0)
    found = [
        Ahead(words, n, n >= climbs.MOST, 100 * n // max(1, most), url_for("deliveries.waits", span=place, **here))
        for place, ((words, _), n) in enumerate(zip(SPANS, counts, strict=True))
        if n
    ]
    return found, first
