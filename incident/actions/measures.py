"""What is measured over many incidents, gathered at once; and the one page of it for a board."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select

from incident.actions.ledger import transaction
from incident.domain import measures as rules
from incident.domain.measures import Asked, Course, Measured, Span, Taken
from incident.exports import board
from incident.exports.files import File
from incident.store import measures as rows


def measured(seen: Select[Any], wish: Asked, *, levels: Sequence[str], zone: ZoneInfo, now: datetime) -> Measured:
    """The figures over the incidents of `seen`, a query. Months are those of `zone`; `levels` gravest first."""
    since = wish.since(now, zone)
    of = rows.ids(seen, wish.kinds, since)
    courses = rows.courses(of, since)
    by_level = rules.by_level(courses, levels)
    opened, closed = rows.opened_and_closed(of, since)
    local = rules.months_to(now.astimezone(zone), wish.months)
    return Measured(
        wish,
        now,
        zone,
        courses,
        _spans(courses),
        {level: _spans(held) for level, held in by_level.items()},
        rules.by_month(_in(opened, zone), _in(closed, zone), local),
        rules.kept(rows.done(of, since), rows.overdue(of, now)),
        rules.carried(rows.carried(of, since)),
        rules.learnt(rows.lessons(seen, wish.kinds, since), since),
    )


def _spans(courses: Sequence[Course]) -> dict[Span, Taken]:
    return {span: rules.taken(courses, span) for span in Span}


def _in(moments: Iterable[datetime], zone: ZoneInfo) -> list[datetime]:
    return [moment.astimezone(zone) for moment in moments]


def one_page(of: Measured, *, company: str, actor: str, now: datetime) -> File:
    """The page for a board as PDF, its digest in the record."""
    with transaction(actor, now) as ledger:
        made = File(f"measures-{now:%Y-%m-%d}", "pdf", board.pdf(of, company))
        ledger.write(
            "measures.exported",
            "measures",
            kind="pdf",
            months=of.asked.months,
            sha256=made.sha256,
            size=len(made.content),
        )
    return made
