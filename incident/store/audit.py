"""The record as rows that are only added, by one writer at a time, and the checkpoints over it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.audit import Frontier, Line, encoded, leaf_hash
from incident.store.db import BigInt, Model, db


class RecordTrouble(Exception):
    """The record is not as this program left it; the message says what was found. Nothing more is written."""


class AuditLine(Model):
    """One line. Its hashed bytes are put together from these columns (domain/audit.encoded)."""

    __tablename__ = "audit_line"
    __table_args__ = (
        Index("ix_audit_line_incident_seq", "incident", "seq"),
        Index("ix_audit_line_actor_seq", "actor", "seq"),
        Index("ix_audit_line_verb_seq", "verb", "seq"),
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


class Checkpoint(Model):
    """A signed statement of size and root, with the hashes needed to go on from there."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(27))
    root: Mapped[bytes] = mapped_column(LargeBinary)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)


lines: Table = AuditLine.__table__  # type: ignore[assignment]
head: Table = AuditHead.__table__  # type: ignore[assignment]

_HEAD = select(head.c.log, head.c.size, head.c.frontier).where(head.c.id == 1).with_for_update()
_ADD = insert(lines)
_MOVE = update(head).where(head.c.id == 1)


def append(added: Sequence[Line]) -> list[int]:
    """Put lines at the end of the record inside the caller's write transaction; their places.

    Takes the writer's lock: SQLite has it since BEGIN IMMEDIATE, PostgreSQL locks the head row until the commit.
    Raises RecordTrouble where the head is missing or does not fit.
    """
    connection = db.session.connection()
    found = connection.execute(_HEAD).one_or_none()
    if found is None:
        raise RecordTrouble("The record has no head: the database was not made by Tocsin, or somebody removed it.")
    log, size, packed = found
    frontier = Frontier.unpacked(size, packed)
    rows = [_row(log, seq, line, frontier) for seq, line in enumerate(added, size)]
    if rows:
        connection.execute(_ADD, rows)
        connection.execute(_MOVE, {"size": frontier.size, "frontier": frontier.packed()})
    return [row["seq"] for row in rows]


def _row(log: str, seq: int, line: Line, frontier: Frontier) -> dict[str, Any]:
    leaf = leaf_hash(encoded(log, seq, line))
    frontier.add(leaf)
    return {"seq": seq, "leaf": leaf, **line._asdict()}


def identity() -> str:
    """The record's identity: 32 random hexadecimal digits, drawn when its first table was made."""
    return db.session.scalars(select(AuditHead.log)).one()


def timeline(
    incident: str, *, before_seq: int | None = None, limit: int = 50, prefixes: Sequence[str] = ()
) -> Sequence[AuditLine]:
    """The newest lines about one incident, newest first, older than `before_seq`; only verbs with one of `prefixes`."""
    query = select(AuditLine).where(AuditLine.incident == incident)
    if before_seq is not None:
        query = query.where(AuditLine.seq < before_seq)
    if prefixes:
        query = query.where(or_(*(AuditLine.verb.startswith(prefix, autoescape=True) for prefix in prefixes)))
    return db.session.scalars(query.order_by(AuditLine.seq.desc()).limit(limit)).all()


# Guards -------------------------------------------------------------------------------------------------------------

APPEND_ONLY = {
    "audit_line": "seq",
    "checkpoint": "size",
    "custody": "id",
    "fact": "id",
    "grade": "id",
    "note": "id",
    "provider_event": "id",
}
"""Tables whose rows are added and never changed or taken away, each with the column that numbers its rows."""

_SQLITE_REFUSE = """CREATE TRIGGER IF NOT EXISTS {table}_no_{name} BEFORE {name} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: rows are added, never changed or removed'); END"""

_SQLITE_NEXT = """CREATE TRIGGER IF NOT EXISTS audit_line_follows BEFORE INSERT ON audit_line
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM audit_line)
BEGIN SELECT RAISE(ABORT, 'audit_line grows at its end, one line after the other'); END"""

_SQLITE_HEAD = (
    """CREATE TRIGGER IF NOT EXISTS audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the record keeps its head'); END""",
    """CREATE TRIGGER IF NOT EXISTS audit_head_grows BEFORE UPDATE ON audit_head
WHEN NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size
BEGIN SELECT RAISE(ABORT, 'the record keeps its identity and only grows'); END""",
    "INSERT OR IGNORE INTO audit_head (id, log, size, frontier) VALUES (1, lower(hex(randomblob(16))), 0, x'')",
)

_POSTGRESQL_FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION tocsin_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: rows are added, never changed or removed', TG_TABLE_NAME; END $$""",
    """CREATE OR REPLACE FUNCTION tocsin_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'the record keeps its head'; END IF;
  IF NEW.id <> OLD.id OR NEW.log <> OLD.log OR NEW.size < OLD.size THEN
    RAISE EXCEPTION 'the record keeps its identity and only grows';
  END IF;
  RETURN NEW;
END $$""",
)

_POSTGRESQL_REFUSE = """CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {event} ON {table}
FOR EACH {each} EXECUTE FUNCTION {function}()"""

_POSTGRESQL_HEAD = """INSERT INTO audit_head (id, log, size, frontier)
VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0, ''::bytea) ON CONFLICT DO NOTHING"""


def guards(dialect: str, tables: Collection[str]) -> tuple[str, ...]:
    """The statements that guard those of `tables` which are append-only, and give the record its head; repeatable."""
    guarded = [(table, key) for table, key in APPEND_ONLY.items() if table in tables]
    rows = _guard_sqlite(guarded) if dialect == "sqlite" else _guard_postgresql(guarded)
    if "audit_head" not in tables:
        return tuple(rows)
    if dialect == "sqlite":
        return (*rows, *_SQLITE_HEAD)
    return (*rows, *_on_postgresql("audit_head", "tocsin_head_grows"), _POSTGRESQL_HEAD)


def _guard_sqlite(guarded: Iterable[tuple[str, str]]) -> Iterator[str]:
    for table, key in guarded:
        taken = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
        for name, when in (("update", ""), ("delete", ""), ("insert", taken)):
            if (table, name) == ("audit_line", "insert"):
                yield _SQLITE_NEXT
            else:
                yield _SQLITE_REFUSE.format(table=table, name=name, when=when)


def _guard_postgresql(guarded: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from _POSTGRESQL_FUNCTIONS
    for table, _ in guarded:
        yield from _on_postgresql(table, "tocsin_append_only")


def _on_postgresql(table: str, function: str) -> Iterator[str]:
    for name, what, each in (("no_change", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
        yield _POSTGRESQL_REFUSE.format(table=table, name=name, event=what, each=each, function=function)


TRIGGERS: dict[str, tuple[str, ...]] = {
    dialect: guards(dialect, {*APPEND_ONLY, "audit_head"}) for dialect in ("sqlite", "postgresql")
}
"""What the first migration does after its tables: the guards of all append-only tables, and the record's head."""


@event.listens_for(Model.metadata, "after_create")
def _guard(_target: object, connection: Connection, *, tables: Iterable[Table], **_: object) -> None:
    for statement in guards(connection.dialect.name, {table.name for table in tables}):
        connection.execute(text(statement))
