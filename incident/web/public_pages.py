"""What the pages of announcements show, made ready: the frame's words in the page's language, and its other forms."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import url_for

from incident.actions import announcements as actions
from incident.actions.merging import House
from incident.domain import layouts, merges, places, prose, starters
from incident.domain.access import visible
from incident.domain.announcements import Posting
from incident.domain.layouts import Sheet
from incident.domain.starters import Words
from incident.exports.cap import Alert, Area, Info
from incident.store import incidents, members
from incident.store.announcements import Announcement
from incident.web.access import now, user

TOLD: Final = ("what_happened", "what_information", "what_we_do")
ADVISED: Final = ("what_you_can_do", "what_we_offer")
LONGEST_SUMMARY: Final = 300


@dataclass(frozen=True)
class Frame:
    """What surrounds an announcement on its page, in its language."""

    language: str
    direction: str
    words: Words
    period: str
    ended: str


def frame(row: Announcement, language: str, house: House) -> Frame:
    """Return the words around an announcement; days are those of the house's zone."""
    words = starters.words(language)
    start = day(row.starts_at, words, house)
    end = day(_end(row), words, house)
    said = words.public
    period = said["until"].format(start=start, end=end) if row.ends_at else said["since"].format(start=start)
    return Frame(language, words.direction, words, period, said["ended"].format(start=start, end=end))


def _end(row: Announcement) -> datetime:
    """When it ended, or ends: taken down, or its time over."""
    is_down = row.state == Posting.TAKEN_DOWN or row.ends_at is None
    return row.changed_at if is_down else row.ends_at or row.changed_at


def day(instant: datetime, words: Words, house: House) -> str:
    return merges.day_words(instant.astimezone(house.zone).date(), words)


def address(row: Announcement, language: str, house: House) -> str:
    """Return the public address of an announcement in one language."""
    return f"{house.site}{url_for('public.announcement', slug=row.slug, language=language)}"


def summary(sheet: Sheet) -> str:
    """Return the beginning of what happened, in plain letters, for feeds and searches."""
    text = next((_plain(sheet, (part.section,)) for part in sheet.parts), "")
    return text if len(text) <= LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 1].rsplit(' ', 1)[0]}…"


def linked(row: Announcement, sheet: Sheet, house: House) -> dict[str, Any]:
    """Return the announcement in the words of schema.org, as a SpecialAnnouncement."""
    here = address(row, sheet.language, house)
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "SpecialAnnouncement",
        "name": row.titles[sheet.language],
        "text": _plain(sheet, TOLD + ADVISED),
        "category": starters.words(sheet.language).title,
        "inLanguage": sheet.language,
        "datePosted": row.starts_at.isoformat(),
        "datePublished": row.starts_at.isoformat(),
        "dateModified": row.changed_at.isoformat(),
        "url": here,
        "webFeed": f"{house.site}{url_for('public.feed')}",
        "isAccessibleForFree": True,
        "workTranslation": [
            {"@type": "SpecialAnnouncement", "@id": address(row, tag, house), "inLanguage": tag}
            for tag in row.languages
            if tag != sheet.language
        ],
    }
    if row.ends_at is not None:
        found["expires"] = row.ends_at.isoformat()
    if house.company.get("name"):
        found["publisher"] = {"@type": "Organization", "name": house.company["name"], "url": house.site}
    return {name: value for name, value in found.items() if value != []}


def alert(row: Announcement, house: House) -> Alert:
    """Return the announcement as an alert, in all its languages."""
    host = urlsplit(house.site).hostname or "localhost"
    company = house.company
    contact = ", ".join(part for part in (company.get(key, "") for key in ("contact", "email", "phone")) if part)
    sheets = [actions.page(row, language) for language in row.languages]
    codes = _places(row)
    return Alert(
        identifier=f"{host}-{row.slug}",
        sender=company.get("email") or host,
        sender_name=company.get("name", ""),
        contact=contact,
        sent=row.published_at,
        effective=row.starts_at,
        expires=row.ends_at,
        is_exercise=row.simulated,
        infos=tuple(_info(row, sheet, house, codes) for sheet in sheets),
    )


def _places(row: Announcement) -> list[str]:
    """Return where people concerned live, as it was known when the page was made public: the alert says the same ever after."""
    known = incidents.current_facts(row.incident_id, row.published_at).get("residents")
    counted = known.value if known is not None and isinstance(known.value, dict) else {}
    return sorted(code for code, people in counted.items() if people and places.is_place(code))


def _info(row: Announcement, sheet: Sheet, house: House, codes: list[str]) -> Info:
    return Info(
        language=sheet.language,
        event=starters.words(sheet.language).title,
        headline=row.titles[sheet.language],
        description=_plain(sheet, TOLD),
        instruction=_plain(sheet, ADVISED),
        web=address(row, sheet.language, house),
        areas=tuple(
            Area(places.named(code, "zh" if sheet.language.startswith("zh") else "en"), code) for code in codes
        ),
    )


def _plain(sheet: Sheet, sections: tuple[str, ...]) -> str:
    """Return these sections as plain letters, apart by an empty line."""
    parts = [layouts.subject_line(prose.as_text(part.prose)) for part in sheet.parts if part.section in sections]
    return "\n\n".join(parts)


def team_may_see(incident_id: int) -> bool:
    """Return whether the reader works here and may know of this incident: the page of a drill is for the team alone."""
    reader = user()
    if reader is None:
        return False
    case = incidents.by_ids([incident_id])[incident_id]
    is_member = case.restricted and members.has(case.id, reader.id, at=now())
    return visible(restricted=case.restricted, roles=reader.roles, is_member=is_member)
