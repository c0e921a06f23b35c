"""Make an approved notice public, and take the page down. Each leaves a line."""

from datetime import datetime

from incident.actions import releases
from incident.actions.ledger import instant, transaction
from incident.actions.merging import sheet_of, values_of
from incident.actions.notices import approved_version
from incident.domain import announcements as rules
from incident.domain import layouts
from incident.domain import notices as notice_rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.layouts import Sheet
from incident.domain.wording import cleaned
from incident.store import announcements as rows
from incident.store import incidents, notices, outlets, postings, public_tasks  # noqa: F401
from incident.store.announcements import Announcement
from incident.store.db import db, new_ref
from incident.store.notices import Notice, NoticeVersion

LONGEST_REASON = 2_000


def publish(
    incident: str,
    ref: str,
    *,
    digest: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    actor: str,
    now: datetime,
) -> str:
    """Make the approved text public in all its languages; the slug of its page. Raises Refused, Invalid, Missing."""
    with transaction(actor, now) as ledger:
        notice = _notice(incident, ref)
        rules.demand_publishable(notice.stage, notice.channels)
        version = approved_version(ref)
        notice_rules.demand_same(digest, version.digest)
        known = rows.of_version(version.id)
        if known is not None:
            if known.state == rules.Posting.TAKEN_DOWN:
                raise Refused(rules.TAKEN_DOWN)
            ledger.unchanged()
            return known.slug
        releases.demand_releaser(actor, notice, version)
        start, end = rules.period(starts_at, ends_at, now)
        rules.demand_long_enough(start, end, asked(notice.id))
        is_drill = incidents.by_ids([notice.incident_id])[notice.incident_id].kind == "drill"
        languages = list(version.contents["languages"])
        announcement = Announcement(
            slug=f"{start:%Y-%m-%d}-{new_ref('a').partition('-')[2].lower()}",
            incident_id=notice.incident_id,
            notice_id=notice.id,
            notice_version_id=version.id,
            languages=languages,
            titles={language: _title(version, language) for language in languages},
            starts_at=start,
            ends_at=end,
            published_by=actor,
            published_at=now,
            changed_at=now,
            simulated=is_drill,
            look_at=None if is_drill else start,
        )
        db.session.add(announcement)
        ledger.write(
            "announcement.published",
            announcement.slug,
            incident=incident,
            notice=ref,
            version=version.number,
            digest=version.digest,
            languages=languages,
            starts_at=instant(start),
            ends_at=instant(end) if end else None,
            simulated=is_drill,
        )
    return announcement.slug


def asked(notice_id: int) -> tuple[int, str]:
    """Return for how many days the laws that this notice was begun for want it to stand, and which law asks for most."""
    found = [
        (int(row.evidence.get("days", 0)), str(row.evidence.get("cite", row.duty)))
        for row in public_tasks.of_notice(notice_id)
    ]
    return max(found, default=(0, ""))


def take_down(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """End the public page before its time, with the reason. Raises Refused, Invalid, Missing."""
    why = cleaned(reason).strip()
    if not why or len(why) > LONGEST_REASON:
        raise Invalid("reason", "Give a reason, in a few sentences at most.")
    with transaction(actor, now) as ledger:
        notice = _notice(incident, ref)
        announcement = next((row for row in rows.of_notice(notice.id) if row.state == "published"), None)
        if announcement is None:
            if rows.of_notice(notice.id):
                ledger.unchanged()
                return
            raise Missing()
        announcement.state, announcement.reason = "taken_down", why
        announcement.taken_down_by, announcement.changed_at = actor, now
        begun = now >= announcement.starts_at
        announcement.look_at = now if begun and not announcement.simulated else None
        ledger.write(
            "announcement.taken_down",
            announcement.slug,
            incident=incident,
            notice=ref,
            days=(now - announcement.starts_at).days if begun else 0,
            asked=asked(notice.id)[0],
        )


def page(announcement: Announcement, language: str) -> Sheet:
    """Return the public text in one language: what is said to everybody, of nobody. Raises Missing, Refused."""
    version = db.session.get(NoticeVersion, announcement.notice_version_id)
    if version is None or language not in announcement.languages:
        raise Missing()
    if notice_rules.digest(version.contents) != version.digest:
        raise Refused("This page cannot be shown just now.")
    return layouts.bound(sheet_of(version, language), values_of(version, language))


def _title(version: NoticeVersion, language: str) -> str:
    """Return what the page is called: its subject, said to everybody."""
    shown = layouts.bound(sheet_of(version, language), values_of(version, language))
    return layouts.subject_line(shown.subject) or shown.title


def _notice(incident: str, ref: str) -> Notice:
    found = incidents.by_ref(incident)
    notice = notices.by_ref(found.id, ref) if found else None
    if notice is None:
        raise Missing()
    return notice
