"""The checks of a notice before it goes out: how far each got, what it found, and who is behind each number.

A check is bound to the draft and to the people it looked at; who uses it compares `bound`, `people` and the corrections since.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, ForeignKey, Index, String, delete, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from incident.store.imports import is_gone, our_name
from incident.store.people import Past, Person
from incident.store.reading import once

UNFINISHED: Final = text("state IN ('waiting', 'running')")
LEASE: Final = timedelta(seconds=60)
KEPT: Final = 2
"""How many checks of one notice keep their lists; earlier ones keep their figures only."""


class Preflight(Model):
    """One check of a notice. States: waiting, running, done, failed.

    `deaths` counts the workers that died at one place, `doubt_to` is the number of the last record that may have killed them.
    """

    __tablename__ = "preflight"
    __table_args__ = (
        Index("ix_preflight_notice", "notice_id", "id"),
        Index("ix_preflight_to_do", "state", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    ref: Mapped[str] = mapped_column(String(20), unique=True)
    incident_id: Mapped[int] = mapped_column(BigInt, ForeignKey("incident.id"))
    notice_id: Mapped[int] = mapped_column(BigInt, ForeignKey("notice.id"))
    bound: Mapped[str] = mapped_column(String(64))
    people: Mapped[int]
    people_digest: Mapped[str] = mapped_column(String(64), default="")
    corrected_to: Mapped[int] = mapped_column(BigInt, default=0)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    cursor: Mapped[int] = mapped_column(default=0)
    checked: Mapped[int] = mapped_column(default=0)
    found: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    deaths: Mapped[int] = mapped_column(default=0)
    doubt_to: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str] = mapped_column(String(120), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_by: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_done(self) -> bool:
        """Whether it looked at everybody."""
        return self.state == "done"

    @property
    def is_under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 if self.is_done else min(99, self.checked * 100 // max(self.people, 1))


class PreflightPerson(Model):
    """Somebody whom a check found, by number, under the word of what was found."""

    __tablename__ = "preflight_person"
    __table_args__ = ({"sqlite_with_rowid": False},)

    preflight_id: Mapped[int] = mapped_column(BigInt, ForeignKey("preflight.id"), primary_key=True)
    what: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


class Claimed(NamedTuple):
    """A check in a worker's hands: the fence, how far it got, and how many died at that place."""

    id: int
    ref: str
    fence: int
    incident_id: int
    notice_id: int
    bound: str
    cursor: int
    checked: int
    found: dict[str, Any]
    deaths: int
    doubt_to: int


@once
def latest(notice_id: int) -> Preflight | None:
    """The newest check of a notice."""
    query = select(Preflight).where(Preflight.notice_id == notice_id).order_by(Preflight.id.desc())
    return db.session.scalar(query.limit(1))


def anywhere(ref: str) -> Preflight | None:
    """The check with this reference, read anew; for background work."""
    return db.session.scalar(select(Preflight).where(Preflight.ref == ref).execution_options(populate_existing=True))


def to_do(now: datetime) -> list[str]:
    """References of the checks that wait, or whose worker is gone."""
    found = db.session.scalars(select(Preflight).where(UNFINISHED).order_by(Preflight.id))
    return [row.ref for row in found if row.state == "waiting" or _is_free(row, now)]


def _is_free(row: Preflight, now: datetime) -> bool:
    return row.lease_until is None or row.lease_until < now or is_gone(row.holder)


def claim(ref: str, *, now: datetime) -> Claimed | None:
    """The check, ours from now on with a new fence, committed alone; None where somebody else is at it."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    row = anywhere(ref)
    if row is None or not row.is_under_way or not (row.state == "waiting" or _is_free(row, now)):
        db.session.rollback()
        return None
    deaths = row.deaths + (row.state == "running")
    held = Claimed._make(getattr(row, name) for name in Claimed._fields)._replace(fence=row.fence + 1, deaths=deaths)
    mine = update(Preflight).where(Preflight.id == row.id, Preflight.fence == row.fence, UNFINISHED)
    lease = {"holder": our_name(), "lease_until": now + LEASE}
    values = {"state": "running", "fence": held.fence, "deaths": deaths, **lease}
    taken = db.session.execute(mine.values(**values), execution_options={"synchronize_session": False})
    db.session.commit()
    return held if taken.rowcount == 1 else None  # type: ignore[attr-defined]


def keep(
    held: Claimed,
    *,
    cursor: int,
    checked: int,
    found: Mapping[str, Any],
    listed: Sequence[tuple[str, int]],
    now: datetime,
    deaths: int = 0,
    doubt_to: int = 0,
) -> bool:
    """Keep how far it got and whom it found, committed alone; False where another worker took it over."""
    db.session.rollback()
    db.session.connection(execution_options={"tocsin_write": True})
    mine = update(Preflight).where(Preflight.id == held.id, Preflight.fence == held.fence, Preflight.state == "running")
    reached = {"cursor": cursor, "checked": checked, "deaths": deaths, "doubt_to": doubt_to}
    values = {**reached, "found": dict(found), "lease_until": now + LEASE}
    done = db.session.execute(mine.values(**values), execution_options={"synchronize_session": False})
    if done.rowcount != 1:  # type: ignore[attr-defined]
        db.session.rollback()
        return False
    bulk.insert("preflight_person", ("preflight_id", "what", "number"), [(held.id, *one) for one in listed])
    db.session.commit()
    return True


def locked(ref: str) -> Preflight | None:
    """The check, held against other writers until the commit."""
    query = select(Preflight).where(Preflight.ref == ref).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


def listed(preflight_id: int, what: str, *, after: int = 0, limit: int = 1_000) -> list[int]:
    """The numbers of those whom a check found under this word, after the number `after`."""
    query = select(PreflightPerson.number).where(
        PreflightPerson.preflight_id == preflight_id, PreflightPerson.what == what, PreflightPerson.number > after
    )
    return list(db.session.scalars(query.order_by(PreflightPerson.number).limit(limit)))


def forget_lists(notice_id: int) -> None:
    """Drop the lists of earlier checks of a notice, inside the caller's transaction; their figures stay."""
    newest = select(Preflight.id).where(Preflight.notice_id == notice_id).order_by(Preflight.id.desc()).limit(KEPT)
    kept = list(db.session.scalars(newest))
    old = select(Preflight.id).where(Preflight.notice_id == notice_id, Preflight.id.not_in(kept))
    db.session.execute(delete(PreflightPerson).where(PreflightPerson.preflight_id.in_(old)))


def last_correction() -> int:
    """The number of the last correction of anybody's record; 0 before the first."""
    return db.session.scalar(select(func.max(Past.id))) or 0


def corrected_since(incident_id: int, mark: int) -> bool:
    """Whether anybody of this incident was corrected after that."""
    query = select(Past.id).join(Person, Person.id == Past.person_id)
    return db.session.scalar(query.where(Past.id > mark, Person.incident_id == incident_id).limit(1)) is not None
