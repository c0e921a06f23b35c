"""Many rows at once, the quick way of each database, in the present transaction.

SQLite gets up to 2,000 rows a statement, never `executemany`: that lets go of the interpreter after every row, so that
beside one busy thread a batch of 5,000 held the write lock for 2.4 s instead of 0.1 s (bench/README.md).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from json import loads
from typing import Any, Final

from sqlalchemy import Connection

from incident.store.db import db

AT_ONCE: Final = 1_000
GATHERED: Final = 4_000
MOST_ROWS: Final = 2_000
MOST_VALUES: Final = 30_000  # of one statement; SQLite takes 32,766, PostgreSQL 65,535
Rows = Sequence[Sequence[Any]]


def insert(table: str, columns: Sequence[str], rows: Rows) -> None:
    """Add rows given as tuples in the order of `columns`. PostgreSQL takes them by COPY, 6 times quicker than by INSERT."""
    if not rows:
        return
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        _run(table, columns, rows, "")
        return
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def added(table: str, columns: Sequence[str], rows: Rows, back: str) -> list[Any]:
    """Add those rows whose key is free; the values of column `back` of those that were added."""
    results = _run(table, columns, rows, f"ON CONFLICT DO NOTHING RETURNING {back}")
    return [value for result in results for (value,) in result.fetchall()]


def add_to(table: str, key: Sequence[str], number: str, rows: Rows) -> None:
    """For each row (its key, then a number) add the number to the row of that key, making it where there is none.

    Each key comes once.
    """
    adding = f"SET {number} = {table}.{number} + excluded.{number}"
    _run(table, (*key, number), rows, f"ON CONFLICT ({', '.join(key)}) DO UPDATE {adding}")


def change(table: str, columns: Sequence[str], rows: Rows) -> None:
    """Give rows their own values each: tuples in the order of `columns`, the first of which is the key."""
    connection, key = db.session.connection(), columns[0]
    if connection.dialect.name == "sqlite":
        sets = ", ".join(f"{name} = v.column{place}" for place, name in enumerate(columns[1:], start=2))
        for part in _parts(rows, len(columns)):
            values = f"(VALUES {_marks(len(columns), len(part))}) AS v"
            text = f"UPDATE {table} SET {sets} FROM {values} WHERE {table}.{key} = v.column1"  # noqa: S608  (names of ours)
            connection.exec_driver_sql(text, tuple(chain.from_iterable(part)))
    elif rows:
        sets = ", ".join(f"{name} = v.{name}" for name in columns[1:])
        arrays = ", ".join(f"%s::{_type(connection, table, name)}[]" for name in columns)
        values = f"unnest({arrays}) AS v ({', '.join(columns)})"
        text = f"UPDATE {table} SET {sets} FROM {values} WHERE {table}.{key} = v.{key}"  # noqa: S608
        connection.exec_driver_sql(text, tuple(list(column) for column in zip(*rows, strict=True)))


def _type(connection: Connection, table: str, column: str) -> str:
    return db.metadata.tables[table].c[column].type.compile(connection.dialect)


def matching_boxes(
    columns: Sequence[str], source: str, fixed: Sequence[Any], values: Sequence[Any], *, box: str
) -> Iterator[Sequence[Any]]:
    """The rows that `gathered` gives for a `source` that ends in `IN`, for the fixed parameters and any number of values."""
    for some in _some(values, GATHERED):
        yield from gathered(columns, f"{source} ({', '.join('?' * len(some))})", (*fixed, *some), box=box)


def _some(values: Sequence[Any], most: int = AT_ONCE) -> Iterator[list[Any]]:
    """The values some at a time, always as many where there are many, so that one statement serves them."""
    for start in range(0, len(values), most):
        some = list(values[start : start + most])
        yield some + some[-1:] * (most - len(some) if len(values) > most else 0)


def matching(statement: str, fixed: Sequence[Any], values: Sequence[Any], ending: str = "") -> Iterator[Any]:
    """The rows of a SELECT that ends in `IN`, for the fixed parameters and any number of values, some at a time.

    `ending` is what follows the values, such as an order, which then holds for each part.
    """
    for some in _some(values):
        yield from fetched(f"{statement} ({', '.join('?' * len(some))}) {ending}", (*fixed, *some))


def fetched(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a SELECT as the driver gives them, with nothing made of them: for thousands at once."""
    result = db.session.connection().exec_driver_sql(_marked(statement), tuple(values))
    rows: Any = result.cursor.fetchall()
    result.close()
    return list(rows)


def gathered(columns: Sequence[str], source: str, values: Sequence[Any], *, box: str = "") -> Sequence[Sequence[Any]]:
    """All rows of a SELECT of these columns from `source`, as the driver gives them; `box` is the one that holds bytes, if any.

    SQLite gives them in one step, as JSON. Row by row the driver lets go of the interpreter after each one, and beside a
    thread that computes it gets it back a thousand times later: 30 µs a row were measured where 1 µs is needed.
    """
    listed = ", ".join(columns)
    if db.engine.dialect.name != "sqlite":
        return fetched(f"SELECT {listed} {source}", values)
    each = ", ".join(f"length({name})" if name == box else name for name in columns)
    boxes = f"group_concat(hex({box}), '')" if box else "''"
    text = f"SELECT json_group_array(json_array({each})), {boxes} FROM (SELECT {listed} {source})"  # noqa: S608  (names of ours)
    [(rows, whole)] = fetched(text, values)
    return _unpacked(loads(rows), columns.index(box), bytes.fromhex(whole or "")) if box else loads(rows)


def _unpacked(rows: list[list[Any]], place: int, whole: bytes) -> list[list[Any]]:
    """The rows with their part of all bytes in the place of its length."""
    start = 0
    for row in rows:
        end = start + row[place]
        row[place], start = whole[start:end], end
    return rows


def execute(statement: str, values: Sequence[Any]) -> None:
    """One plain statement, with `?` for each value."""
    db.session.connection().exec_driver_sql(_marked(statement), tuple(values))


def changed(statement: str, values: Sequence[Any]) -> int:
    """One plain statement as above; how many rows it changed."""
    return int(db.session.connection().exec_driver_sql(_marked(statement), tuple(values)).rowcount)


def instant(now: datetime) -> datetime | str:
    """An instant as this database keeps it."""
    return now if db.engine.dialect.name != "sqlite" else _text(now)


def instants() -> Callable[[datetime | None], datetime | str | None]:
    """The same for thousands of instants, most of which come more than once."""
    if db.engine.dialect.name != "sqlite":
        return lambda now: now
    known: dict[datetime | None, str | None] = {None: None}

    def kept(now: datetime | None) -> str | None:
        if now not in known:
            known[now] = None if now is None else _text(now)
        return known[now]

    return kept


def _text(now: datetime) -> str:
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="microseconds")


def _run(table: str, columns: Sequence[str], rows: Rows, ending: str) -> list[Any]:
    connection = db.session.connection()
    return [
        connection.exec_driver_sql(
            _marked(f"{_insert(table, tuple(columns), len(part))} {ending}"), tuple(chain.from_iterable(part))
        )
        for part in _parts(rows, len(columns))
    ]


def _parts(rows: Rows, width: int) -> Iterator[Rows]:
    """The rows in lists short enough for one statement, nearly all of one length, so that its text is prepared once."""
    most = min(MOST_ROWS, MOST_VALUES // width)
    return (rows[start : start + most] for start in range(0, len(rows), most))


@lru_cache(64)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_marks(len(columns), rows)}"  # noqa: S608  (names of ours, never values)


@lru_cache(64)
def _marks(columns: int, rows: int) -> str:
    """Places for so many rows, as `(?, ?), (?, ?)`."""
    return ", ".join(["(" + ", ".join("?" * columns) + ")"] * rows)


def _marked(statement: str) -> str:
    return statement if db.engine.dialect.name == "sqlite" else statement.replace("?", "%s")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
