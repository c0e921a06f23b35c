"""What stands and falls with one list: who came in by it, and who of other lists was paired with them."""

from collections import Counter
from typing import Any, Final

from sqlalchemy import delete, func, or_, select, update

from incident.domain.people import Plain, State
from incident.store.db import db
from incident.store.people import Mark, Pair, Person, tally_key

LIVE: Final = (State.ACTIVE.value, State.SUSPECT.value)


def live_of(import_id: int) -> int:
    """How many people of this import are on the list, or may be."""
    query = select(func.count()).select_from(Person).where(Person.import_id == import_id, Person.state.in_(LIVE))
    return db.session.scalar(query) or 0


def groups_of(import_id: int) -> dict[tuple[Any, ...], int]:
    """The people of this import who are on the list, or may be, by counter."""
    columns = [getattr(Person, name) for name in ("incident_id", "wave", "state", *Plain._fields)]
    query = (
        select(*columns, func.count()).where(Person.import_id == import_id, Person.state.in_(LIVE)).group_by(*columns)
    )
    found: Counter[tuple[Any, ...]] = Counter()
    for incident_id, wave, state, *plain, n in db.session.execute(query):
        found[tally_key(incident_id, wave, state, Plain(*plain))] += n
    return dict(found)


def is_being_told(import_id: int) -> bool:
    """Whether a notice was, or is being, sent to anybody of this import."""
    delivery = db.metadata.tables["delivery"]
    told = select(delivery.c.id).join(Person, Person.id == delivery.c.person_id).where(Person.import_id == import_id)
    return db.session.scalar(told.limit(1)) is not None


def entangled(incident_id: int, import_id: int) -> list[tuple[int, bool]]:
    """People of other lists who were paired with people of this one: number, and whether they were joined with them.

    Whoever of this list was joined with one of the others is on record there already and is not meant.
    """
    mine = select(Person.number).where(Person.incident_id == incident_id, Person.import_id == import_id)
    by_twin = select(Pair.number, Pair.state).where(
        Pair.incident_id == incident_id, Pair.twin.in_(mine), Pair.number.not_in(mine)
    )
    by_number = select(Pair.twin, Pair.state).where(
        Pair.incident_id == incident_id, Pair.number.in_(mine), Pair.twin.not_in(mine)
    )
    found: dict[int, bool] = {}
    for number, state in db.session.execute(by_twin):
        found[number] = found.get(number, False) or state == "same"
    for number, _ in db.session.execute(by_number):
        found.setdefault(number, False)
    return sorted(found.items())


def take_off(incident_id: int, import_id: int) -> None:
    """Take everybody of this import off the list, with their marks; what was asked about them is settled."""
    mine = select(Person.number).where(Person.incident_id == incident_id, Person.import_id == import_id)
    either = or_(Pair.number.in_(mine), Pair.twin.in_(mine))
    asked = update(Pair).where(Pair.incident_id == incident_id, Pair.state == "open", either)
    off = update(Person).where(Person.import_id == import_id, Person.state.in_(LIVE))
    for statement in (
        delete(Mark).where(Mark.incident_id == incident_id, Mark.number.in_(mine)),
        asked.values(state="settled"),
        off.values(state=State.REMOVED),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})
    db.session.expire_all()
