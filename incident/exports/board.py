"""The measures as one page for a board: five figures, four plots, the times of each law, and what they leave out.

Same input, same bytes.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_date, format_datetime, format_skeleton

from incident import parts
from incident.domain import measures as rules
from incident.domain.lawbook import short_name
from incident.domain.measures import Measured, Span, Taken
from incident.domain.speech import Say, english, retold
from incident.exports import pdf as layouts
from incident.exports import plots
from incident.exports.catalogue import FORMATS, speaker
from incident.exports.glyphs import printable
from incident.exports.plots import Series

if TYPE_CHECKING:
    import typst
else:
    typst = parts.later("typst")

LAYOUT: Final = layouts.TEMPLATES / "exports" / "board.typ"
NOTHING: Final = "Nothing to show in this time yet."
MOST_LAWS: Final = 7
"""So many fit on the page."""
MOST_TIMED: Final = 6
"""So many have their row in the table below the plots."""
SPAN_WORDS: Final = {
    Span.DETECT: "to detect",
    Span.DECIDE: "to decide",
    Span.CONTAIN: "to contain",
    Span.REPORT: "to report",
    Span.TELL: "to tell people",
}
MADE: Final = {"en": "d MMMM y, HH:mm zzzz", "zh-Hans": "y年M月d日 HH:mm zzzz"}
"""How each language of the interface writes the moment at which the page was made."""
SHORT_MONTHS: Final = {"en": "MMM yy", "zh-Hans": "yy/M"}
"""How it writes a month where there is little room."""


def pdf(of: Measured, company: str, language: str = "en") -> bytes:
    """The page as PDF/A-3a and PDF/UA-1, in a language of the interface."""
    say = speaker(language)
    plotted = _plots(of, _spoken(language, say), say)
    between = _months(of, FORMATS[language], say)
    made = format_datetime(of.at.astimezone(of.zone), MADE[language], locale=FORMATS[language])
    said = {
        "lang": FORMATS[language][:2],
        "title": say("Incidents and how they were handled"),
        "subtitle": f"{company} · {between}" if company else between,
        "author": company or "Tocsin",
        "figures": _figures(of, say),
        "plots": [{"title": title, "says": says, "file": name if svg else ""} for name, title, says, svg in plotted],
        "timed": _timed(of, say),
        "closing": f"{_left_out(of, say)} {say('Made {when}.', when=made)}",
    }
    drawn = {name: svg.decode() for name, _, _, svg in plotted}
    compiled = typst.compile(
        LAYOUT.read_bytes(),
        format="pdf",
        font_paths=layouts.fonts(),
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(_printable(said), ensure_ascii=False), **drawn},
        pdf_standards=layouts.STANDARDS,
        timestamp=of.at.astimezone(UTC).replace(microsecond=0),
    )
    assert isinstance(compiled, bytes)
    return compiled


def _spoken(language: str, say: Say) -> "Spoken":
    def word(text: str) -> str:
        return retold(say, text)

    def long(gap: timedelta) -> str:
        return length(gap, say)

    return Spoken(word, FORMATS[language], SHORT_MONTHS[language], long)


def _months(of: Measured, locale: str, say: Say) -> str:
    ends = (of.months[0], of.months[-1])
    first, last = (format_skeleton("yMMMM", rules.first_day(one.year, one.month), locale=locale) for one in ends)
    return str(say("{first} to {last}", first=first, last=last))


def _figures(of: Measured, say: Say) -> list[list[str]]:
    """Five figures with what each counts."""
    opened, closed = sum(one.opened for one in of.months), sum(one.closed for one in of.months)
    people = sum(one.people for one in of.channels)
    got = sum(one.reached + one.taken for one in of.channels)
    kept = of.kept
    share = "–" if kept.share is None else f"{kept.share:.0%}"
    told = of.spans[Span.TELL].middle
    return [
        [f"{opened:,}", say("incidents opened")],
        [f"{closed:,}", say("closed")],
        [share, say("of {amount} duties in time", amount=f"{kept.judged:,}")],
        ["–" if told is None else length(told, say), say("half were told within")],
        [f"{got / people:.1%}" if people else "–", say("of {amount} people reached", amount=f"{people:,}")],
    ]


def _plots(of: Measured, spoken: "Spoken", say: Say) -> list[tuple[str, str, str, bytes]]:
    """Name, title, what it says in words, and the picture of each plot; no picture where there is nothing to draw."""
    small = replace(of, laws=[one for one in of.laws if one.judged][:MOST_LAWS])
    told = {span: one.middle for span, one in of.spans.items() if one.middle is not None}
    spans = "; ".join(f"{retold(say, SPAN_WORDS[span])} {length(middle, say)}" for span, middle in told.items())
    laws = "; ".join(
        f"{retold(say, short_name(one.law))}: "
        + say("{kept} in time, {late} late, {overdue} overdue", kept=one.in_time, late=one.late, overdue=one.overdue)
        for one in small.laws
    )
    channels = "; ".join(
        f"{retold(say, one.channel)}: "
        + say("{people} people, {missed} not reached", people=f"{one.people:,}", missed=f"{one.missed:,}")
        for one in of.channels
    )
    by_month, nothing = say("Incidents opened and closed in each month."), say(NOTHING)
    narrow: Any = {"width": plots.NARROW, "spoken": spoken}
    return [
        ("months", say("Opened and closed by month"), by_month, months(of, **narrow)),
        ("spans", say("How long it took"), spans or nothing, spans_plot(of, **narrow) if told else b""),
        ("laws", say("Duties kept, by law"), laws or nothing, laws_plot(small, **narrow) if laws else b""),
        ("channels", say("People by channel"), channels or nothing, channels_plot(of, **narrow) if channels else b""),
    ]


def _timed(of: Measured, say: Say) -> dict[str, Any]:
    """How long the laws with cases took, those with most to judge first; without rows where there is none."""
    laws = [one for one in of.laws if any(took.counted for took in one.spans.values())]
    more = len(laws) - MOST_TIMED
    says = say("Half took at most so long from awareness, with how many of the incidents that is known of.")
    rest = say("Laws that have no room here: {amount}.", amount=f"{more:,}")
    return {
        "title": say("How long it took, by law"),
        "says": f"{says} {rest}" if more > 0 else says,
        "head": [say("Law"), *(retold(say, SPAN_WORDS[span]) for span in rules.OF_LAWS)],
        "rows": [
            [retold(say, short_name(one.law)), *(_took(one.spans.get(span), say) for span in rules.OF_LAWS)]
            for one in laws[:MOST_TIMED]
        ],
    }


def _took(one: Taken | None, say: Say) -> str:
    """A cell of that table: how long, and of how many; a dash where the law has no such span here."""
    if one is None:
        return "–"
    of_all = say("{counted} of {amount}", counted=f"{one.counted:,}", amount=f"{one.counted + one.unknown:,}")
    return f"{'–' if one.middle is None else length(one.middle, say)} ({of_all})"


def length(gap: timedelta, say: Say = english) -> str:
    """A length of time in one unit that says enough, such as `45 min`, `6.5 h`, `12 d`."""
    hours = gap.total_seconds() / 3600
    if hours < 1:
        return str(say("{minutes} min", minutes=max(1, round(hours * 60))))
    if hours < 100:
        return str(say("{hours} h", hours=f"{hours:.1f}".removesuffix(".0")))
    return str(say("{days} d", days=f"{hours / 24:,.0f}"))


@dataclass(frozen=True)
class Spoken:
    """In whose words a plot is drawn: each of ours in their language, their months and lengths of time."""

    say: Callable[[str], str] = str
    locale: str = "en_GB"
    month: str = "MMM yy"
    length: Callable[[timedelta], str] = length


ENGLISH: Final = Spoken()


def months(of: Measured, *, look: str = "light", width: int = plots.WIDE, spoken: Spoken = ENGLISH) -> bytes:
    """Incidents opened and closed by month."""
    labels = [
        format_date(rules.first_day(one.year, one.month), spoken.month, locale=spoken.locale) for one in of.months
    ]
    opened = Series(spoken.say("opened"), "accent", [one.opened for one in of.months])
    closed = Series(spoken.say("closed"), "idle", [one.closed for one in of.months])
    return plots.columns(labels, [opened, closed], look=look, width=width)


def spans_plot(of: Measured, *, look: str = "light", width: int = plots.WIDE, spoken: Spoken = ENGLISH) -> bytes:
    """How long each span took: half of the incidents, and nine in ten; without those of which nothing is known."""
    known = [span for span in Span if of.spans[span].counted]
    middle = Series(spoken.say("half took at most"), "accent", [_seconds(of.spans[span].middle) for span in known])
    most = Series(spoken.say("nine in ten at most"), "idle", [_seconds(of.spans[span].most) for span in known])
    shown = lambda seconds: spoken.length(timedelta(seconds=seconds))  # noqa: E731
    names = [spoken.say(SPAN_WORDS[span]) for span in known]
    return plots.lengths(names, [middle, most], look=look, width=width, shown=shown)


def laws_plot(of: Measured, *, look: str = "light", width: int = plots.WIDE, spoken: Spoken = ENGLISH) -> bytes:
    """Duties in time, late and overdue by law: those with most to judge."""
    laws = [one for one in of.laws if one.judged][: rules.MOST_LAWS]
    series = [
        Series(spoken.say("in time"), "met", [one.in_time for one in laws]),
        Series(spoken.say("late"), "soon", [one.late for one in laws]),
        Series(spoken.say("overdue"), "late", [one.overdue for one in laws]),
    ]
    return plots.stacks([spoken.say(short_name(one.law)) for one in laws], series, look=look, width=width)


def channels_plot(of: Measured, *, look: str = "light", width: int = plots.WIDE, spoken: Spoken = ENGLISH) -> bytes:
    """People by what became of their last message, by channel."""
    held: Sequence[Any] = of.channels
    series = [
        Series(spoken.say("delivered"), "met", [one.reached for one in held]),
        Series(spoken.say("taken by the provider"), "accent", [one.taken for one in held]),
        Series(spoken.say("under way"), "idle", [one.under_way for one in held]),
        Series(spoken.say("in doubt"), "open", [one.unsure for one in held]),
        Series(spoken.say("not reached"), "late", [one.missed for one in held]),
    ]
    return plots.stacks([spoken.say(one.channel) for one in held], series, look=look, width=width)


def _seconds(gap: timedelta | None) -> float | None:
    return None if gap is None else gap.total_seconds()


def _left_out(of: Measured, say: Say) -> str:
    drills = say("Drills are left out, and what the one who made this page may not see.")
    missing = ", ".join(
        f"{retold(say, SPAN_WORDS[span])} {one.unknown:,}" for span, one in of.spans.items() if one.unknown
    )
    if not missing:
        return str(drills)
    unknown = say(
        "Not counted for want of a known moment, of {amount} incidents: {missing}.",
        amount=f"{of.incidents:,}", missing=missing,
    )  # fmt: skip
    return f"{drills} {unknown}"


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, marks=True)
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value]
