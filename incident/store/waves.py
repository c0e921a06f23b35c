"""People found later, counted by place: what the rules for their findings take."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select

from incident.domain.people import State
from incident.domain.waves import Wave
from incident.store.db import db
from incident.store.people import Tally
from incident.store.people import Wave as Row


def later(incident_id: int) -> list[Wave]:
    """The waves of this incident that were discovered at a moment of their own, with how many of them live where."""
    chosen = select(Row.number, Row.discovered_at).where(Row.incident_id == incident_id, Row.discovered_at.is_not(None))
    moments = {row.number: row.discovered_at for row in db.session.execute(chosen.order_by(Row.number))}
    if not moments:
        return []
    query = (
        select(Tally.wave, Tally.place, func.sum(Tally.n))
        .where(Tally.incident_id == incident_id, Tally.state == State.ACTIVE.value, Tally.wave.in_(moments))
        .group_by(Tally.wave, Tally.place)
    )
    people: dict[int, Counter[str]] = {number: Counter() for number in moments}
    for number, place, count in db.session.execute(query):
        people[number][place] += int(count)
    return [Wave(number, moment, people[number]) for number, moment in moments.items() if moment]


def among(ids: Collection[int]) -> set[int]:
    """Those of these incidents that have a wave with a moment of discovery of its own."""
    chosen = select(Row.incident_id).where(Row.incident_id.in_(ids), Row.discovered_at.is_not(None)).distinct()
    return set(db.session.scalars(chosen))


def named(incident_id: int, number: int) -> Row | None:
    """One wave of this incident."""
    return db.session.scalar(select(Row).where(Row.incident_id == incident_id, Row.number == number))
