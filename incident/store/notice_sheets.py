"""All that belongs to one notice and is a few rows each, read in one statement for the page that shows it."""

from typing import Final

from sqlalchemy import BindParameter, Select, select

from incident.store import (
    announcements,
    dispatches,
    imports,
    members,
    notices,
    particulars,
    preflights,
    public_tasks,
    reading,
    remedies,
)
from incident.store.announcements import Announcement
from incident.store.dispatches import Dispatch
from incident.store.imports import PersonImport
from incident.store.members import Membership
from incident.store.notices import Notice, NoticeText, NoticeVersion
from incident.store.particulars import Particular
from incident.store.preflights import Preflight
from incident.store.public_tasks import PublicDecision
from incident.store.remedies import Remedy
from incident.store.together import Part, Together

MANY: Final = 10_000


def _same(of: BindParameter[int]) -> Select[int]:
    """The incident of the notice with this number."""
    return select(Notice.incident_id).where(Notice.id == of)


_SHEET: Final = Together(
    lambda of: (
        Part(select(NoticeText).where(NoticeText.notice_id == of), (NoticeText.id,), MANY),
        Part(notices.last_version(of), (NoticeVersion.id,), 1),
        Part(select(PublicDecision).where(PublicDecision.notice_id == of), (PublicDecision.id,), MANY),
        Part(select(Preflight).where(Preflight.notice_id == of), (Preflight.id.desc(),), 1),
        Part(select(Announcement).where(Announcement.notice_id == of), (Announcement.id.desc(),), MANY),
        Part(select(Dispatch).where(Dispatch.notice_id == of), (Dispatch.id,), MANY),
        Part(select(Remedy).where(Remedy.incident_id.in_(_same(of))), (Remedy.number,), MANY),
        Part(imports.coming(_same(of)), (PersonImport.id,), MANY),
        Part(members.active(_same(of)), (Membership.id,), MANY),
        Part(select(Particular), (Particular.name,), MANY),
    )
)


def look_up(notice: Notice) -> None:
    """Have all of it at hand for whoever asks while this page is read."""
    texts, versions, decisions, checks, shown, sent, offered, coming, team, said = _SHEET.read(notice.id)
    reading.keep(notices.texts, {row.language: row for row in texts}, notice.id)
    reading.keep(notices.version, versions[0] if versions else None, notice.id, notice.number)
    reading.keep(public_tasks.of_notice, decisions, notice.id)
    reading.keep(preflights.latest, checks[0] if checks else None, notice.id)
    reading.keep(announcements.of_notice, shown, notice.id)
    reading.keep(dispatches.of_notice, sent, notice.id)
    reading.keep(remedies.of_incident, offered, notice.incident_id)
    reading.keep(imports.unsettled, [row.id for row in coming], notice.incident_id)
    reading.keep(particulars.all_, {row.name: row for row in said})
    reading.keep(members.count, len(team), notice.incident_id)
