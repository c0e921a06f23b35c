"""The record as rows that are only added, by one writer at a time; and reading them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Index,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    event,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.audit import Frontier, Line, leaf_hashes
from incident.domain.errors import Refused
from incident.store.db import BigInt, Model, db
from incident.store.guards import TRIGGERS, guards
from incident.store.reading import once

__all__ = [
    "TRIGGERS",
    "AuditHead",
    "AuditLine",
    "RecordTrouble",
    "append",
    "head",
    "identity",
    "rows",
    "search",
    "timeline",
]

COPY_FROM = 200  # lines; from here on PostgreSQL's COPY is the quicker way in


class RecordTrouble(Refused):
    """The record is not as this program left it; the sentence says what was found. Nothing more is written."""


class AuditLine(Model):
    """One line. Its hashed bytes are put together from these columns (domain/audit.encoded)."""

    __tablename__ = "audit_line"
    __table_args__ = (
        Index("ix_audit_line_incident_seq", "incident", "seq"),
        Index("ix_audit_line_actor_seq", "actor", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(27))
    actor: Mapped[str] = mapped_column(String(128))
    verb: Mapped[str] = mapped_column(String(128))
    subject: Mapped[str] = mapped_column(String(128))
    incident: Mapped[str | None] = mapped_column(String(128))
    details: Mapped[str] = mapped_column(Text)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(Model):
    """The one row that knows the record's identity, its size and the hashes needed to add to its tree."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    log: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


@event.listens_for(Model.metadata, "after_create")
def _guard(_target: object, connection: Connection, *, tables: Iterable[Table], **_: object) -> None:
    for statement in guards(connection.dialect.name, {table.name for table in tables}):
        connection.execute(text(statement))


# Writing. The statements are plain, for this runs inside every action; a thousand lines cost about a hundredth of a second.

_COLUMNS = "seq, actor, at, verb, subject, incident, details, leaf"
_HEAD = "SELECT log, size, frontier FROM audit_head WHERE id = 1"
_ADD = f"INSERT INTO audit_line ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_MOVE = "UPDATE audit_head SET size = ?, frontier = ? WHERE id = 1 AND log = ? AND size = ? AND frontier = ?"

Row = tuple[int, str, str, str, str, str | None, str, bytes]
"""Place, the fields of a line in their order, leaf hash."""


class Head(NamedTuple):
    """The record's identity, its size and the packed hashes needed to add to its tree."""

    log: str
    size: int
    packed: bytes


class Left(NamedTuple):
    """The head as this process left it, and whether it was found so the next time: then nobody else writes."""

    head: Head
    alone: bool


_LEFT: WeakKeyDictionary[Engine, Left] = WeakKeyDictionary()
"""What is tried first. It moves the head only where the head still stands so to the byte; else the head is read."""


def append(added: Sequence[Line]) -> list[int]:
    """Put lines at the end of the record inside the caller's write transaction; their places.

    Takes the writer's lock: SQLite has it since BEGIN IMMEDIATE, PostgreSQL locks the head row until the commit.
    Raises RecordTrouble where the head is missing or does not fit.
    """
    if not added:
        return []
    connection = db.session.connection()
    left = _LEFT.get(db.engine)
    rows = _moved(connection, left.head, added, alone=True) if left and left.alone else None
    if rows is None:
        stands = _locked_head(connection)
        rows = _moved(connection, stands, added, alone=left is None or left.head == stands)
    if rows is None:
        raise RecordTrouble("The record's head changed while it was held: somebody moves it past this program.")
    _insert(connection, rows)
    return [row[0] for row in rows]


def _moved(connection: Connection, stands: Head, added: Sequence[Line], *, alone: bool) -> list[Row] | None:
    """Move the head past these lines if it stands so, which holds it until the commit; the lines as rows, None where it does not."""
    log, size, packed = stands
    frontier = Frontier.unpacked(size, packed)
    placed = [(seq, *line, None) for seq, line in enumerate(added, size)]
    leaves = leaf_hashes(log, placed)
    frontier.extend(leaves)
    moved = Head(log, frontier.size, frontier.packed())
    changed = connection.exec_driver_sql(_spelt(connection, _MOVE), (moved.size, moved.packed, *stands))
    if changed.rowcount != 1:
        return None
    _LEFT[db.engine] = Left(moved, alone)
    return [(*row[:7], leaf) for row, leaf in zip(placed, leaves, strict=True)]


def next_place() -> int:
    """Where the next line will stand, inside the caller's write transaction: nobody else adds one before its end."""
    return _locked_head(db.session.connection()).size


def _locked_head(connection: Connection) -> Head:
    lock = " FOR UPDATE" if connection.dialect.name == "postgresql" else ""
    found = connection.exec_driver_sql(_HEAD + lock).fetchone()
    if found is None:
        raise RecordTrouble("The record has no head: the database was not made by Tocsin, or somebody removed it.")
    return Head(found[0], found[1], bytes(found[2]))


def _insert(connection: Connection, rows: list[Row]) -> None:
    if connection.dialect.name == "postgresql" and len(rows) >= COPY_FROM:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY audit_line ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        connection.exec_driver_sql(_spelt(connection, _ADD), rows)


def _spelt(connection: Connection, statement: str) -> str:
    return statement.replace("?", "%s") if connection.dialect.name == "postgresql" else statement


# Reading ------------------------------------------------------------------------------------------------------------


@once
def head() -> AuditHead:
    """Identity and size as they are now. Raises RecordTrouble where there is none."""
    found = db.session.scalar(select(AuditHead).where(AuditHead.id == 1).execution_options(populate_existing=True))
    if found is None:
        raise RecordTrouble("The record has no head: the database was not made by Tocsin, or somebody removed it.")
    return found


def identity() -> str:
    """The record's name for itself, made with the database: 32 hex digits."""
    return head().log


def timeline(
    incident: str, *, before_seq: int | None = None, limit: int = 50, prefixes: Collection[str] = ()
) -> Sequence[AuditLine]:
    """The newest lines about an incident, newest first; only verbs that start so, if any `prefixes` are given."""
    asked = select(AuditLine).where(AuditLine.incident == incident)
    if prefixes:
        asked = asked.where(or_(*(AuditLine.verb.startswith(prefix, autoescape=True) for prefix in prefixes)))
    return _page(asked, before_seq, limit)


def search(
    *,
    incident: str | None = None,
    actor: str = "",
    verb: str = "",
    since: str = "",
    until: str = "",
    before_seq: int | None = None,
    limit: int = 50,
) -> Sequence[AuditLine]:
    """Lines newest first that fit all that is asked. `verb` may end in a dot for all of a noun; times as in lines."""
    asked = select(AuditLine)
    if incident is not None:
        asked = asked.where(AuditLine.incident == incident)
    if actor:
        asked = asked.where(AuditLine.actor == actor)
    if verb:
        asked = asked.where(
            AuditLine.verb.startswith(verb, autoescape=True) if verb.endswith(".") else AuditLine.verb == verb
        )
    if since:
        asked = asked.where(AuditLine.at >= since)
    if until:
        asked = asked.where(AuditLine.at < until)
    return _page(asked, before_seq, limit)


def numbered(incident: str, numbers: Collection[int]) -> Sequence[AuditLine]:
    """The lines about an incident with these numbers, oldest first."""
    asked = select(AuditLine).where(AuditLine.incident == incident, AuditLine.seq.in_(list(numbers)))
    return db.session.scalars(asked.order_by(AuditLine.seq)).all() if numbers else ()


def after(place: int, *, limit: int) -> Sequence[tuple[int, bytes, str, str | None]]:
    """Lines from this place on, oldest first: place, leaf hash, verb, and which incident they are about, if any."""
    line = AuditLine
    query = select(line.seq, line.leaf, line.verb, line.incident).where(line.seq >= place).order_by(line.seq)
    return [(seq, bytes(leaf), verb, incident) for seq, leaf, verb, incident in db.session.execute(query.limit(limit))]


def extent(incident: str) -> tuple[int, int, int]:
    """The first and the last line about an incident, and how many there are; (0, 0, 0) where there is none."""
    asked = select(func.min(AuditLine.seq), func.max(AuditLine.seq), func.count()).where(AuditLine.incident == incident)
    first, newest, count = db.session.execute(asked).one()
    return (first, newest, count) if count else (0, 0, 0)


def last(verb: str, actor: str = "cli") -> AuditLine | None:
    """The newest line with this verb by this actor; read by the index of actors."""
    found = search(actor=actor, verb=verb, limit=1)
    return found[0] if found else None


def _page(asked: Select[AuditLine], before_seq: int | None, limit: int) -> Sequence[AuditLine]:
    if before_seq is not None:
        asked = asked.where(AuditLine.seq < before_seq)
    return db.session.scalars(asked.order_by(AuditLine.seq.desc()).limit(limit)).all()


def pages(start: int, stop: int, at_once: int = 5_000) -> Iterator[Sequence[Row]]:
    """All rows from place `start` up to before `stop`, in order, some at a time.

    They come from the driver as they are: to make rows of another kind of a million lines takes half a second.
    """
    connection = db.session.connection()
    where = f"FROM audit_line WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT {at_once:d}"
    asked = _spelt(connection, f"SELECT {_COLUMNS} {where}")
    with closing(connection.connection.cursor()) as cursor:
        while start < stop:
            cursor.execute(asked, (start, stop))
            page: Any = cursor.fetchall()
            if not page:
                return
            yield page
            start = page[-1][0] + 1


def rows(start: int, stop: int, at_once: int = 5_000) -> Iterator[Row]:
    """The same, one by one."""
    for page in pages(start, stop, at_once):
        yield from page
