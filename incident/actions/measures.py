"""What is measured over many incidents, gathered at once; and the one page of it for a board."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Select

from incident.actions.ledger import transaction
from incident.domain import measures as rules
from incident.domain.measures import Asked, Course, Measured, Span, Taken
from incident.exports import board
from incident.exports.files import File
from incident.store import measures as rows
from incident.store.courses import held
from incident.store.db import db

LASTS: Final = timedelta(minutes=1)
MOST_KNOWN: Final = 32
_KNOWN: WeakKeyDictionary[Engine, dict[Any, Measured]] = WeakKeyDictionary()


def measured(seen: Select[Any], wish: Asked, *, levels: Sequence[str], zone: ZoneInfo, now: datetime) -> Measured:
    """The figures over the incidents of `seen`, a query as `incidents.visible` makes it. Months are those of `zone`;
    `levels` gravest first.

    While nothing is added to the record they are those of a moment ago, at most a minute old: a page has four plots of them.
    """
    known, asked = _KNOWN.setdefault(db.engine, {}), (wish, zone.key, tuple(levels), rows.mark(seen))
    last = known.get(asked)
    if last is None or not now - LASTS < last.at <= now:
        if len(known) >= MOST_KNOWN:
            known.clear()
        last = known[asked] = _measured(seen, wish, levels=levels, zone=zone, now=now)
    return last


def courses(seen: Select[Any], wish: Asked, *, zone: ZoneInfo, now: datetime) -> Sequence[Course]:
    """Each incident of `seen` as it is measured, newest first."""
    since = wish.since(now, zone)
    return [one.course for one in held(rows.ids(seen, wish.kinds, since)) if one.course.opened_at >= since]


def _measured(seen: Select[Any], wish: Asked, *, levels: Sequence[str], zone: ZoneInfo, now: datetime) -> Measured:
    since = wish.since(now, zone)
    of = rows.ids(seen, wish.kinds, since)
    every = held(of)
    found = [one.course for one in every if one.course.opened_at >= since]
    by_level = rules.by_level(found, levels)
    closed = [at for one in every if (at := one.course.closed_at) and at >= since]
    done = [duty for one in every for at, duty in one.met if at >= since]
    local = rules.months_to(now.astimezone(zone), wish.months)
    return Measured(
        wish,
        now,
        zone,
        len(found),
        _spans(found),
        {level: _spans(some) for level, some in by_level.items()},
        rules.by_month(_in((one.opened_at for one in found), zone), _in(closed, zone), local),
        rules.kept(done, rows.overdue(of, now), rules.under_laws(found)),
        rules.carried(rows.carried(of, since)),
        rules.learnt(rows.lessons(seen, wish.kinds, since), since),
    )


def _spans(found: Sequence[Course]) -> dict[Span, Taken]:
    return {span: rules.taken(found, span) for span in Span}


def _in(moments: Iterable[datetime], zone: ZoneInfo) -> list[datetime]:
    return [moment.astimezone(zone) for moment in moments]


def one_page(of: Measured, *, company: str, language: str = "en", actor: str, now: datetime) -> File:
    """The page for a board as PDF in a language of the interface, its digest in the record."""
    with transaction(actor, now) as ledger:
        made = File(f"measures-{now:%Y-%m-%d}", "pdf", board.pdf(of, company, language))
        ledger.write(
            "measures.exported",
            "measures",
            kind="pdf",
            months=of.asked.months,
            sha256=made.sha256,
            size=len(made.content),
        )
    return made
