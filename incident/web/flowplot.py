"""The ladder as a picture: a bar for each channel, cut by how people stand, and bands from those who went on to the next.

Everything is drawn here, as numbers; the template only writes them down. Once for a wide screen, once for a narrow one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from incident.domain.deliveries import TONES, WORDS, State
from incident.domain.flows import Stream
from incident.web.languages import _

TOP, BAR, GAP, LABEL = 4, 26, 40, 20
LEAST = 3
"""So wide is whatever is not nothing: a few people among a million must be seen."""
LETTER = 7.8
"""About how wide a digit of a caption is."""
ORDER = (
    State.CONFIRMED, State.DELIVERED, State.ACCEPTED, State.SIMULATED, State.SENDING, State.WAITING,
    State.IN_DOUBT, State.BOUNCED, State.FAILED, State.UNREACHED, State.CANCELLED,
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One part of a bar: who stands so, or who went on."""

    x: int
    y: int
    width: int
    tone: str
    words: str
    figure: str
    href: str


@dataclass(frozen=True)
class Band:
    """People on their way from one bar to another."""

    path: str
    words: str
    href: str


@dataclass(frozen=True)
class Caption:
    """The name of a bar, over it."""

    x: int
    y: int
    anchor: str
    words: str
    figure: str


@dataclass(frozen=True)
class Plot:
    """All that the template draws, in its own units."""

    width: int
    height: int
    captions: Sequence[Caption]
    parts: Sequence[Part]
    bands: Sequence[Band]


class Links(Protocol):
    """Where the numbers lead: what the page gives the picture."""

    def stands(self, channel: str, state: State) -> str:
        """The list of those who stand so by this channel."""

    def moved(self, origin: str, target: str) -> str:
        """The list of those who went from one channel to another."""


@dataclass(frozen=True)
class _Bar:
    stream: Stream
    x: int
    y: int
    stands: Mapping[State, int]
    """How wide each state is, in the order in which they are drawn."""
    exits: Mapping[str, tuple[int, int]]
    entries: Mapping[str, tuple[int, int]]


def drawn(streams: Sequence[Stream], names: Mapping[str, str], links: Links, width: int) -> Plot | None:
    """The picture; None where nobody stands anywhere yet."""
    held = [stream for stream in streams if stream.people]
    if not held:
        return None
    bars = _bars(held, width)
    return Plot(
        width=width,
        height=TOP + len(bars) * (LABEL + BAR + GAP) - GAP + 4,
        captions=[_caption(bar, names, width) for bar in bars],
        parts=[part for bar in bars for part in _parts(bar, names, links)],
        bands=[band for bar in bars for band in _bands(bar, bars, names, links)],
    )


def _bars(streams: Sequence[Stream], width: int) -> list[_Bar]:
    pieces = max(len(stream.stands) + len(stream.went) for stream in streams)
    scale = (width - LEAST * pieces) / max(stream.people for stream in streams)
    placed: dict[str, _Bar] = {}
    for row, stream in enumerate(streams):
        stands = {state: _wide(stream.stands[state], scale) for state in ORDER if state in stream.stands}
        long = sum(stands.values()) + sum(_wide(n, scale) for n in stream.went.values())
        entries = _entries(stream, long)
        x = _place(stream, entries, placed, width - long)
        y = TOP + LABEL + row * (LABEL + BAR + GAP)
        exits = _exits(stream, x + sum(stands.values()), scale)
        placed[stream.channel] = _Bar(stream, x, y, stands, exits, entries)
    return list(placed.values())


def _wide(count: int, scale: float) -> int:
    return max(LEAST, round(count * scale)) if count else 0


def _entries(stream: Stream, long: int) -> dict[str, tuple[int, int]]:
    """From where on its upper edge, counted from the bar's left, those come in who came from each other channel."""
    found, reached = {}, stream.began
    for origin, n in stream.came.items():
        begin, end = (round(long * part / stream.people) for part in (reached, reached + n))
        found[origin] = (begin, max(begin + 1, end))
        reached += n
    return found


def _place(stream: Stream, entries: Mapping[str, tuple[int, int]], placed: Mapping[str, _Bar], most: int) -> int:
    """Under the channel from which most came, so that their band runs straight down."""
    above = [origin for origin in stream.came if origin in placed]
    if not above:
        return 0
    origin = max(above, key=lambda word: stream.came[word])
    return max(0, min(most, placed[origin].exits[stream.channel][0] - entries[origin][0]))


def _exits(stream: Stream, reached: int, scale: float) -> dict[str, tuple[int, int]]:
    found = {}
    for target, n in stream.went.items():
        found[target] = (reached, reached + _wide(n, scale))
        reached = found[target][1]
    return found


def _caption(bar: _Bar, names: Mapping[str, str], width: int) -> Caption:
    name, figure = names.get(bar.stream.channel, bar.stream.channel), f"{bar.stream.people:,}"
    fits = bar.x + (len(name) + len(figure) + 3) * LETTER < width
    return Caption(bar.x if fits else width, bar.y - 6, "start" if fits else "end", name, figure)


def _parts(bar: _Bar, names: Mapping[str, str], links: Links) -> list[Part]:
    channel, found, reached = bar.stream.channel, [], bar.x
    for state, wide in bar.stands.items():
        n = bar.stream.stands[state]
        words = f"{names.get(channel, channel)}: {n:,} {WORDS[state]}"
        found.append(Part(reached, bar.y, wide, _tone(state), words, _figure(n, wide), links.stands(channel, state)))
        reached += wide
    for target, (begin, end) in bar.exits.items():
        n = bar.stream.went[target]
        words = _(
            "%(n)s went on from %(channel)s to %(target)s",
            n=format(n, ","),
            channel=names.get(channel, channel),
            target=names.get(target, target),
        )
        found.append(
            Part(begin, bar.y, end - begin, "moved", words, _figure(n, end - begin), links.moved(channel, target))
        )
    return found


def _tone(state: State) -> str:
    """Whoever is being sent to is under way like those who wait: nothing is known of them yet."""
    return "idle" if state is State.SENDING else TONES[state] or "idle"


def _figure(count: int, wide: int) -> str:
    words = f"{count:,}"
    return words if len(words) * LETTER + 8 <= wide else ""


def _bands(bar: _Bar, bars: Sequence[_Bar], names: Mapping[str, str], links: Links) -> list[Band]:
    under = {other.stream.channel: other for other in bars if other.y > bar.y}
    return [
        _band(bar, under[target], begin, end, names, links)
        for target, (begin, end) in bar.exits.items()
        if target in under
    ]


def _band(bar: _Bar, other: _Bar, begin: int, end: int, names: Mapping[str, str], links: Links) -> Band:
    origin, target = bar.stream.channel, other.stream.channel
    left, right = (other.x + edge for edge in other.entries[origin])
    top, bottom = bar.y + BAR, other.y
    middle = (top + bottom) // 2
    path = (
        f"M{begin} {top}C{begin} {middle} {left} {middle} {left} {bottom}H{right}"
        f"C{right} {middle} {end} {middle} {end} {top}Z"
    )
    words = _(
        "%(went)s from %(origin)s to %(target)s",
        went=format(bar.stream.went[target], ","),
        origin=names.get(origin, origin),
        target=names.get(target, target),
    )
    return Band(path, words, links.moved(origin, target))
