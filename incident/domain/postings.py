"""What a look at a public page says: whether it still says what was approved, when to look again, and how many days were seen.

A page is looked at when it begins to stand, once on every day after, and once it has ended. What counts as the same is
the approved words with their links, whatever tags surround them; what is kept is the digest of the bytes that were served.
"""

import hashlib
import html
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final
from zoneinfo import ZoneInfo

from incident.domain import layouts, prose
from incident.domain.layouts import Sheet
from incident.domain.reminders import Level

DOMAIN: Final = b"tocsin public page version 1\n"
SOONEST: Final = timedelta(hours=1)
LATEST: Final = timedelta(days=1)
DAYBREAK: Final = time(0, 10)


class Look(StrEnum):
    """Why a page is looked at."""

    FIRST = "first"
    DAILY = "daily"
    LAST = "last"


class Sight(StrEnum):
    """What was seen."""

    STANDS = "stands"
    DIFFERS = "differs"
    MISSING = "missing"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    STILL_THERE = "still_there"


WORDS: Final = {
    Sight.STANDS: "says what was approved",
    Sight.DIFFERS: "does not say what was approved",
    Sight.MISSING: "is not there",
    Sight.UNREACHABLE: "did not answer",
    Sight.CLOSED: "has ended, and says so",
    Sight.STILL_THERE: "is still there after its end",
}
ABOUT_PAGE: Final = "page:"
"""What a reminder about a public page begins with, before its address; others name a duty."""
MORE_AFTER, ALL_AFTER = 3, 5
"""So many bad looks in a row call more people, and everybody."""
GOOD: Final = frozenset({Sight.STANDS, Sight.CLOSED})


@dataclass(frozen=True)
class Page:
    """What one address answered: its status (0 without an answer), and whether it said exactly the approved words."""

    language: str
    status: int
    size: int
    digest: str
    same: bool


@dataclass(frozen=True)
class Seen:
    """What a look found, and whether it was asked at the address that everybody uses, or only inside this machine."""

    sight: Sight
    outside: bool
    pages: tuple[Page, ...]

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return self.sight in GOOD

    @property
    def digest(self) -> str:
        """One digest (hex) over what every language served, in their order."""
        lines = "".join(f"{page.language} {page.status} {page.digest}\n" for page in self.pages)
        return hashlib.sha256(DOMAIN + lines.encode()).hexdigest()


def page(language: str, status: int, body: bytes, approved: str) -> Page:
    """Return what an address answered, held against the digest of the approved words."""
    same = status == 200 and said(body.decode("utf-8", "replace")) == approved
    return Page(language, status, len(body), hashlib.sha256(body).hexdigest(), same)


def sight(pages: Collection[Page], *, ended: bool) -> Sight:
    """Return what these answers say together: one language that fails makes the whole fail."""
    if not pages or any(not page.status for page in pages):
        return Sight.UNREACHABLE
    if ended:
        return Sight.CLOSED if all(page.status == 410 for page in pages) else Sight.STILL_THERE
    if any(page.status != 200 for page in pages):
        return Sight.MISSING
    return Sight.STANDS if all(page.same for page in pages) else Sight.DIFFERS


def seen(inside: Sequence[Page], outside: Sequence[Page], *, answered_before: bool, ended: bool) -> Seen:
    """Return what a look found. The public address decides; where it never answered from here, what we serve ourselves does."""
    there = sight(outside, ended=ended)
    if there is not Sight.UNREACHABLE or answered_before:
        return Seen(there, True, tuple(outside))
    return Seen(sight(inside, ended=ended), False, tuple(inside))


def next_look(now: datetime, ends_at: datetime | None, zone: ZoneInfo, *, bad: int) -> datetime:
    """Return when to look again: early on the next day there, and sooner after each of `bad` looks in a row; at its end."""
    today = now.astimezone(zone).date()
    daily = datetime.combine(today + timedelta(days=1), DAYBREAK, tzinfo=zone)
    after = min(daily, now + min(SOONEST * 2 ** min(bad - 1, 10), LATEST)) if bad else daily
    return min(after, ends_at) if ends_at is not None and ends_at > now else after


def level(bad: int) -> Level:
    """Return whom the `bad`th bad look in a row calls. The looks follow after 1, 2, 4, 8 and 16 hours, then daily."""
    if bad < MORE_AFTER:
        return Level.OWNER
    return Level.LEAD if bad < ALL_AFTER else Level.EVERYBODY


def days(since: datetime, until: datetime, zone: ZoneInfo) -> int:
    """Return how many days of that zone have begun between two instants, the first included; 0 if none has."""
    if until < since:
        return 0
    return (until.astimezone(zone).date() - since.astimezone(zone).date()).days + 1


def days_seen(looks: Iterable[tuple[datetime, Sight]], zone: ZoneInfo) -> int:
    """Return on how many days of that zone the page was seen to stand."""
    return len({at.astimezone(zone).date() for at, found in looks if found is Sight.STANDS})


def words_of(sheet: Sheet, company: str) -> str:
    """Return the digest (hex) of what the public page of this text has to say, once every value is in its place."""
    return said("".join(_article(sheet, company)))


def _article(sheet: Sheet, company: str) -> Iterator[str]:
    yield f"<article><h1>{_letters(layouts.subject_line(sheet.subject))}</h1>"
    yield f"<p>{_letters(layouts.subject_line(sheet.date))}</p>"
    for part in sheet.parts:
        yield f"<h2>{_letters(part.heading)}</h2>{layouts.subject_line(prose.as_html(part.prose))}"
    yield f"{layouts.subject_line(prose.as_html(sheet.check))}<p>{_letters(company)}</p></article>"


def _letters(text: str) -> str:
    return html.escape(text)


def said(document: str) -> str:
    """Return the digest (hex) of what a page says in its article: letters in their order and where links lead."""
    reader = _Reader()
    reader.feed(document)
    reader.close()
    return hashlib.sha256("".join("".join(reader.heard).split()).encode()).hexdigest()


class _Reader(HTMLParser):
    """Hears the letters and links of the first article, and nothing around it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.heard: list[str] = []
        self.depth, self.is_over = 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article" and not self.is_over:
            self.depth += 1
        elif self.depth:
            told = {"a": ("href",), "img": ("src", "alt"), "form": ("action",), "iframe": ("src",), "script": ("src",)}
            self.heard += [f"<{value}>" for name, value in attrs if value and name in told.get(tag, ())]

    def handle_endtag(self, tag: str) -> None:
        if tag == "article" and self.depth:
            self.depth -= 1
            self.is_over = not self.depth

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.heard.append(data)
