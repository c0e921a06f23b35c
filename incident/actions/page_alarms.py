"""Tell the team that a public page is not as approved: the lead at once, more people the longer it lasts.

The messages are those of reminders, with their channels, their hand-over and their line; until they go out, the page is asked
about again, and who would hear of what was mended meanwhile hears nothing.
"""

from collections.abc import Sequence

from incident.actions.ledger import Ledger
from incident.actions.reminders import add_messages
from incident.actions.ways import Circle, Ways
from incident.domain import postings as rules
from incident.domain.postings import Sight
from incident.domain.reminder_texts import Case, Words, page_words
from incident.domain.speech import Say
from incident.store import announcements, postings
from incident.store.announcements import Announcement
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.reminders import Reminder


def alarm(case: Incident, row: Announcement, bad: int, ways: Ways, ledger: Ledger) -> None:
    """Put the messages about the `bad`th bad look in a row on the list, inside the caller's transaction."""
    key = f"{rules.ABOUT_PAGE}{row.slug}"
    level, addresses = Circle(case, ways).called(key, rules.level(bad))
    reminder = Reminder(
        ref=new_ref("R"),
        incident_id=case.id,
        duty=key,
        due_at=ledger.now,
        rung="page",
        level=level.value,
        moment=ledger.now,
        known_since=ledger.now,
        made_at=ledger.now,
    )
    db.session.add(reminder)
    made = add_messages(case, {address: [reminder] for address in addresses}, ways, ledger.now)
    ledger.write("announcement.alarmed", row.slug, incident=case.ref, level=level.value, messages=made, looks=bad)


def said(case: Case, rungs: Sequence[Reminder], say: Say) -> Words | None:
    """What a message about public pages says as they stand now; None where all of them are right again, or are no more."""
    found = [(slug, sight) for rung in rungs if (slug := _slug(rung)) and (sight := _sight(slug))]
    return page_words(case, [(slug, rules.WORDS[sight]) for slug, sight in found], say) if found else None


def is_about_pages(rungs: Sequence[Reminder]) -> bool:
    """Whether a message is about public pages, and not about duties."""
    return bool(rungs) and all(_slug(rung) for rung in rungs)


def _slug(rung: Reminder) -> str:
    return rung.duty.removeprefix(rules.ABOUT_PAGE) if rung.duty.startswith(rules.ABOUT_PAGE) else ""


def _sight(slug: str) -> Sight | None:
    """What the last look at a page saw, where it was not as it should be."""
    row = announcements.by_slug(slug)
    last = next(iter(postings.of(row.id, limit=1)), None) if row and row.look_at else None
    return Sight(last.sight) if last and Sight(last.sight) not in rules.GOOD else None
