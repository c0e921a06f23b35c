"""A drill on one line of time: what came in, what was expected by when, what people did. An SVG picture without script."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from html import escape
from itertools import pairwise
from typing import Final, TypeVar

from incident.domain.after_action import AfterAction
from incident.domain.drills import Verdict, span_words
from incident.domain.speech import Say, english, retold
from incident.exports.plots import FACE, LOOKS, NARROW, WIDE, Look

Thing = TypeVar("Thing")

LEFT: Final = {WIDE: 96, NARROW: 12}
RIGHT: Final = 16
TOP: Final = 34
LANE: Final = 46
APART: Final = 11
STEPS: Final = (10, 30, 60, 120, 240, 360, 720, 1440, 2880, 5760)
MOST_TICKS: Final = {WIDE: 9, NARROW: 5}
LANES: Final = 3
"""What came in, what was expected, what was done."""
TONES: Final = {
    Verdict.MET: "met",
    Verdict.LATE: "soon",
    Verdict.MISSED: "late",
    Verdict.OVERDUE: "late",
    Verdict.WAITING: "idle",
}


def drawn(of: AfterAction, *, look: str = "light", width: int = WIDE, say: Say = english) -> bytes:
    """The picture, light or dark, for a wide or a narrow screen."""
    ink, end = LOOKS[look], _end(of)
    height = TOP + LANE * LANES + (14 * LANES if width == NARROW else 0) + 12
    shapes = [*_frame(ink, end, width, height, say), *_came_in(of, ink, end, width, say)]
    shapes += [*_expected(of, ink, end, width, say), *_done(of, ink, end, width, say)]
    span = span_words(timedelta(minutes=end), say)
    said = say("What came in, what was expected and what was done in {span} of the drill", span=span)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="{escape(FACE)}" '
        f'font-size="12" role="img"><title>{escape(said)}</title>{"".join(shapes)}</svg>'
    ).encode()


def _end(of: AfterAction) -> int:
    """The last minute that is shown: that of the drill, or of what was still expected."""
    dues = [one.due for one in of.judged if one.due is not None and one.verdict is not Verdict.WAITING]
    return max([of.minutes, 10, *dues])


def _x(minute: float, end: int, width: int) -> float:
    return round(LEFT[width] + max(0, min(minute, end)) / end * (width - LEFT[width] - RIGHT), 1)


def _y(lane: int, width: int) -> int:
    return TOP + lane * (LANE + (14 if width == NARROW else 0)) + LANE // 2 + (14 if width == NARROW else 0)


def _frame(ink: Look, end: int, width: int, height: int, say: Say) -> Iterator[str]:
    step = next((step for step in STEPS if end / step <= MOST_TICKS[width]), STEPS[-1] * (end // 50_000 + 1))
    for minute in range(0, end + 1, step):
        x = _x(minute, end, width)
        yield f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 8}" stroke="{ink.line}"/>'
        anchor = "end" if x > width - 40 else "start" if x < LEFT[width] + 10 else "middle"
        yield _text(x, TOP - 14, span_words(timedelta(minutes=minute), say), ink.quiet, anchor)
    for lane, word in enumerate((say("came in"), say("expected"), say("done"))):
        y = _y(lane, width)
        yield f'<line x1="{LEFT[width]}" x2="{width - RIGHT}" y1="{y}" y2="{y}" stroke="{ink.line}"/>'
        yield _text(0, y + 4, word, ink.ink) if width == WIDE else _text(LEFT[width], y - 22, word, ink.ink)


def _came_in(of: AfterAction, ink: Look, end: int, width: int, say: Say) -> Iterator[str]:
    """A square where it came in; hollow where it wanted an answer and got none."""
    found = [one for one in of.thrown if one.arrived is not None]
    missing = f" – {escape(say('unanswered'))}"
    for one, (x, y) in _placed([(one, one.arrived or 0) for one in found], 0, end, width):
        open_ = one.wants_answer and one.answered is None
        fill = "none" if open_ else ink.tones["accent"]
        yield (
            f'<rect x="{x - 5}" y="{y - 5}" width="10" height="10" fill="{fill}" stroke="{ink.tones["accent"]}" '
            f'stroke-width="2"><title>{escape(retold(say, one.title))}{missing if open_ else ""}</title></rect>'
        )


def _expected(of: AfterAction, ink: Look, end: int, width: int, say: Say) -> Iterator[str]:
    """A mark where it was due; a line from there to where it was done, if that was later. Shapes tell verdicts apart."""
    for one, (x, y) in _placed([(one, one.due or 0) for one in of.judged], 1, end, width):
        tone = ink.tones[TONES[one.verdict]]
        title = f"<title>{escape(retold(say, one.expected.title))}: {escape(retold(say, one.verdict))}</title>"
        if one.verdict is Verdict.LATE and one.done is not None:
            yield f'<line x1="{x}" x2="{_x(one.done, end, width)}" y1="{y}" y2="{y}" stroke="{tone}" stroke-width="2"/>'
        if one.verdict in {Verdict.MISSED, Verdict.OVERDUE}:
            yield f'<path d="M{x - 5} {y - 5}l10 10m0 -10l-10 10" stroke="{tone}" stroke-width="2.5">{title}</path>'
        elif one.verdict is Verdict.LATE:
            yield f'<path d="M{x} {y - 6}l6 11h-12z" fill="{tone}">{title}</path>'
        else:
            fill = tone if one.verdict is Verdict.MET else "none"
            yield f'<circle cx="{x}" cy="{y}" r="5" fill="{fill}" stroke="{tone}" stroke-width="2">{title}</circle>'


def _done(of: AfterAction, ink: Look, end: int, width: int, say: Say) -> Iterator[str]:
    y = _y(2, width)
    for one in of.done:
        x = _x(one.minute, end, width)
        yield (
            f'<line x1="{x}" x2="{x}" y1="{y - 7}" y2="{y + 7}" stroke="{ink.ink}" stroke-width="2">'
            f"<title>{escape(retold(say, one.words))}</title></line>"
        )


def _placed(
    found: Sequence[tuple[Thing, int]], lane: int, end: int, width: int
) -> Iterable[tuple[Thing, tuple[float, int]]]:
    """Things at their places; those that would cover each other stand on steps."""
    ordered = sorted(found, key=lambda pair: pair[1])
    xs = [_x(minute, end, width) for _, minute in ordered]
    steps = [0]
    for left, right in pairwise(xs):
        steps.append((steps[-1] + 1) % 3 if right - left < APART else 0)
    return [
        (one, (x, _y(lane, width) + (0, -12, 12)[step])) for (one, _), x, step in zip(ordered, xs, steps, strict=False)
    ]


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
