"""What is offered to people in an incident, and its codes: sealed, one to a person. Codes are given under the lock of their remedy."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.deliveries import State
from incident.domain.remedies import MOST, Offer, Pool, Service
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.deliveries import Delivery
from incident.store.dispatches import Dispatch
from incident.store.reading import once
from incident.store.sealed import Sealer

IS_FREE: Final = text("person IS NULL")  # and not redeemed by somebody all the same: those are spoilt
SEALED: Final = "remedy_code.sealed:"
AT_ONCE: Final = 500
IDLE: Final = frozenset({State.WAITING, State.UNREACHED, State.CANCELLED})
"""States of an attempt that nobody has taken up."""


class Remedy(Model):
    """One thing offered. `number` is how texts name it; the counts are of its codes, kept where those change.

    `redeemed` counts those that were given; `spoilt` those that somebody redeemed though nobody had been given them.
    """

    __tablename__ = "remedy"
    __table_args__ = (UniqueConstraint("incident_id", "number"), Index("ix_remedy_until", "until"))

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    services: Mapped[list[str]] = mapped_column(JSON)
    months: Mapped[int]
    provider: Mapped[str] = mapped_column(String(120))
    until: Mapped[date | None] = mapped_column(Date)
    coded: Mapped[bool]
    how: Mapped[dict[str, str]] = mapped_column(JSON)
    codes: Mapped[int] = mapped_column(default=0)
    given: Mapped[int] = mapped_column(default=0)
    redeemed: Mapped[int] = mapped_column(default=0)
    spoilt: Mapped[int] = mapped_column(default=0, server_default="0")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by: Mapped[str] = mapped_column(String(20))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def offer(self) -> Offer:
        """What is offered."""
        services = tuple(Service(word) for word in self.services)
        return Offer(self.name, services, self.months, self.provider, self.until, self.coded, self.how)

    @property
    def pool(self) -> Pool:
        """The same as rules look at it."""
        return Pool(self.number, self.name, tuple(self.services), self.months, self.until, self.coded, self.free)

    @property
    def free(self) -> int:
        """How many codes can be given."""
        return self.codes - self.given - self.spoilt


class RemedyCode(Model):
    """One code. `person` is the number of who was given it; `serial` is its place in the remedy, by which it is sealed."""

    __tablename__ = "remedy_code"
    __table_args__ = (
        UniqueConstraint("incident_id", "mark"),
        UniqueConstraint("remedy_id", "serial"),
        UniqueConstraint("remedy_id", "person"),
        Index("ix_remedy_code_free", "remedy_id", "serial", sqlite_where=IS_FREE, postgresql_where=IS_FREE),
        Index("ix_remedy_code_person", "incident_id", "person"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    remedy_id: Mapped[int] = mapped_column(BigInt, ForeignKey("remedy.id"))
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    serial: Mapped[int]
    mark: Mapped[bytes] = mapped_column(LargeBinary(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    person: Mapped[int | None]
    given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


COLUMNS: Final = ("remedy_id", "incident_id", "serial", "mark", "sealed")


@once
def of_incident(incident_id: int, *, locked: bool = False) -> Sequence[Remedy]:
    """The remedies of an incident by their number; `locked` holds their rows until the transaction ends."""
    query = select(Remedy).where(Remedy.incident_id == incident_id).order_by(Remedy.number)
    return db.session.scalars(_held(query) if locked else query).all()


def by_ref(incident_id: int, ref: str, *, locked: bool = False) -> Remedy | None:
    """One remedy of this incident."""
    query = select(Remedy).where(Remedy.incident_id == incident_id, Remedy.ref == ref)
    return db.session.scalar(_held(query) if locked else query)


def _held(query: Select[Remedy]) -> Select[Remedy]:
    return query.with_for_update().execution_options(populate_existing=True)


def last_serial(remedy_id: int) -> int:
    """The serial of the newest code of a remedy; 0 where it has none."""
    return db.session.scalar(select(func.max(RemedyCode.serial)).where(RemedyCode.remedy_id == remedy_id)) or 0


def known(incident_id: int, marks: Sequence[bytes]) -> set[bytes]:
    """Which of these marks belong to a code of the incident."""
    statement = "SELECT mark FROM remedy_code WHERE incident_id = ? AND mark IN"
    return {bytes(mark) for (mark,) in bulk.matching(statement, (incident_id,), marks)}


def add(rows: Sequence[tuple[int, int, int, bytes, bytes]]) -> None:
    """Keep codes, as tuples in the order of COLUMNS."""
    bulk.insert("remedy_code", COLUMNS, rows)


def without(remedy_id: int, numbers: Sequence[int]) -> list[int]:
    """Those of these people who have no code of this remedy, in their order."""
    statement = "SELECT person FROM remedy_code WHERE remedy_id = ? AND person IN"
    have = {number for (number,) in bulk.matching(statement, (remedy_id,), numbers)}
    return [number for number in numbers if number not in have]


def give(remedy: Remedy, numbers: Sequence[int], now: datetime) -> bool:
    """Give each of these people the next free code; False, and nobody gets one, where there are too few.

    The caller holds the remedy's row, so that nobody else gives codes of it meanwhile.
    """
    free = db.session.scalars(
        select(RemedyCode.id)
        .where(RemedyCode.remedy_id == remedy.id, IS_FREE, RemedyCode.redeemed_at.is_(None))
        .order_by(RemedyCode.serial)
        .limit(len(numbers))
    ).all()
    if len(free) < len(numbers):
        return False
    moment = bulk.instant(now)
    bulk.change(
        "remedy_code", ("id", "person", "given_at"), [(*pair, moment) for pair in zip(free, numbers, strict=True)]
    )
    remedy.given += len(numbers)
    return True


def codes(incident_id: int, numbers: Sequence[int], key: Sealer) -> dict[int, tuple[str, ...]]:
    """The codes that these people were given, by their number: one for each remedy in order, "" where there is none."""
    source = "FROM remedy_code JOIN remedy ON remedy.id = remedy_code.remedy_id WHERE remedy_code.incident_id = ? AND person IN"
    columns = ("remedy_code.person", "remedy.number", "remedy_code.serial", "remedy_code.sealed")
    found = [
        (person, number, serial, bytes(box))
        for part in _some(numbers)
        for person, number, serial, box in bulk.fetched(
            f"SELECT {', '.join(columns)} {source} ({', '.join('?' * len(part))})",
            (incident_id, *part),
        )
    ]
    opened = key.opened(SEALED, [(f"{number}:{serial}", box) for _, number, serial, box in found])
    by_person: dict[int, list[str]] = {}
    for (person, number, _, _), word in zip(found, opened, strict=True):
        by_person.setdefault(person, [""] * MOST)[number - 1] = word.decode()
    return {person: tuple(words) for person, words in by_person.items()}


def _some(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    unique = sorted(set(numbers))
    return (unique[start : start + AT_ONCE] for start in range(0, len(unique), AT_ONCE))


def of_person(incident_id: int, number: int) -> Sequence[tuple[RemedyCode, Remedy]]:
    """The codes of one person with what they are of."""
    query = select(RemedyCode, Remedy).join(Remedy, Remedy.id == RemedyCode.remedy_id)
    query = query.where(RemedyCode.incident_id == incident_id, RemedyCode.person == number).order_by(Remedy.number)
    return [(code, remedy) for code, remedy in db.session.execute(query)]


def were_posted(code: RemedyCode, person_id: int) -> bool:
    """Whether anything with this code in it may have left: an attempt made since it was given that was claimed or handed over.

    Those attempts are held until the transaction ends, so that no worker takes one meanwhile.
    """
    tried = select(Delivery.state, Delivery.called_at).join(Dispatch, Dispatch.id == Delivery.dispatch_id)
    tried = tried.where(Dispatch.incident_id == code.incident_id, Dispatch.first_attempt > 0)
    tried = tried.where(Delivery.person_id == person_id, Delivery.made_at >= code.given_at)
    found = db.session.execute(tried.with_for_update(of=Delivery)).all()
    return any(state not in IDLE or called_at is not None for state, called_at in found)


def take_back(code: RemedyCode, remedy: Remedy) -> None:
    """Put an unused code back where the next person gets it. The caller holds the remedy's row."""
    code.person = code.given_at = None
    remedy.given -= 1


def forget_person(incident_id: int, number: int) -> int:
    """Destroy the codes of somebody who is erased; how many. They stay counted as given."""
    mine = update(RemedyCode).where(RemedyCode.incident_id == incident_id, RemedyCode.person == number)
    result = db.session.execute(mine.values(sealed=b""), execution_options={"synchronize_session": False})
    return int(result.rowcount)  # type: ignore[attr-defined]


def pass_on(incident_id: int, number: int, to: int) -> None:
    """Give the codes of one record to another that is the same person, where that has none of the remedy."""
    has = {remedy.id for _, remedy in of_person(incident_id, to)}
    for code, remedy in of_person(incident_id, number):
        if remedy.id not in has:
            code.person = to


def redeem(remedy: Remedy, marks: Sequence[bytes], now: datetime) -> tuple[int, int]:
    """Note that the codes with these marks were redeemed; how many are new, and how many of them were known as redeemed.

    The caller holds the remedy's row.
    """
    statement = (
        "SELECT id, redeemed_at IS NOT NULL, person IS NOT NULL FROM remedy_code"
        " WHERE incident_id = ? AND remedy_id = ? AND mark IN"
    )
    found = set(bulk.matching(statement, (remedy.incident_id, remedy.id), marks))
    fresh = sorted((id_, given) for id_, done, given in found if not done)
    moment = bulk.instant(now)
    bulk.change("remedy_code", ("id", "redeemed_at"), [(id_, moment) for id_, _ in fresh])
    remedy.redeemed += sum(1 for _, given in fresh if given)
    remedy.spoilt += sum(1 for _, given in fresh if not given)
    return len(fresh), len(found) - len(fresh)


def page(remedy_id: int, *, after: int = 0, limit: int = 50, only: str = "") -> Sequence[RemedyCode]:
    """Codes by their serial: all of them, or those that are `given`, `free`, `redeemed` or `unused`."""
    query = select(RemedyCode).where(RemedyCode.remedy_id == remedy_id, RemedyCode.serial > after)
    conditions: Mapping[str, Any] = {
        "free": RemedyCode.person.is_(None) & RemedyCode.redeemed_at.is_(None),
        "given": RemedyCode.person.is_not(None),
        "redeemed": RemedyCode.redeemed_at.is_not(None),
        "unused": RemedyCode.person.is_not(None) & RemedyCode.redeemed_at.is_(None),
    }
    if only:
        query = query.where(conditions[only])
    return db.session.scalars(query.order_by(RemedyCode.serial).limit(limit)).all()


def remove_free(remedy: Remedy) -> int:
    """Delete the codes that nobody was given; how many. The caller holds the remedy's row."""
    gone = delete(RemedyCode).where(RemedyCode.remedy_id == remedy.id, IS_FREE, RemedyCode.redeemed_at.is_(None))
    count = int(db.session.execute(gone, execution_options={"synchronize_session": False}).rowcount)  # type: ignore[attr-defined]
    remedy.codes -= count
    return count
