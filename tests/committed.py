"""What was committed while somebody looked: the tables of each transaction, and whether a line of the record was among them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from incident.store.db import db

CHANGE = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)\"?", re.IGNORECASE)
LINE = "audit_line"
OWN_BOOKS = {
    "api_token": "when a token was last used",
    "call_item": "who holds a call just now",
    "counter": "numbers given away, each of them for something that has its line",
    "data_key": "the key of an incident, made before the first value is sealed",
    "delivery_claim": "who holds a batch; its line comes with what is done to it",
    "feed": "when a calendar was last read",
    "idempotent_request": "answers to requests that may be repeated",
    "lease": "who holds the clock",
    "throttle": "tries, counted before anything is looked at",
    "user_session": "when a session was last seen",
}
"""Tables that a transaction may change without a line, each with what is kept there."""


@contextmanager
def watched() -> Iterator[list[frozenset[str]]]:
    """The tables changed by each transaction that commits, in order."""
    seen: list[frozenset[str]] = []
    under_way: dict[int, set[str]] = {}

    def executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if cursor.rowcount != 0 and (found := CHANGE.findall(statement)):
            under_way.setdefault(id(connection.connection.dbapi_connection), set()).update(map(str.lower, found))

    def committed(connection: Any) -> None:
        tables = under_way.pop(id(connection.connection.dbapi_connection), set())
        if tables:
            seen.append(frozenset(tables))

    def rolled_back(connection: Any) -> None:
        under_way.pop(id(connection.connection.dbapi_connection), None)

    told = (("after_cursor_execute", executed), ("commit", committed), ("rollback", rolled_back))
    for name, act in told:
        event.listen(db.engine, name, act)
    try:
        yield seen
    finally:
        for name, act in told:
            event.remove(db.engine, name, act)


def without_a_line(transactions: list[frozenset[str]]) -> list[list[str]]:
    """The transactions that changed something that needs a line, and left none."""
    return [
        sorted(tables - set(OWN_BOOKS)) for tables in transactions if LINE not in tables and tables - set(OWN_BOOKS)
    ]
