"""Notices on their way to newsrooms by e-mail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from incident.actions import single_mails
from incident.actions.ledger import Ledger
from incident.actions.media_copies import message, settled
from incident.actions.notices import approved_version
from incident.actions.single_mails import Clock, Room
from incident.domain import outlets as rules
from incident.domain.errors import Refused
from incident.store import incidents
from incident.store import outlets as rows
from incident.store.db import db
from incident.store.notices import Notice, NoticeVersion
from incident.store.outlets import COPIES, MediaCopy
from notifiers.contract import Channels, Event, Message


def due(now: datetime) -> list[str]:
    """References of e-mails to hand over, and of those whose worker died; only the latter while all sending is frozen."""
    return single_mails.due(ROOM, now)


def do(ref: str, channels: Channels, *, clock: Clock, lease: timedelta) -> None:
    """Hand one e-mail over: safe to repeat, to kill, and to run twice at once."""
    single_mails.do(ROOM, ref, channels, clock=clock, lease=lease)


def take_in(provider: str, events: Sequence[Event], ledger: Ledger) -> set[str]:
    """What a provider reports about newsrooms' e-mails, inside the caller's transaction; the references that were ours."""
    return single_mails.take_in(ROOM, provider, events, ledger)


def _ready(row: MediaCopy) -> Message | None:
    """The message, while its version is still the approved one and the newsroom is on the list."""
    outlet = rows.by_ids([row.outlet_id])[row.outlet_id]
    version = db.session.get(NoticeVersion, row.notice_version_id)
    notice = db.session.get(Notice, version.notice_id) if version else None
    if version is None or notice is None or outlet.removed_at or not outlet.email:
        return None
    try:
        standing = approved_version(notice.ref)
    except Refused:
        return None
    return message(row, outlet, version) if standing.id == version.id else None


def _settled(row: MediaCopy, ledger: Ledger) -> None:
    settled(row, incidents.by_ids([row.incident_id])[row.incident_id], ledger)


ROOM: Final = Room(
    kind="media",
    rows=COPIES,
    retries=rules.RETRIES,
    gone="approval_gone",
    read=rows.copy,
    by_refs=rows.copies_by_refs,
    ready=_ready,
    settled=_settled,
    simulated=lambda row: row.simulated,
    incident_id=lambda row: row.incident_id,
    box="newsroom",
)
