"""What an incident begins with, in one statement: its number, who leads it, and what was said of the organisation."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import JSON, Table, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from incident.store.db import db
from incident.store.incidents import Counter
from incident.store.particulars import Particular
from incident.store.users import User

counters: Table = Counter.__table__  # type: ignore[assignment]


class Beginning(NamedTuple):
    """The next number; the account of who leads, None where nobody active has that reference; and words by setting."""

    number: int
    lead_id: int | None
    said: Mapping[str, str]


def begun(counter: str, *, lead: str) -> Beginning:
    """Take the next number of this counter, and read the rest. Call inside a write transaction; no two get the same number."""
    on_postgresql = db.engine.dialect.name == "postgresql"
    insert = insert_postgresql if on_postgresql else insert_sqlite
    together = func.json_object_agg if on_postgresql else func.json_group_object
    leads = select(User.id).where(User.ref == lead, User.active.is_(True)).scalar_subquery()
    said = select(together(Particular.name, Particular.words, type_=JSON)).scalar_subquery()
    first = insert(counters).values(name=counter, value=1)
    taken = first.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    number, lead_id, words = db.session.execute(taken.returning(counters.c.value, leads, said)).one()
    return Beginning(number, lead_id, words or {})
