"""What the database is asked while something is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from incident.store.db import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent meanwhile, but for those that only begin a transaction or say how it is kept."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        if not given[2].startswith(("BEGIN", "SET LOCAL")):
            seen.append(given[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
