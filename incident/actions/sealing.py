"""Seal what earlier versions kept in clear: at the first start of a version that seals it, once, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, select, text, update

from incident.actions.ledger import transaction
from incident.store import traces, words
from incident.store.db import db
from incident.store.guards import APPEND_ONLY, SETTLED, guards
from incident.store.sealed import Erased
from incident.store.words import KEPT, OWNER_BYTES, Kept

AT_ONCE: Final = 500


def seal_what_is_plain(*, now: datetime) -> int:
    """Seal the words that stand in clear, and leave one line; how many rows that were. Words of erased incidents are dropped.

    The guards of tables that are only added to are lifted for it inside the transaction, and stand again before its end.
    """
    plain = {name: rows for name in sorted(KEPT) if (rows := _plain(name))}
    db.session.rollback()
    if not plain:
        return 0
    with transaction("system", now) as ledger:
        for name, rows in plain.items():
            _lift(name)
            for row in rows:
                _seal(KEPT[name], db.metadata.tables[name], row)
            _guard(name)
        words.forget_keys()
        total = sum(len(rows) for rows in plain.values())
        ledger.write("words.sealed", "instance", rows=total, tables={name: len(rows) for name, rows in plain.items()})
    traces.take_out()
    return total


def _plain(name: str) -> Sequence[Mapping[str, Any]]:
    kept, table = KEPT[name], db.metadata.tables[name]
    query = select(table).where(table.c.sealed.is_(None)).order_by(table.c.id)
    found = db.session.execute(query.execution_options(yield_per=AT_ONCE)).mappings()
    return [row for row in map(dict, found) if kept.words_of(row)]


def _seal(kept: Kept, table: Table, row: Mapping[str, Any]) -> None:
    owner, found = _owner(kept, row), kept.words_of(row)
    try:
        box = kept.box(owner, row, found)
    except Erased:
        box = owner.to_bytes(OWNER_BYTES, "big")
    blank = {name: words.blank(value) for name, value in found.items()}
    db.session.execute(update(table).where(table.c.id == row["id"]).values(sealed=box, **blank))


def _owner(kept: Kept, row: Mapping[str, Any]) -> int:
    if kept.parent is None:
        return int(row["incident_id"])
    column, above = kept.parent
    table = db.metadata.tables[above]
    return int(db.session.execute(select(table.c.incident_id).where(table.c.id == row[column])).scalar_one())


def _lift(name: str) -> None:
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text(f'ALTER TABLE "{name}" DISABLE TRIGGER USER'))
        return
    for trigger in (f"{name}_no_update",) if name in APPEND_ONLY else (f"{name}_stays_on_update",):
        db.session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))


def _guard(name: str) -> None:
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text(f'ALTER TABLE "{name}" ENABLE TRIGGER USER'))
        return
    for statement in guards("sqlite", {name}) if name in APPEND_ONLY or name in SETTLED else ():
        db.session.execute(text(statement))
