"""What the account of the running application may do in PostgreSQL, where it does not own its tables: read, add, change what may change.

The account that owns the tables makes and migrates them, and lifts guards when a backup is restored. The one of every day
needs none of that: it can neither lift a guard nor change or empty what is only ever added.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import text

from incident.domain.errors import Refused
from incident.store.db import db
from incident.store.guards import APPEND_ONLY

READ: Final = ("alembic_version",)
GROWS: Final = {"audit_head": "SELECT, UPDATE"}
_ABOUT = text(
    """SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
    OR pg_has_role(rolname, (SELECT relowner FROM pg_class WHERE oid = 'audit_line'::regclass), 'MEMBER')
    FROM pg_roles WHERE rolname = :role"""
)
_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace ORDER BY 1"
)


def statements(role: str, tables: list[str]) -> Iterator[str]:
    """What gives the role its rights on these tables, and takes any other of them."""
    who = '"' + role.replace('"', '""') + '"'
    yield f"GRANT USAGE ON SCHEMA {_schema()} TO {who}"
    yield f"REVOKE CREATE ON SCHEMA {_schema()} FROM {who}, PUBLIC"
    for table in tables:
        yield f'REVOKE ALL ON TABLE "{table}" FROM {who}'
        yield f'GRANT {rights(table)} ON TABLE "{table}" TO {who}'
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {_schema()} TO {who}"


def rights(table: str) -> str:
    """What may be done with the rows of a table; TRUNCATE, TRIGGER and REFERENCES with none."""
    if table in READ:
        return "SELECT"
    if table in APPEND_ONLY:
        return "SELECT, INSERT"
    return GROWS.get(table, "SELECT, INSERT, UPDATE, DELETE")


def give(role: str) -> int:
    """Give the role its rights on all tables, inside the caller's transaction; on how many. Raises Refused."""
    if db.engine.dialect.name != "postgresql":
        raise Refused("Only PostgreSQL knows accounts. A SQLite file is guarded by the rights of its folder.")
    mighty = db.session.execute(_ABOUT, {"role": role}).one_or_none()
    if mighty is None:
        raise Refused("There is no such role. Make it first: CREATE ROLE tocsin_app LOGIN PASSWORD '…'.")
    if mighty[0]:
        raise Refused(
            "This role owns the tables, or may do more than log in, so nothing would hold it. Choose another."
        )
    tables = list(db.session.scalars(_TABLES))
    for statement in statements(role, tables):
        db.session.execute(text(statement))
    return len(tables)


def _schema() -> str:
    return '"' + str(db.session.scalar(text("SELECT current_schema()"))).replace('"', '""') + '"'
