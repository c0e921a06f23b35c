"""Findings as they stood: what each duty said, by which wording of the law, and what people decided about it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.obligations import keyed
from incident.store import bulk, reading
from incident.store.db import BigInt, Model, UTCDateTime, db, new_refs
from incident.store.reading import once

ACTIVE = ("owed", "advised")
UNSETTLED = ("proposed", "accepted")
CURRENT = text("superseded_at IS NULL")
RUNNING = text(
    "superseded_at IS NULL AND standing = 'owed' AND state IN ('proposed', 'accepted') AND due_at IS NOT NULL"
)
LIVE = text(
    "superseded_at IS NULL AND coalesce(standing, '') IN ('owed', 'advised')"
    " AND coalesce(state, '') IN ('proposed', 'accepted')"
)
"""What somebody still has to act on: written as in the index of these rows, and so that SQLite sees no other index in it."""
AT_ONCE = 500
TOLD = (
    "incident_id",
    "law",
    "duty",
    "wave",
    "law_digest",
    "title",
    "to",
    "standing",
    "was",
    "clock",
    "clock_words",
    "start",
    "anchor",
    "state",
)
LISTS = ("because", "wants", "doubts")
TIMES = ("due_at", "was_due_at", "made_at")
NOTHING_COUNTED = {"owed": 0, "open": 0, "advised": 0, "not_owed": 0, "met": 0, "waived": 0, "proposed": 0}
MADE_AT = TIMES.index("made_at")
UNDECIDED = {"decided_by": "", "reference": "", "note": "", "since_then": "{}"}
_told, _lists, _times = itemgetter(*TOLD), itemgetter(*LISTS), itemgetter(*TIMES)
COLUMNS = tuple('"to"' if name == "to" else name for name in ("ref", *TOLD, *LISTS, *TIMES, *UNDECIDED))


class FindingRow(Model):
    """What one duty says for one incident. A changed answer is a new row; the old one is kept, superseded.

    `due_at`, `start` and `anchor` of a finding that was met stay as they were then; `since_then` holds what the facts
    would say today, where that differs.
    """

    __tablename__ = "finding"
    __table_args__ = (
        Index(
            "uq_finding_current",
            "incident_id",
            "duty",
            "wave",
            unique=True,
            sqlite_where=CURRENT,
            postgresql_where=CURRENT,
        ),
        Index("ix_finding_standing_due", "standing", "state", "due_at", "id"),
        Index("ix_finding_incident", "incident_id", "id"),
        Index("ix_finding_remind", "remind_at", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index("ix_finding_live_due", "due_at", "id", "incident_id", sqlite_where=LIVE, postgresql_where=LIVE),
        Index("ix_finding_live_incident", "incident_id", "due_at", "id", sqlite_where=LIVE, postgresql_where=LIVE),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    law: Mapped[str] = mapped_column(String(40))
    duty: Mapped[str] = mapped_column(String(100))
    wave: Mapped[str] = mapped_column(String(20), default="", server_default="")
    law_digest: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    to: Mapped[str] = mapped_column(String(30))
    standing: Mapped[str] = mapped_column(String(10))
    was: Mapped[str] = mapped_column(String(10), default="not_owed")
    was_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    because: Mapped[list[str]] = mapped_column(JSON, default=list)
    wants: Mapped[list[str]] = mapped_column(JSON, default=list)
    doubts: Mapped[list[str]] = mapped_column(JSON, default=list)
    clock: Mapped[str] = mapped_column(String(14))
    clock_words: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    start: Mapped[str] = mapped_column(String(40), default="")
    anchor: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    remind_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    state: Mapped[str] = mapped_column(String(10), default="proposed")
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str] = mapped_column(String(20), default="")
    first_decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    met_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    late_seconds: Mapped[int | None] = mapped_column(BigInt)
    reference: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    since_then: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    @property
    def key(self) -> str:
        """The duty, with the wave of people found later where the finding is theirs."""
        return keyed(self.duty, self.wave)


class Assessment(Model):
    """When an incident's duties were last worked out, by which library, and what came out: one row an incident."""

    __tablename__ = "assessment"

    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True)
    library: Mapped[str] = mapped_column(String(64), index=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)


@once
def current(incident_id: int) -> dict[str, FindingRow]:
    """The finding that stands for each duty, by the duty's reference, with its wave where it has one."""
    query = select(FindingRow).where(FindingRow.incident_id == incident_id, FindingRow.superseded_at.is_(None))
    return {row.key: row for row in db.session.scalars(query)}


@once
def telling(incident_id: int) -> Sequence[FindingRow]:
    """The findings that say something to do or done: all that stand but those not owed and not settled."""
    query = select(FindingRow).where(
        FindingRow.incident_id == incident_id,
        FindingRow.superseded_at.is_(None),
        or_(FindingRow.standing != "not_owed", FindingRow.state.not_in(UNSETTLED)),
    )
    return db.session.scalars(query).all()


def dues(incident_id: int) -> dict[str, datetime | None]:
    """When each duty is due, by the duty's reference; two columns of what may be hundreds of rows."""
    query = select(FindingRow.duty, FindingRow.due_at).where(
        FindingRow.incident_id == incident_id, FindingRow.superseded_at.is_(None), FindingRow.wave == ""
    )
    return {duty: due_at for duty, due_at in db.session.execute(query)}


def by_ref(incident_id: int, ref: str) -> FindingRow | None:
    """One finding of this incident, also a superseded one."""
    return db.session.scalar(select(FindingRow).where(FindingRow.incident_id == incident_id, FindingRow.ref == ref))


def history(incident_id: int, duty: str, wave: str = "") -> Sequence[FindingRow]:
    """Every answer that a duty has given in this incident, or for one wave of it, newest first."""
    query = select(FindingRow).where(
        FindingRow.incident_id == incident_id, FindingRow.duty == duty, FindingRow.wave == wave
    )
    return db.session.scalars(query.order_by(FindingRow.id.desc())).all()


def done(incident_id: int) -> dict[str, datetime]:
    """When duties were met, by the duty's reference, with its wave where it has one."""
    query = select(FindingRow.duty, FindingRow.wave, FindingRow.met_at).where(
        FindingRow.incident_id == incident_id, FindingRow.superseded_at.is_(None), FindingRow.state == "met"
    )
    return {keyed(duty, wave): met_at for duty, wave, met_at in db.session.execute(query) if met_at}


def add(rows: Sequence[Mapping[str, Any]]) -> None:
    """Add findings that nobody has decided on yet, many at a time, each with a reference of its own."""
    at = bulk.instants()
    made = [
        (
            ref,
            *_told(row),
            *[_json(tuple(words)) for words in _lists(row)],
            *[at(moment) for moment in _times(row)],
            *UNDECIDED.values(),
        )
        for ref, row in zip(new_refs("D", len(rows)), rows, strict=True)
    ]
    bulk.insert("finding", COLUMNS, made)


Spelt: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
"""What a row holds between the incident and the time it was made, and after that time."""


def spelt(rows: Sequence[Mapping[str, Any]]) -> list[Spelt]:
    """Findings as this database keeps them, but for their references, their incident and the time: for many incidents alike."""
    at, nowhere = bulk.instants(), {"incident_id": None, "made_at": None}
    return [
        (
            (
                *_told(row)[1:],
                *[_json(tuple(words)) for words in _lists(row)],
                *[at(moment) for moment in _times(row)[:MADE_AT]],
            ),
            tuple(UNDECIDED.values()),
        )
        for row in ({**row, **nowhere} for row in rows)
    ]


def add_spelt(incident_id: int, rows: Sequence[Spelt], now: datetime) -> None:
    """Add these to an incident, each with a reference of its own."""
    at = bulk.instant(now)
    refs = new_refs("D", len(rows))
    bulk.insert(
        "finding",
        COLUMNS,
        [(ref, incident_id, *told, at, *undecided) for ref, (told, undecided) in zip(refs, rows, strict=True)],
    )


@lru_cache(4_096)
def _json(words: tuple[str, ...]) -> str:
    """As the columns keep lists; most findings say the same few things."""
    return json.dumps(words)


def supersede(ids: Iterable[int], now: datetime) -> None:
    """Put findings aside, kept as they stood."""
    held = list(ids)
    for first in range(0, len(held), AT_ONCE):
        chosen = FindingRow.id.in_(held[first : first + AT_ONCE])
        db.session.execute(update(FindingRow).where(chosen).values(superseded_at=now))


@once
def assessment(incident_id: int) -> Assessment | None:
    """When and by what the incident was last assessed, with its counts."""
    return db.session.get(Assessment, incident_id)


def known(incident_id: int, row: Assessment | None) -> None:
    """Take the assessment of this incident as it was read with it, so that the page asks for it no second time."""
    reading.keep(assessment, row, incident_id)


def counted(incident_id: int) -> dict[str, int]:
    """How many findings stand: by standing for those not settled, and how many are met or waived."""
    query = (
        select(FindingRow.standing, FindingRow.state, func.count())
        .where(FindingRow.incident_id == incident_id, FindingRow.superseded_at.is_(None))
        .group_by(FindingRow.standing, FindingRow.state)
    )
    counts = dict(NOTHING_COUNTED)
    for standing, state, number in db.session.execute(query):
        counts[standing if state in UNSETTLED else state] += number
        if state == "proposed" and standing in ACTIVE:
            counts["proposed"] += number
    return counts


def pending(incident_id: int) -> Sequence[FindingRow]:
    """What stands in the way of closing: duties that are open, or owed and neither met nor waived; owed ones first, soonest first."""
    query = select(FindingRow).where(
        FindingRow.incident_id == incident_id,
        FindingRow.superseded_at.is_(None),
        FindingRow.standing.in_(("owed", "open")),
        FindingRow.state.in_(UNSETTLED),
    )
    return db.session.scalars(
        query.order_by(FindingRow.standing.desc(), FindingRow.due_at.is_(None), FindingRow.due_at, FindingRow.id)
    ).all()


def unsettled(incidents: Select[Any], standings: Iterable[str] = ACTIVE) -> Select[FindingRow]:
    """Findings over several incidents (a query of their ids) that somebody still has to act on."""
    query = select(FindingRow).where(belongs_to(incidents))
    if tuple(standings) == ACTIVE:
        return query.where(LIVE)
    return query.where(
        FindingRow.superseded_at.is_(None),
        FindingRow.standing.in_(tuple(standings)),
        FindingRow.state.in_(UNSETTLED),
    )


def belongs_to(incidents: Select[Any]) -> ColumnElement[bool]:
    """Whether a finding belongs to one of these incidents (a query of their ids), asked for each finding in its turn.

    As a list of ids it would have SQLite gather the findings of all of them before it looks at the first due time.
    """
    own = next(iter(incidents.selected_columns))
    return incidents.where(own == FindingRow.incident_id).correlate(FindingRow).exists()


def soonest(
    query: Select[FindingRow], *, after: tuple[datetime | None, int] | None, limit: int
) -> Sequence[FindingRow]:
    """A page by due time, those without one last; `after` is the due time and id of the last row shown."""
    if after is None:
        return _soonest_of_all(query, limit)
    due, last = after
    found: list[FindingRow] = []
    if due is not None:
        later = or_(FindingRow.due_at > due, FindingRow.id > last)
        dated = query.where(FindingRow.due_at >= due, later)
        found += db.session.scalars(dated.order_by(FindingRow.due_at, FindingRow.id).limit(limit)).all()
        last = 0
    if len(found) < limit:
        undated = query.where(FindingRow.due_at.is_(None), FindingRow.id > last)
        found += db.session.scalars(undated.order_by(FindingRow.id).limit(limit - len(found))).all()
    return found


def _soonest_of_all(query: Select[FindingRow], limit: int) -> Sequence[FindingRow]:
    """The first page in one query: those with a due time and those without one are each walked in their own order."""
    ids = query.with_only_columns(FindingRow.id)
    dated = ids.where(FindingRow.due_at.is_not(None)).order_by(FindingRow.due_at, FindingRow.id).limit(limit)
    undated = ids.where(FindingRow.due_at.is_(None)).order_by(FindingRow.id).limit(limit)
    either = union_all(select(dated.subquery()), select(undated.subquery()))
    found = select(FindingRow).where(FindingRow.id.in_(select(either.subquery().c.id)))
    in_order = found.order_by(FindingRow.due_at.is_(None), FindingRow.due_at, FindingRow.id)
    return db.session.scalars(in_order.limit(limit)).all()


Window: TypeAlias = tuple[datetime | None, datetime | None] | None
"""Due times from one moment up to another, open where there is none; None is for what has no due time."""


def within(query: Select[Any], window: Window) -> Select[Any]:
    """Those of these findings whose due time lies in this window."""
    if window is None:
        return query.where(FindingRow.due_at.is_(None))
    start, end = window
    query = query.where(FindingRow.due_at.is_not(None) if start is None else FindingRow.due_at >= start)
    return query if end is None else query.where(FindingRow.due_at < end)


def first_of_each(query: Select[FindingRow], windows: Mapping[str, tuple[Window, int]]) -> dict[str, list[FindingRow]]:
    """The soonest so many of each window, by its name, in one query; each window is walked in its own order."""
    ids = query.with_only_columns(FindingRow.id)
    parts = []
    for name, (window, most) in windows.items():
        few = within(ids, window).order_by(FindingRow.due_at, FindingRow.id).limit(most).subquery()
        parts.append(select(literal(name).label("name"), few.c.id))
    either = union_all(*parts).subquery()
    found: dict[str, list[FindingRow]] = {name: [] for name in windows}
    rows = select(either.c.name, FindingRow).join(FindingRow, FindingRow.id == either.c.id)
    for name, row in db.session.execute(rows.order_by(FindingRow.due_at.is_(None), FindingRow.due_at, FindingRow.id)):
        found[name].append(row)
    return found


def count_of_each(query: Select[FindingRow], windows: Mapping[str, Window], *, most: int) -> dict[str, int]:
    """How many findings each window has, by its name; `most` are counted in one and no more."""
    ids = query.with_only_columns(FindingRow.id)
    counts = [
        select(func.count()).select_from(within(ids, window).limit(most).subquery()).scalar_subquery().label(name)
        for name, window in windows.items()
    ]
    return {name: int(count) for name, count in db.session.execute(select(*counts)).one()._mapping.items()}
