"""What would fail on the day, gathered from people, channels, words, copies and practice."""

from dataclasses import dataclass
from datetime import date, datetime

from incident.actions import particulars
from incident.domain import mail_domains, readiness, starters
from incident.domain.mail_domains import Standing
from incident.domain.plans import playbooks
from incident.domain.readiness import Channel, Check, Signs
from incident.settings import Settings
from incident.store import drills
from incident.store import readiness as rows
from notifiers.contract import Channels

COMPANY = {
    "company_name": "name",
    "company_places": "places",
    "contact_name": "the person in charge of personal data",
    "contact_email": "an address to write to",
    "contact_phone": "a telephone number",
}
WORDS = ("email", "sms", "call", "letter", "push")
RIGHT = {Standing.LACKING: False, Standing.WRONG: False, Standing.NOT_LOOKED_UP: None}


@dataclass(frozen=True)
class Readiness:
    """Every check, and the day by which the next drill is due."""

    checks: list[Check]
    next_drill: date


def judged(settings: Settings, channels: Channels, *, library: str, now: datetime) -> Readiness:
    """How ready this installation is. `library` is the digest of the laws in use."""
    signs = _signs(particulars.known(settings), channels, library, now)
    return Readiness(readiness.checked(signs, now), readiness.next_drill(signs, now))


def tried(channels: Channels) -> list[Channel]:
    """Each way to tell people, with its provider and when it was last tried with that one."""
    providers = {word: notifier.provider for word, notifier in channels.real.items()}
    stands = rows.stands(providers)
    return [Channel(word, providers[word], *stands[word]) if word in providers else Channel(word) for word in WORDS]


def next_drill(now: datetime) -> date:
    """The day by which the next yearly drill is due."""
    return readiness.next_drill(Signs(drills=rows.drilled(), drill_ended_at=drills.last_ended()), now)


def _signs(settings: Settings, channels: Channels, library: str, now: datetime) -> Signs:
    holders, names, phones = rows.holders()
    found, seen_at = rows.domain()
    stand = rows.stand(now, readiness.LESSONS_WAIT)
    return Signs(
        improvements_late=stand.improvements_late,
        lessons_waiting=stand.lessons_waiting,
        holders=holders,
        names=names,
        phones=phones,
        channels=tried(channels),
        languages_spoken=rows.spoken(),
        languages_written=starters.languages(),
        company_missing=[words for name, words in COMPANY.items() if not getattr(settings, name).strip()],
        public_address=settings.base_url.startswith("https://"),
        safe_harbour=settings.safe_harbour,
        domain_says=[(check.name, RIGHT.get(check.standing, True)) for check in mail_domains.from_json(found)],
        domain_seen_at=seen_at,
        backup_at=_moment(stand.backup_at),
        checkpoint_at=_moment(stand.checkpoint_at),
        record_lines=stand.record_lines,
        drills=rows.drilled(),
        drill_ended_at=stand.drill_ended_at,
        playbooks={word: book.title for word, book in playbooks().items() if word != "common"},
        laws_waiting=rows.going_by_older_laws(library),
        frozen=stand.frozen,
    )


def _moment(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None
