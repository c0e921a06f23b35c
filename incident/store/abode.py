"""Where this database lives: to notice that it is a copy of the one that sends."""

from pathlib import Path

from sqlalchemy import String, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Mapped, mapped_column

from incident.store.db import BigInt, Model, db


class Abode(Model):
    """One row: the place at which this database was last opened."""

    __tablename__ = "abode"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(40))


_CLUSTER = text(
    "SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()"
)


def here(database_url: str) -> str:
    """What tells this database from every copy of it: the number its disk knows the file by, or its server's and its own.

    A standby that takes over keeps both of a server's; a database that was loaded elsewhere, or made from this one, does not.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        server, number = db.session.execute(_CLUSTER).one()
        return f"cluster {server} {number}"
    if not url.database or url.database == ":memory:":
        return ""
    return f"file {Path(url.database).stat().st_ino}"


def known() -> str | None:
    """The place where it was opened before; None when never."""
    row = db.session.get(Abode, 1)
    return row.place if row else None


def settle(place: str) -> None:
    """Note the place, in the caller's transaction."""
    row = db.session.get(Abode, 1)
    if row is None:
        db.session.add(Abode(id=1, place=place))
    else:
        row.place = place
    db.session.flush()


def move_in(place: str) -> None:
    """Note the place of a new database, in a commit of its own. It says nothing of people."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    settle(place)
    db.session.commit()
