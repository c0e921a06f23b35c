"""What SQLite's journal still has of rows that were emptied."""

from incident.store import write_ahead
from incident.store.db import db


def take_out() -> None:
    """Write the journal into the database and cut it, so that no earlier form of a page is left in it. Outside a transaction.

    In the file itself, what is emptied is written over (`secure_delete`). Where somebody reads just now, the next one who
    writes cuts it. PostgreSQL drops earlier forms of rows when it vacuums, which it does by itself.
    """
    if db.engine.dialect.name != "sqlite":
        return
    db.session.rollback()
    write_ahead.cut()
