"""Brings the tables up to date; what does that is loaded only where there is something to bring up."""

from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import ProgrammingError

from incident import parts
from incident.core import MIGRATIONS
from incident.settings import SettingsError
from incident.store.db import db


def known() -> frozenset[str]:
    """The numbers of the migrations that this program has: each file's name begins with its own."""
    return frozenset(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def bring_up(app: Flask) -> None:
    """The tables as this program knows them. Call inside the application.

    Raises SettingsError where a newer program made them, or where they are older and this database account may not change them.
    """
    there, numbers = _number(), known()
    if there and there not in numbers:
        raise SettingsError(
            f"A newer Tocsin has used this database: its tables are at {there}, which this one does not know. "
            "Nothing was changed. Install the newer version on this machine too."
        )
    if there == max(numbers):
        return
    try:
        upgrade(app)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != "42501":  # insufficient_privilege
            raise
        raise SettingsError(
            "The tables are older than this program, and this account of the database may not change them. "
            "Run `tocsin grants ROLE` once with the owner's address in TOCSIN_DATABASE_URL."
        ) from None


def upgrade(app: Flask, revision: str = "head") -> None:
    """Run the migrations up to this one."""
    make_ready(app)
    parts.load("flask_migrate").upgrade(revision=revision)


def make_ready(app: Flask) -> None:
    """Let migrations be run on the tables of this application, whichever way."""
    if "migrate" not in app.extensions:
        parts.load("flask_migrate").Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True)


def _number() -> str:
    """The number of the last migration that this database has been through; "" before the first."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
