"""The register of deliveries, page by page: every attempt as a record, in the order of sendings and, within one, as they were made."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select

from incident.store import bulk
from incident.store.db import db
from incident.store.dispatches import Dispatch

AT_ONCE: Final = 2_000
MOST_KNOWN: Final = 50_000
READ: Final = (
    "id", "person_number", "channel", "attempt", "current", "state", "reason", "code", "provider", "provider_id", "ref",
    "made_at", "called_at", "answered_at", "reported_at", "changed_at", "settled_by", "owner",
)  # fmt: skip
PAGE: Final = f"SELECT {', '.join(READ)} FROM delivery WHERE dispatch_id = ? AND id > ? ORDER BY id LIMIT {AT_ONCE}"  # noqa: S608

Record = tuple[Any, ...]
"""The values of one attempt in the order of the register's columns (`incident.exports.register`)."""


def pages(incident_id: int | None = None) -> Iterator[list[Record]]:
    """Every attempt of one incident, or of all. Each page is read by itself, so that a slow reader keeps nobody waiting."""
    incident = db.metadata.tables["incident"]
    query = select(Dispatch, incident.c.ref).join(incident, incident.c.id == Dispatch.incident_id).order_by(Dispatch.id)
    if incident_id is not None:
        query = query.where(Dispatch.incident_id == incident_id)
    moments = Moments()
    for row, ref in db.session.execute(query).all():
        same = (ref, row.ref, row.notice_ref, row.version_number, bool(row.simulated))
        yield from _of(row.id, same, moments)


class Moments(dict[Any, datetime | None]):
    """Instants as the driver gives them, as ours; most come by the thousand, so each is read once."""

    def __missing__(self, kept: Any) -> datetime | None:
        if len(self) > MOST_KNOWN:
            self.clear()
        read = datetime.fromisoformat(kept).replace(tzinfo=UTC) if isinstance(kept, str) else kept
        self[kept] = read
        return read


def _of(dispatch_id: int, same: Record, moments: Moments) -> Iterator[list[Record]]:
    after = 0
    while found := bulk.fetched(PAGE, (dispatch_id, after)):
        db.session.rollback()
        after = found[-1][0]
        yield [
            (
                *same, f"P-{person}", channel, attempt, bool(current), state, reason, code, provider, provider_id, ref,
                moments[made], moments[called], moments[answered], moments[reported], moments[changed], settled_by, owner,
            )
            for _, person, channel, attempt, current, state, reason, code, provider, provider_id, ref,
            made, called, answered, reported, changed, settled_by, owner in found
        ]  # fmt: skip
