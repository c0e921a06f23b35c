"""Looks at public pages: once when they begin to stand, every day after, and once they have ended. Each look is a line."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from incident.actions import page_alarms
from incident.actions.announcements import page
from incident.actions.ledger import transaction
from incident.actions.merging import House
from incident.actions.ways import Ways
from incident.domain import postings as rules
from incident.domain.announcements import Posting, posting
from incident.domain.errors import Refused
from incident.domain.postings import Look, Page, Seen, Sight
from incident.store import announcements, incidents
from incident.store import postings as rows
from incident.store.announcements import Announcement
from incident.store.db import db
from incident.store.postings import PostingCheck

ACTOR: Final = "system"
VERBS: Final = {
    Look.FIRST: "announcement.posted",
    Look.DAILY: "announcement.checked",
    Look.LAST: "announcement.ended",
}
Visit = Callable[[str], tuple[int, bytes]]


def due(now: datetime) -> list[str]:
    """Slugs of the pages that are to be looked at."""
    return list(rows.due(now))


def do(slug: str, now: datetime, *, inside: Visit, outside: Visit, house: House, ways: Ways) -> None:
    """Look at one page and keep what it served; whoever is called hears of it where it is not as it should be.

    Safe to repeat. No transaction is open while the page is asked.
    """
    row = announcements.by_slug(slug)
    if row is None or row.look_at is None or row.look_at > now:
        return
    was, ended = row.look_at, posting(row.state, row.starts_at, row.ends_at, now) is not Posting.POSTED
    paths = [(language, f"/notices/{slug}/{language}") for language in row.languages]
    approved = {language: _approved(row, language, house) for language in row.languages}
    before = rows.answered_before(row.id)
    db.session.rollback()  # nothing of ours stays open while others answer
    found = rules.seen(
        _asked(inside, paths, approved), _asked(outside, paths, approved), answered_before=before, ended=ended
    )
    _keep(slug, was, found, ended=ended, now=now, zone=house.zone, ways=ways)


def _approved(row: Announcement, language: str, house: House) -> str:
    """The digest of the words that were approved; "" where they are no longer what was approved."""
    try:
        return rules.words_of(page(row, language), house.company.get("name", ""))
    except Refused:
        return ""


def _asked(visit: Visit, paths: Sequence[tuple[str, str]], approved: dict[str, str]) -> list[Page]:
    return [rules.page(language, *visit(path), approved[language]) for language, path in paths]


def _keep(slug: str, was: datetime, found: Seen, *, ended: bool, now: datetime, zone: ZoneInfo, ways: Ways) -> None:
    with transaction(ACTOR, now) as ledger:
        row = announcements.by_slug(slug)
        past = rows.of(row.id, limit=20) if row else ()
        look = Look.LAST if ended else Look.DAILY if past else Look.FIRST
        over, bad = look is Look.LAST and found.sight is Sight.CLOSED, _bad(past, found)
        after = rules.next_look(now, row.ends_at, zone, bad=bad) if row else None
        if row is None or not rows.move_on(row.id, was, None if over else after):
            ledger.unchanged()
            return
        db.session.add(_row(row, look, found, now))
        case = incidents.by_ids([row.incident_id])[row.incident_id]
        ledger.write(
            VERBS[look],
            slug,
            incident=case.ref,
            sight=found.sight.value,
            digest=found.digest,
            outside=found.outside,
            day=rules.days(row.starts_at, _until(row, now), zone),
            pages={page.language: page.digest for page in found.pages},
        )
        if bad:
            page_alarms.alarm(case, row, bad, ways, ledger)


def _bad(past: Sequence[PostingCheck], found: Seen) -> int:
    """How many bad looks there were in a row, this one included; 0 after a good one."""
    if found.good:
        return 0
    return 1 + next((n for n, one in enumerate(past) if Sight(one.sight) in rules.GOOD), len(past))


def _until(row: Announcement, now: datetime) -> datetime:
    """The last moment that counts as posted: now, or the end."""
    if row.state == Posting.TAKEN_DOWN:
        return min(now, row.changed_at)
    return min(now, row.ends_at) if row.ends_at else now


def _row(row: Announcement, look: Look, found: Seen, now: datetime) -> PostingCheck:
    return PostingCheck(
        announcement_id=row.id,
        look=look.value,
        at=now,
        sight=found.sight.value,
        outside=found.outside,
        pages=[asdict(page) for page in found.pages],
        digest=found.digest,
    )
