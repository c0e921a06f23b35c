"""What providers reported, as received, in our words, and what it changes of deliveries. Reports are only added.

The statements are plain and go by sets: this is asked for tens of thousands of times a second.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONEncoder, loads
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain import ladders
from incident.domain.deliveries import State
from incident.domain.ladders import Step
from incident.domain.reported import Known
from incident.store import bulk
from incident.store.db import BigInt, Model, UTCDateTime, db
from notifiers.contract import Event


class ProviderEvent(Model):
    """One report of a provider in our words, kept for good; without addresses, texts or network addresses."""

    __tablename__ = "provider_event"
    __table_args__ = (
        # Our references come in the order of time, the providers' ids at random: by those alone every report would touch
        # another page. A repeat is the same report of the same message, so both together tell it.
        Index("ix_provider_event_ref", "ref", "provider", "event_id", unique=True),
        Index("ix_provider_event_delivery", "delivery_id"),
    )

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(100))
    delivery_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("delivery.id"))
    ref: Mapped[str] = mapped_column(String(64))
    provider_id: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    fields: Mapped[dict[str, str]] = mapped_column(JSON)


COLUMNS: Final = (
    "provider", "event_id", "delivery_id", "ref", "provider_id", "status", "reason", "code", "at", "received_at", "fields",
)  # fmt: skip


class Sending(NamedTuple):
    """A sending that reports speak of."""

    id: int
    ref: str
    course: str
    incident_id: int
    incident: str
    steps: tuple[Step, ...]


class Told(NamedTuple):
    """A delivery that a report speaks of, as it stands; its times as the database keeps them."""

    id: int
    ref: str
    dispatch_id: int
    channel: str
    language: str
    current: bool
    provider: str
    climb_at: Any
    state: str
    provider_id: str
    reason: str
    code: str
    may_pass: bool
    complained: bool
    reported_at: Any

    def known(self) -> Known:
        """What is known of it."""
        last = instant(self.reported_at)
        own = self.provider_id, self.reason, self.code, bool(self.may_pass), bool(self.complained)
        return Known(State(self.state), *own, last)


class Heard(NamedTuple):
    """What a delivery becomes by reports."""

    id: int
    provider: str
    known: Known
    climb_at: datetime | None


_letters: Final = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TOLD: Final = f"SELECT {', '.join(Told._fields)} FROM delivery WHERE ref IN"  # noqa: S608  (names of ours)
_SENDINGS: Final = (
    "SELECT d.id, d.ref, d.course, d.incident_id, i.ref, d.ladder FROM dispatch d"
    " JOIN incident i ON i.id = d.incident_id WHERE d.id IN"
)
_IN_SENDINGS: Final = "SELECT DISTINCT dispatch_id FROM delivery WHERE ref IN"
_MOVED: Final = (
    "id", "state", "reason", "code", "may_pass", "due_at", "climb_at", "changed_at",
    "provider", "provider_id", "reported_at", "complained",
)  # fmt: skip
_NOTED: Final = ("id", "provider", "provider_id", "reported_at", "complained")


def sendings_of(refs: Sequence[str]) -> dict[int, Sending]:
    """The sendings that these attempts belong to, held against other writers until the commit."""
    found = sorted({dispatch_id for (dispatch_id,) in bulk.matching(_IN_SENDINGS, (), refs)})
    lock = " FOR UPDATE OF d" if db.engine.dialect.name == "postgresql" else ""
    rows = bulk.matching(_SENDINGS, (), found, f"ORDER BY d.id{lock}")
    return {id_: Sending(id_, ref, course, of, incident, _steps(raw)) for id_, ref, course, of, incident, raw in rows}


def _steps(ladder: Any) -> tuple[Step, ...]:
    """SQLite gives the letters of JSON, and always the same ones; PostgreSQL gives what they say."""
    return _read_steps(ladder) if isinstance(ladder, str) else ladders.from_json(ladder)


@lru_cache(256)
def _read_steps(ladder: str) -> tuple[Step, ...]:
    return ladders.from_json(loads(ladder))


def told(refs: Sequence[str]) -> dict[str, Told]:
    """The deliveries with these attempt references; whoever asks holds their sendings."""
    return {row[1]: Told(*row) for row in bulk.matching(_TOLD, (), refs)}


def keep(provider: str, events: Sequence[Event], told_by: Mapping[str, Told], now: datetime) -> set[str]:
    """Keep those of these reports that were never received; their ids. Each comes once in `events`."""
    kept = bulk.instants()
    at = kept(now)
    rows = [
        (
            provider,
            event.id[:100],
            told_by[event.ref].id if event.ref in told_by else None,
            event.ref[:64],
            event.provider_id[:100],
            event.status.value,
            event.reason[:40],
            event.code[:20],
            kept(event.at),
            at,
            _letters(event.fields),
        )
        for event in events
    ]
    return set(bulk.added("provider_event", COLUMNS, rows, "event_id"))


def note(heard: Iterable[Heard]) -> None:
    """Write down what was heard of these deliveries, whose state stays as it is."""
    kept = bulk.instants()
    bulk.change("delivery", _NOTED, [(one.id, *_said(one, kept)) for one in heard])


def move(heard: Iterable[Heard], now: datetime) -> None:
    """Write down what these deliveries became."""
    kept = bulk.instants()
    at = kept(now)
    rows = [
        (
            one.id,
            one.known.state.value,
            one.known.reason,
            one.known.code,
            one.known.may_pass,
            None,
            kept(one.climb_at),
            at,
            *_said(one, kept),
        )
        for one in heard
    ]
    bulk.change("delivery", _MOVED, rows)


def _said(one: Heard, kept: Callable[[datetime | None], Any]) -> tuple[Any, ...]:
    return one.provider, one.known.provider_id[:100], kept(one.known.last), one.known.complained


def instant(kept: Any) -> datetime | None:
    """An instant as the driver gives it, as one of ours."""
    if kept is None or isinstance(kept, datetime):
        return kept
    return datetime.fromisoformat(kept).replace(tzinfo=UTC)


def events_of(delivery_ids: Sequence[int]) -> Sequence[ProviderEvent]:
    """The reports about these deliveries, in the order received."""
    query = select(ProviderEvent).where(ProviderEvent.delivery_id.in_(delivery_ids))
    return db.session.scalars(query.order_by(ProviderEvent.id)).all()
