"""What would fail on the day, gathered from people, channels, words, copies and practice."""

from dataclasses import dataclass
from datetime import date, datetime

from incident.actions import particulars
from incident.domain import mail_domains, readiness, starters
from incident.domain.mail_domains import Standing
from incident.domain.plans import playbooks
from incident.domain.readiness import Channel, Check, Signs
from incident.settings import Settings
from incident.store import audit, checkpoints, dispatches, drills
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
    holders, names, numbers = rows.holders()
    found, seen_at = rows.domain()
    backup, checkpoint = audit.last("instance.backed_up"), checkpoints.latest()
    late, waiting = rows.left_to_learn(now, readiness.LESSONS_WAIT)
    return Signs(
        improvements_late=late,
        lessons_waiting=waiting,
        holders=holders,
        names=names,
        phones=rows.proved(numbers),
        channels=tried(channels),
        languages_spoken=rows.spoken(),
        languages_written=starters.languages(),
        company_missing=[words for name, words in COMPANY.items() if not getattr(settings, name).strip()],
        public_address=settings.base_url.startswith("https://"),
        safe_harbour=settings.safe_harbour,
        domain_says=[(check.name, RIGHT.get(check.standing, True)) for check in mail_domains.from_json(found)],
        domain_seen_at=seen_at,
        backup_at=_moment(backup.at) if backup else None,
        checkpoint_at=_moment(checkpoint.at) if checkpoint else None,
        record_lines=audit.head().size,
        drills=rows.drilled(),
        drill_ended_at=drills.last_ended(),
        playbooks={word: book.title for word, book in playbooks().items() if word != "common"},
        laws_waiting=rows.going_by_older_laws(library),
        frozen=dispatches.frozen(),
    )


def _moment(at: datetime | str) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
