"""The registry of affected people: one sealed record each, with the few plain columns that rules and filters need.

People are known by their number within the incident. `person_mark` is the blind index: who first held an e-mail
address, a telephone number or a reference of our own; `person_pair` holds two people who may be one; `person_past`
what a record said before a correction; `person_tally` counts people by all plain columns, so that no page ever counts
a million rows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    and_,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.people import ADDRESSED_BY, Plain, reach
from incident.store import bulk, packed
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.packing import MARKED
from incident.store.reading import once

COLUMNS: Final = (
    "incident_id", "number", "import_id", "row_no", "wave", "state", *Plain._fields, "version", "whole", "sealed",
)  # fmt: skip
TALLY_KEY: Final = ("incident_id", "wave", "state", "place", "language", "age", "reach", "doubtful")


class Wave(Model):
    """People found together. Those that were `discovered_at` a later moment than the incident have clocks of their own."""

    __tablename__ = "wave"
    __table_args__ = (UniqueConstraint("incident_id", "number"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(80), default="")
    found_at: Mapped[datetime] = mapped_column(UTCDateTime)
    discovered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Person(Model):
    """One affected person in one incident. Who it is stands in `sealed` alone."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_incident_number", "incident_id", "number", unique=True),
        Index("ix_person_import_row", "import_id", "row_no", unique=True),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    number: Mapped[int]
    import_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("person_import.id"))
    row_no: Mapped[int | None]
    wave: Mapped[int]
    state: Mapped[str] = mapped_column(String(8))
    place: Mapped[str] = mapped_column(String(6))
    language: Mapped[str] = mapped_column(String(12))
    exposed: Mapped[str] = mapped_column(String(1000))
    age: Mapped[str] = mapped_column(String(8))
    represented: Mapped[bool]
    has_email: Mapped[bool]
    has_phone: Mapped[bool]
    has_address: Mapped[bool]
    has_push: Mapped[bool]
    doubts: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(default=1)
    whole: Mapped[bytes] = mapped_column(LargeBinary(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    @property
    def ref(self) -> str:
        """The reference within the incident, such as `P-1024`."""
        return f"P-{self.number}"

    @property
    def plain(self) -> Plain:
        """The plain values of this person."""
        return Plain(*(getattr(self, name) for name in Plain._fields))


class Mark(Model):
    """Who first held a value in an incident; the value itself cannot be computed from the mark."""

    __tablename__ = "person_mark"
    __table_args__ = ({"sqlite_with_rowid": False},)

    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True)
    mark: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    number: Mapped[int]


class Pair(Model):
    """Two people who may be one: `number` came later, `twin` was there."""

    __tablename__ = "person_pair"
    __table_args__ = (
        UniqueConstraint("incident_id", "number", "twin"),
        Index("ix_person_pair_twin", "incident_id", "twin"),
        Index("ix_person_pair_state", "incident_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    number: Mapped[int]
    twin: Mapped[int]
    by: Mapped[str] = mapped_column("found_by", String(40))
    identical: Mapped[bool]
    state: Mapped[str] = mapped_column(String(10))
    decided_by: Mapped[str] = mapped_column(String(20))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


SIDES: Final = (Pair.number, Pair.twin)


class Past(Model):
    """What a record said before it was corrected, sealed as it was. Only added."""

    __tablename__ = "person_past"
    __table_args__ = (UniqueConstraint("person_id", "version"),)

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInt, ForeignKey("person.id"))
    version: Mapped[int]
    plain: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[bytes] = mapped_column(LargeBinary)
    changed: Mapped[str] = mapped_column(String(300))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by: Mapped[str] = mapped_column(String(20))


class Tally(Model):
    """How many people of an incident share these plain values. Kept in the transaction that changes them."""

    __tablename__ = "person_tally"

    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"), primary_key=True)
    wave: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8), primary_key=True)
    place: Mapped[str] = mapped_column(String(6), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    age: Mapped[str] = mapped_column(String(8), primary_key=True)
    reach: Mapped[int] = mapped_column(primary_key=True)
    doubtful: Mapped[bool] = mapped_column(primary_key=True)
    n: Mapped[int]


class Filter(NamedTuple):
    """Which people a page shows. What is None is not asked for."""

    state: str | None = None
    wave: int | None = None
    place: str | None = None
    language: str | None = None
    age: str | None = None
    lacks: str | None = None  # email, phone, address or any
    doubtful: bool = False


LACKS: Final = {
    "email": (Person.has_email,),
    "phone": (Person.has_phone,),
    "address": (Person.has_address,),
    "any": (Person.has_email, Person.has_phone, Person.has_address, Person.has_push),
}


def take_numbers(incident_id: int, count: int) -> int:
    """The first of `count` new numbers of this incident; no two callers get the same. Call inside a transaction."""
    counter = db.metadata.tables["counter"]
    name = f"person:{incident_id}"
    bulk.add_to("counter", ("name",), "value", [(name, count)])
    last: int = db.session.execute(select(counter.c.value).where(counter.c.name == name)).scalar_one()
    return last - count + 1


def next_number(incident_id: int) -> int:
    """The number that the next person of this incident gets, unless somebody else takes it first."""
    counter = db.metadata.tables["counter"]
    return (db.session.scalar(select(counter.c.value).where(counter.c.name == f"person:{incident_id}")) or 0) + 1


def new_wave(incident_id: int, label: str, *, now: datetime) -> int:
    """A new wave of this incident; its number, from 1."""
    last = db.session.scalar(select(func.max(Wave.number)).where(Wave.incident_id == incident_id)) or 0
    db.session.add(Wave(incident_id=incident_id, number=last + 1, label=label, found_at=now))
    db.session.flush()
    return last + 1


def waves(incident_id: int) -> Sequence[Wave]:
    """The waves of this incident in their order."""
    return db.session.scalars(select(Wave).where(Wave.incident_id == incident_id).order_by(Wave.number)).all()


def insert(rows: Sequence[Sequence[Any]]) -> None:
    """Add people, as tuples in the order of COLUMNS."""
    bulk.insert("person", COLUMNS, rows)


def tally_key(incident_id: int, wave: int, state: str, plain: Plain) -> tuple[Any, ...]:
    """Under which counter a person stands."""
    return (
        incident_id,
        wave,
        str(state),
        plain.place,
        plain.language,
        str(plain.age),
        int(reach(plain)),
        bool(plain.doubts),
    )


def count(changes: Mapping[tuple[Any, ...], int]) -> None:
    """Add to the counters; keys in one order, so that two writers never wait for each other."""
    bulk.add_to("person_tally", TALLY_KEY, "n", [(*key, n) for key, n in sorted(changes.items()) if n])


def move(person: Person, *, state: str | None = None, plain: Plain | None = None, wave: int | None = None) -> None:
    """Change a person's state, wave or plain values, and the counters with them."""
    changes = Counter({tally_key(person.incident_id, person.wave, person.state, person.plain): -1})
    person.state = state or person.state
    person.wave = wave or person.wave
    for name, value in (plain._asdict() if plain else {}).items():
        setattr(person, name, value)
    changes[tally_key(person.incident_id, person.wave, person.state, person.plain)] += 1
    db.session.flush()
    count(changes)


def hold(incident_id: int, marks: Iterable[tuple[bytes, int]]) -> list[tuple[bytes, int, int]]:
    """Note who holds which marks; where a mark has a holder already: the mark, the later number, the holder's.

    Within one call the lowest number holds.
    """
    return packed.hold(incident_id, b"".join([MARKED % (*mark, b"-") for mark in sorted(marks)]))


def held(incident_id: int, marks: Sequence[bytes]) -> dict[bytes, int]:
    """The number that holds each of these marks, for those that are held."""
    statement = "SELECT mark, number FROM person_mark WHERE incident_id = ? AND mark IN"
    return {bytes(mark): number for mark, number in bulk.matching(statement, (incident_id,), marks)}


def let_go(incident_id: int, number: int, marks: Iterable[bytes]) -> None:
    """Take marks from the person who holds them."""
    mine = and_(Mark.incident_id == incident_id, Mark.number == number, Mark.mark.in_(list(marks)))
    db.session.execute(delete(Mark).where(mine))


def pass_marks(incident_id: int, number: int, to: int, marks: Iterable[bytes]) -> None:
    """Give the marks that one person holds to another."""
    mine = and_(Mark.incident_id == incident_id, Mark.number == number, Mark.mark.in_(list(marks)))
    change = update(Mark).where(mine).values(number=to)
    db.session.execute(change, execution_options={"synchronize_session": False})


def drop_marks(incident_id: int) -> None:
    """Forget who holds what in this incident, also of lists that are being taken in; only counts are left of those."""
    db.session.execute(delete(Mark).where(Mark.incident_id == incident_id))
    lists = "SELECT id FROM person_import WHERE incident_id = ?"
    bulk.execute(f"DELETE FROM import_piece WHERE kind <> 'tally' AND import_id IN ({lists})", (incident_id,))  # noqa: S608


def wholes(incident_id: int, numbers: Sequence[int]) -> dict[int, bytes]:
    """The digest of the whole record of each of these people."""
    statement = "SELECT number, whole FROM person WHERE incident_id = ? AND number IN"
    return {number: bytes(whole) for number, whole in bulk.matching(statement, (incident_id,), numbers)}


def live(incident_id: int, numbers: Sequence[int]) -> Iterator[tuple[int, int, Plain, bytes]]:
    """Number, wave, plain values and digest of those of these people who are active and as they came."""
    columns = ", ".join(("number", "wave", *Plain._fields, "whole"))
    mine = f"SELECT {columns} FROM person WHERE incident_id = ? AND state = 'active' AND version = 1 AND number IN"  # noqa: S608
    for number, wave, *plain, whole in bulk.matching(mine, (incident_id,), numbers):
        yield number, wave, Plain(*plain), bytes(whole)


def suspect(incident_id: int, numbers: Sequence[int]) -> None:
    """These people may be somebody we have."""
    for start in range(0, len(numbers), bulk.AT_ONCE):
        some = numbers[start : start + bulk.AT_ONCE]
        mine = f"UPDATE person SET state = 'suspect' WHERE incident_id = ? AND number IN ({', '.join('?' * len(some))})"  # noqa: S608
        bulk.execute(mine, (incident_id, *some))


def pair(incident_id: int, pairs: Sequence[tuple[int, int, str, bool]]) -> None:
    """Note who may be one: the later number, the earlier one, by what they were found, whether their records are equal."""
    columns = ("incident_id", "number", "twin", "found_by", "identical", "state", "decided_by")
    bulk.insert("person_pair", columns, [(incident_id, *found, "open", "") for found in sorted(pairs)])


def by_number(incident_id: int, number: int) -> Person | None:
    """The person with this number in this incident."""
    return db.session.scalar(select(Person).where(Person.incident_id == incident_id, Person.number == number))


def by_numbers(incident_id: int, numbers: Sequence[int]) -> dict[int, Person]:
    """The people with these numbers in this incident; a page's worth."""
    found = db.session.scalars(select(Person).where(Person.incident_id == incident_id, Person.number.in_(numbers)))
    return {person.number: person for person in found}


def lose_push(ids: Sequence[int]) -> None:
    """Note that these few people are reached by no push any more; their sealed records stay as they are."""
    for person in db.session.scalars(select(Person).where(Person.id.in_(ids), Person.has_push).order_by(Person.id)):
        move(person, plain=person.plain._replace(has_push=False))


def by_ids(incident_id: int, ids: Sequence[int], *, only_listed: bool = False) -> Iterator[Any]:
    """Id, number, version, sealed record and how they are addressed, for these people of this incident.

    The erased are not among them; with `only_listed`, neither are those who were taken off the list or joined to another.
    """
    state = "= 'active'" if only_listed else "<> 'erased'"
    columns = ("id", "number", "version", "sealed", *ADDRESSED_BY)
    # The plus keeps SQLite from reading every person of the incident to find these few.
    source = f"FROM person WHERE +incident_id = ? AND state {state} AND id IN"
    return bulk.matching_boxes(columns, source, (incident_id,), ids, box="sealed")


def page(incident_id: int, chosen: Filter, *, after: int, limit: int) -> Sequence[Person]:
    """People by number, the `limit` that follow number `after`."""
    query = select(Person).where(Person.incident_id == incident_id, Person.number > after, *_conditions(chosen))
    return db.session.scalars(query.order_by(Person.number).limit(limit)).all()


def _conditions(chosen: Filter) -> list[Any]:
    columns = {
        "wave": Person.wave,
        "place": Person.place,
        "language": Person.language,
        "age": Person.age,
        "state": Person.state,
    }
    found: list[Any] = [
        column == getattr(chosen, name) for name, column in columns.items() if getattr(chosen, name) is not None
    ]
    if chosen.lacks is not None:
        found += [has.is_(False) for has in LACKS[chosen.lacks]]
    return [*found, Person.doubts != ""] if chosen.doubtful else found


@once
def tallies(incident_id: int) -> Sequence[Tally]:
    """All counters of this incident that are not zero."""
    return db.session.scalars(select(Tally).where(Tally.incident_id == incident_id, Tally.n != 0)).all()


def open_pairs(incident_id: int, *, after: int, limit: int, identical: bool | None = None) -> Sequence[Pair]:
    """Pairs nobody has decided yet, by id."""
    query = select(Pair).where(Pair.incident_id == incident_id, Pair.state == "open", Pair.id > after)
    if identical is not None:
        query = query.where(Pair.identical.is_(identical))
    return db.session.scalars(query.order_by(Pair.id).limit(limit)).all()


def pair_by_id(incident_id: int, pair_id: int) -> Pair | None:
    """One pair of this incident."""
    return db.session.scalar(select(Pair).where(Pair.incident_id == incident_id, Pair.id == pair_id))


def pairs_of(incident_id: int, number: int) -> Sequence[Pair]:
    """Every pair that this person is in."""
    # One question for each of their indexes: asked as either-or, SQLite would read every pair of the incident.
    sides = (db.session.scalars(select(Pair).where(Pair.incident_id == incident_id, side == number)) for side in SIDES)
    return sorted({pair.id: pair for found in sides for pair in found}.values(), key=lambda pair: pair.id)


def waits(incident_id: int, number: int) -> bool:
    """Whether somebody still has to decide if this person is one we had before."""
    asked = and_(Pair.incident_id == incident_id, Pair.number == number, Pair.state == "open")
    return db.session.scalar(select(Pair.id).where(asked).limit(1)) is not None


def forget_past(person_id: int) -> None:
    """Drop the earlier forms of an erased record."""
    db.session.execute(delete(Past).where(Past.person_id == person_id))


def past(person_id: int) -> Sequence[Past]:
    """Earlier forms of this record, newest first."""
    return db.session.scalars(select(Past).where(Past.person_id == person_id).order_by(Past.version.desc())).all()
