"""Thousands of people, or of their marks, given as one value: nothing is bound row by row. How they stand in it: `store/packing.py`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from incident.domain.people import Plain
from incident.store import bulk
from incident.store.db import db
from incident.store.packing import DIGITS, MARK, MARK_WIDTH, PERSON_WIDTH, People

KINDS_AT_ONCE: Final = 200


def insert(people: People, *, incident_id: int, import_id: int, wave: int, state: str) -> None:
    """Add these people, in their order."""
    if not people.entries:
        return
    given: dict[str, Any] = {"entries": people.entries, "boxes": people.boxes}
    given |= {"last": _last(people.entries, PERSON_WIDTH), "incident": incident_id, "import": import_id}
    given |= {"wave": wave, "state": state}
    if db.engine.dialect.name == "sqlite":
        _lay_out(people.kinds)
        _execute(_insert("sqlite"), given)
        return
    for number, kind in enumerate(people.kinds):
        given |= {f"k{number}_{column}": value for column, value in enumerate(kind)}
    _execute(_with_kinds(len(people.kinds)) + _insert("postgresql"), given)


def _lay_out(kinds: Sequence[Sequence[Any]]) -> None:
    """SQLite builds no index over values in a statement; 1,000 kinds would take 100 us a person."""
    names = ("kind_no", *Plain._fields)
    bulk.execute(f"CREATE TEMP TABLE IF NOT EXISTS kind (kind_no INTEGER PRIMARY KEY, {', '.join(Plain._fields)})", ())
    bulk.execute("DELETE FROM kind", ())
    for part in range(0, len(kinds), KINDS_AT_ONCE):
        some = [(number, *kind) for number, kind in enumerate(kinds[part : part + KINDS_AT_ONCE], start=part)]
        row = f"({', '.join('?' * len(names))})"
        values = [value for kind in some for value in kind]
        bulk.execute(f"INSERT INTO kind ({', '.join(names)}) VALUES {', '.join([row] * len(some))}", values)  # noqa: S608


@lru_cache(32)
def _with_kinds(kinds: int) -> str:
    columns = range(len(Plain._fields))
    known = (f"({kind}, {', '.join(f'%(k{kind}_{column})s' for column in columns)})" for kind in range(kinds))
    return f"WITH kind (kind_no, {', '.join(Plain._fields)}) AS (VALUES {', '.join(known)}) "


@lru_cache(2)
def _insert(dialect: str) -> str:
    """CROSS JOIN keeps SQLite from turning the order round."""
    kind, number, row_no, start, length = (_number(dialect, "entries", place * DIGITS) for place in range(5))
    whole = _bytes(dialect, "entries", f"at + {5 * DIGITS}", str(MARK))
    box = _bytes(dialect, "boxes", f"{start} + 1", length)
    fixed = ", ".join(_named(dialect, name) for name in ("incident", "import", "wave", "state"))
    plain = ", ".join(Plain._fields)
    join, end = ("CROSS JOIN", "") if dialect == "sqlite" else ("JOIN", " ORDER BY at")
    return (
        f"INSERT INTO person (incident_id, import_id, wave, state, number, row_no, whole, sealed, version, {plain})"  # noqa: S608
        f" SELECT {fixed}, {number}, {row_no}, {whole}, {box}, 1, {plain}"
        f" FROM {_places(dialect, PERSON_WIDTH)} AS place {join} kind ON kind_no = {kind}{end}"
    )


def hold(incident_id: int, entries: bytes) -> list[tuple[bytes, int, int]]:
    """Note who holds which marks, given in the order of marks and numbers; where a mark has a holder already: the mark, the
    later number, the holder's.

    SQLite calls us for these alone; to ask for them afterwards takes as long as a third of the insertion.
    """
    if not entries:
        return []
    given = {"entries": entries, "last": _last(entries, MARK_WIDTH), "incident": incident_id}
    if db.engine.dialect.name == "sqlite":
        return _held_on_sqlite(given)
    insert_, clashes = _hold_on_postgresql()
    if _execute(insert_, given) * MARK_WIDTH == len(entries):
        return []
    found = db.session.connection().exec_driver_sql(clashes, given)
    return sorted((bytes(mark), number, holder) for mark, number, holder in found)


def _held_on_sqlite(given: dict[str, Any]) -> list[tuple[bytes, int, int]]:
    met: list[tuple[bytes, int, int]] = []
    driver: Any = db.session.connection().connection.driver_connection
    driver.create_function("tocsin_met", 3, lambda *one: met.append(one))
    try:
        _execute(_hold_on_sqlite(), given)
    finally:
        driver.create_function("tocsin_met", 3, None)
    return [one for one in met if one[1] != one[2]]


@lru_cache(1)
def _hold_on_sqlite() -> str:
    return (
        "INSERT INTO person_mark (incident_id, mark, number)"  # noqa: S608
        f" SELECT :incident, {_bytes('sqlite', 'entries', 'at', str(MARK))}, {_number('sqlite', 'entries', MARK)}"
        f" FROM {_places('sqlite', MARK_WIDTH)} WHERE true ON CONFLICT (incident_id, mark) DO UPDATE SET number = person_mark.number"
        " WHERE tocsin_met(person_mark.mark, excluded.number, person_mark.number)"
    )


@lru_cache(1)
def _hold_on_postgresql() -> tuple[str, str]:
    """The insertion, and the question who was there before."""
    mark, number = _bytes("postgresql", "entries", "at", str(MARK)), _number("postgresql", "entries", MARK)
    places = f"{_places('postgresql', MARK_WIDTH)} AS place"
    return (
        "INSERT INTO person_mark (incident_id, mark, number)"  # noqa: S608
        f" SELECT %(incident)s, {mark}, {number} FROM {places} ORDER BY at ON CONFLICT DO NOTHING",
        f"WITH mine AS MATERIALIZED (SELECT {mark} AS mark, {number} AS number FROM {places})"  # noqa: S608
        " SELECT mine.mark, mine.number, held.number FROM mine JOIN person_mark AS held"
        " ON held.incident_id = %(incident)s AND held.mark = mine.mark WHERE held.number <> mine.number",
    )


def _execute(statement: str, given: dict[str, Any]) -> int:
    return int(db.session.connection().exec_driver_sql(statement, given).rowcount)


def _last(entries: bytes, width: int) -> int:
    return len(entries) - width + 1


def _places(dialect: str, width: int) -> str:
    """Where each entry begins, from 1, as the column `at`."""
    if dialect == "sqlite":
        steps = f"SELECT 1 UNION ALL SELECT at + {width} FROM place WHERE at < :last"  # noqa: S608
        return f"(WITH RECURSIVE place (at) AS ({steps}) SELECT at FROM place)"  # noqa: S608
    return f"(SELECT generate_series(1, %(last)s, {width}) AS at)"


def _named(dialect: str, name: str) -> str:
    return f":{name}" if dialect == "sqlite" else f"%({name})s"


def _bytes(dialect: str, of: str, start: str, length: str) -> str:
    if dialect == "sqlite":
        return f"substr(:{of}, {start}, {length})"
    return f"substring(%({of})s::bytea FROM {start} FOR {length})"


def _number(dialect: str, of: str, offset: int) -> str:
    digits = _bytes(dialect, of, f"at + {offset}", str(DIGITS))
    return f"CAST({digits} AS INTEGER)" if dialect == "sqlite" else f"convert_from({digits}, 'SQL_ASCII')::int"
