"""The measures over many incidents: figures and plots with the table behind each, as CSV too, and one page for a board."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from babel.dates import format_skeleton
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from incident.actions import measures as actions
from incident.domain import measures as rules
from incident.domain.errors import Invalid, Missing
from incident.domain.lawbook import short_name
from incident.domain.measures import Course, Measured, Month, Span, Taken
from incident.domain.scales import LEVELS, Scale
from incident.exports import board, csv, plots
from incident.web.access import actor, now, permit, zone
from incident.web.boards import CHANNEL_LABELS
from incident.web.filters import span
from incident.web.incidents import csv_answer, visible
from incident.web.languages import Word, locale, said, tag
from incident.web.pages import named
from incident.web.reports import company, download

bp = Blueprint("measures", __name__, url_prefix="/measures")

GRAVEST_FIRST: Final = tuple(reversed(LEVELS[Scale.OPERATIONAL]))
PLOTS: Final[Mapping[str, Callable[..., bytes]]] = {
    "months": board.months,
    "spans": board.spans_plot,
    "laws": board.laws_plot,
    "channels": board.channels_plot,
}
PLOT_WORDS: Final[Mapping[str, Word]] = {
    "opened": Word("opened"),
    "closed": Word("closed"),
    "half took at most": Word("half took at most"),
    "nine in ten at most": Word("nine in ten at most"),
    "to detect": Word("to detect"),
    "to decide": Word("to decide"),
    "to contain": Word("to contain"),
    "to report": Word("to report"),
    "to tell people": Word("to tell people"),
    "in time": Word("in time"),
    "late": Word("late"),
    "overdue": Word("overdue"),
    "delivered": Word("delivered"),
    "taken by the provider": Word("taken by the provider"),
    "under way": Word("under way"),
    "in doubt": Word("in doubt"),
    "not reached": Word("not reached"),
}
MONTHS: Final = {"zh_Hans_CN": "yy/M"}
"""How a month is written where there is little room, other than as in English."""
WIDTHS: Final = {"wide": plots.WIDE, "narrow": plots.NARROW}


@bp.get("/")
@permit("measures.view")
@named(Word("Measures"))
def index() -> ResponseReturnValue:
    """All figures of the last months."""
    try:
        of = measured()
    except Invalid as error:
        return render_template("measures/wrong.html", error=error), 422
    return render_template(
        "measures/show.html",
        of=of,
        given=_given(),
        months=rules.MONTHS,
        kinds=(*rules.KINDS, rules.ANYTHING),
        spans=list(Span),
        of_laws=rules.OF_LAWS,
        names={law.law: short_name(law.law) for law in of.laws},
        channels=CHANNEL_LABELS,
        month_words=month_words,
    )


@bp.get("/<plot>.svg")
@permit("measures.view")
def picture(plot: str) -> Response:
    """One plot as a picture, light or dark, for wide or small screens."""
    look, width = request.args.get("look", "light"), request.args.get("width", "wide")
    if plot not in PLOTS or look not in plots.LOOKS or width not in WIDTHS:
        raise Missing()
    spoken = board.Spoken(_plot_word, locale(), MONTHS.get(locale(), "MMM yy"), span)
    drawn = PLOTS[plot](measured(), look=look, width=WIDTHS[width], spoken=spoken)
    return Response(drawn, mimetype="image/svg+xml", headers={"Cache-Control": "private, max-age=60"})


@bp.get("/<table>.csv")
@permit("measures.view")
def table(table: str) -> Response:
    """The table behind a plot."""
    if table not in TABLES:
        raise Missing()
    header, ask, lines = TABLES[table]
    return csv_answer(csv.rows(header, lines(ask())), f"measures-{table}.csv")


@bp.post("/board.pdf")
@permit("report.export")
def one_page() -> Response:
    """One page for a board; its digest goes into the record."""
    made = actions.one_page(measured(), company=company().name, language=tag(), actor=actor(), now=now())
    return download(made)


def measured() -> Measured:
    """The figures that the address asks for, over the incidents that this reader may know of. Raises Invalid."""
    return actions.measured(visible(), rules.asked(request.values), levels=GRAVEST_FIRST, zone=zone(), now=now())


def courses() -> Sequence[Course]:
    """The incidents behind those figures, each as it is measured. Raises Invalid."""
    return actions.courses(visible(), rules.asked(request.values), zone=zone(), now=now())


def _plot_word(word: str) -> str:
    """A word within a plot, as the reader says it."""
    return str(PLOT_WORDS.get(word) or CHANNEL_LABELS.get(word) or said(word))


def month_words(one: Month) -> str:
    """A month as the reader writes it, such as Nov 2026."""
    return format_skeleton("yMMM", rules.first_day(one.year, one.month), locale=locale())


def _given() -> dict[str, str]:
    return {name: request.args[name] for name in ("months", "kind") if name in request.args}


def _spans(found: Sequence[Course]) -> Iterator[tuple[Any, ...]]:
    for course in found:
        lengths = (course.took(span) for span in Span)
        seconds = ("" if length is None else round(length.total_seconds()) for length in lengths)
        yield course.ref, course.level, course.opened_at, course.closed_at, *seconds


def _months(of: Measured) -> Iterator[tuple[Any, ...]]:
    yield from ((f"{one.year}-{one.month:02}", one.opened, one.closed) for one in of.months)


def _laws(of: Measured) -> Iterator[tuple[Any, ...]]:
    for one in of.laws:
        share, spans = "" if one.share is None else f"{one.share:.4f}", (one.spans.get(span) for span in rules.OF_LAWS)
        figures = (figure for span in spans for figure in _of_law(span))
        yield one.law, one.in_time, one.late, one.overdue, share, _seconds(one.middle), *figures


def _of_law(span: Taken | None) -> tuple[Any, ...]:
    """Half took at most, counted, and not; empty where the law has no such span."""
    return ("", "", "") if span is None else (_seconds(span.middle), span.counted, span.unknown)


def _seconds(gap: timedelta | None) -> int | str:
    return "" if gap is None else round(gap.total_seconds())


def _channels(of: Measured) -> Iterator[tuple[Any, ...]]:
    yield from ((o.channel, o.people, o.reached, o.taken, o.under_way, o.unsure, o.missed) for o in of.channels)


def _lessons(of: Measured) -> Iterator[tuple[Any, ...]]:
    one = of.learnt
    yield one.proposed, one.adopted, one.declined, one.waiting, _seconds(one.middle)


TABLES: Final[Mapping[str, tuple[tuple[str, ...], Callable[[], Any], Callable[[Any], Iterator[tuple[Any, ...]]]]]] = {
    "spans": (
        ("incident", "operational level", "opened (UTC)", "closed (UTC)", *(f"seconds to {span}" for span in Span)),
        courses,
        _spans,
    ),
    "months": (("month", "opened", "closed"), measured, _months),
    "laws": (
        (
            *("law", "in time", "late", "overdue", "share in time", "median seconds from the clock's start"),
            *(f"{said} to {span}" for span in rules.OF_LAWS for said in ("median seconds", "counted", "not known")),
        ),
        measured,
        _laws,
    ),
    "lessons": (("proposed", "adopted", "declined", "waiting", "median seconds to adoption"), measured, _lessons),
    "channels": (
        ("channel", "people", "delivered", "taken by the provider", "under way", "in doubt", "not reached"),
        measured,
        _channels,
    ),
}
