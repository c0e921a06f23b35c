"""Calendar feeds: a secret address a person, and what a calendar reads there; also the deadlines of one incident as a file."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select

from incident.actions.ledger import transaction
from incident.actions.throttled import take
from incident.domain import lawbook
from incident.domain.access import Role, may
from incident.domain.errors import Missing
from incident.domain.facts import time_words
from incident.domain.speech import Say, retold
from incident.domain.throttle import network
from incident.exports.catalogue import speaker
from incident.exports.ics import Deadline, ics_bytes
from incident.store import credentials, feeds, incidents, plans, users
from incident.store.db import db, new_ref
from incident.store.feeds import CalendarFeed, Known
from incident.store.incidents import Incident
from incident.store.obligations import UNSETTLED, FindingRow
from incident.store.plans import Step
from incident.store.users import User

MOST: Final = 1_000
SHOWN_FOR: Final = timedelta(days=90)
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOTED_EVERY: Final = timedelta(minutes=5)
ACTIVE: Final = frozenset({"owed", "advised", "open"})


def issue(*, actor: str, now: datetime) -> str:
    """A new address for one's own calendar, which ends the one before; its secret, never shown again. Raises Missing."""
    secret = credentials.new_secret()
    with transaction(actor, now) as ledger:
        user = users.by_ref(actor, locked=True)
        if user is None or not user.active:
            raise Missing()
        before = feeds.live(user.id)
        if before is not None:
            before.revoked_at = now
            db.session.flush()
            ledger.write("calendar.ended", before.ref, owner=actor)
        row = CalendarFeed(ref=new_ref("F"), key=credentials.key_of(secret), user_id=user.id, made_at=now)
        db.session.add(row)
        ledger.write("calendar.issued", row.ref, owner=actor)
    return secret


def end(*, actor: str, now: datetime) -> None:
    """End one's own feed at once; where there is none, nothing changes."""
    with transaction(actor, now) as ledger:
        user = users.by_ref(actor, locked=True)
        row = feeds.live(user.id) if user else None
        if row is None:
            ledger.unchanged()
            return
        row.revoked_at = now
        ledger.write("calendar.ended", row.ref, owner=actor)


def read(secret: str, *, address: str | None, site: str, now: datetime) -> bytes:
    """The calendar at a secret address. Raises Missing for one that there is not, and TooMany."""
    row = feeds.by_key(credentials.key_of(secret))
    if row is None or not row.user.active:
        take("feed_network", network(address), now=now)
        raise Missing()
    take("feed", row.ref, now=now)
    if row.last_used_at is None or now - row.last_used_at >= NOTED_EVERY:
        feeds.note_use(row.id, now)
    return calendar(row.user, site=site, now=now)


def calendar(user: User, *, site: str, now: datetime) -> bytes:
    """The deadlines that this person may know of at this moment: duties, and their own steps."""
    zone = ZoneInfo(user.time_zone)
    say, found = speaker(user.language), list[Deadline]()
    if may("incident.view", user.roles):
        seen, since = _visible(user, now), now - SHOWN_FOR
        steps = feeds.own_steps(seen, user.id, since, MOST)
        found = _deadlines(feeds.duties(seen, since, MOST), steps, zone, site, say)
    return ics_bytes(say("Tocsin: deadlines"), found, now, zone=zone)


def of_incident(case: Incident, *, zone: ZoneInfo, site: str, language: str = "en", now: datetime) -> bytes:
    """The deadlines of one incident, whenever they were: its duties, and all its steps that are needed or were dealt with."""
    only = select(Incident.id).where(Incident.id == case.id)
    steps = [row for row in plans.steps(case.id) if row.due_at and (row.need == "yes" or row.state not in plans.UNDONE)]
    say = speaker(language)
    found = _deadlines(feeds.duties(only, EVER, MOST), steps, zone, site, say)
    return ics_bytes(say("{ref}: deadlines", ref=case.ref), found, now, zone=zone)


def _visible(user: User, now: datetime) -> Select[Any]:
    """The ids of the incidents that this person may know of: open ones, and those closed a short while ago."""
    seen = incidents.visible(user.id, sees_all=Role.AUDITOR in user.roles, at=now).with_only_columns(Incident.id)
    return seen.where(or_(Incident.state == "open", Incident.closed_at > now - SHOWN_FOR))


def _deadlines(
    duties: Sequence[FindingRow], steps: Sequence[Step], zone: ZoneInfo, site: str, say: Say
) -> list[Deadline]:
    where = incidents.by_ids({row.incident_id for row in duties} | {row.incident_id for row in steps})
    known = feeds.known(where)
    found = [
        _duty(row, where[row.incident_id], known.get((row.incident_id, row.key)), zone, site, say) for row in duties
    ]
    return [
        *(one for one in found if one is not None),
        *(_step(row, where[row.incident_id], zone, site, say) for row in steps),
    ]


def _duty(row: FindingRow, case: Incident, known: Known | None, zone: ZoneInfo, site: str, say: Say) -> Deadline | None:
    settled = row.state not in UNSETTLED
    lifted = not settled and (row.standing not in ACTIVE or row.due_at is None)
    due_at = known.due_at if lifted and known else row.due_at
    if due_at is None or known is None:
        return None
    return Deadline(
        ref=f"{case.ref}/{row.key}",
        title=f"{_named(case, say)}: {_owed(row, settled=settled, say=say)}",
        due_at=due_at,
        rule=say("Not due any more.") if lifted else _due(due_at, zone, row.clock_words, say),
        address=f"{site}/incidents/{case.ref}/duties/{row.ref}",
        done=settled,
        lifted=lifted,
        sequence=2 * (known.answers - 1) + settled,
        changed_at=max(known.changed_at, row.decided_at if settled and row.decided_at else known.changed_at),
    )


def _owed(row: FindingRow, *, settled: bool, say: Say) -> str:
    """What is owed and by which law, and whether that is not sure yet."""
    book = lawbook.library()
    law = book[row.law].short if row.law in book else row.law
    later = say(", people found later") if row.wave else ""
    doubt = say(" – if owed") if row.standing == "open" and not settled else ""
    return f"{retold(say, row.title)}{later} ({law}){doubt}"


def _due(due_at: datetime, zone: ZoneInfo, rule: str, say: Say) -> str:
    return f"{say('Due {when}.', when=time_words(due_at, zone))} {retold(say, rule)}".strip()


def _step(row: Step, case: Incident, zone: ZoneInfo, site: str, say: Say) -> Deadline:
    due_at = row.due_at or case.opened_at
    return Deadline(
        ref=row.ref,
        title=f"{_named(case, say)}: {retold(say, row.title)}",
        due_at=due_at,
        rule=_due(due_at, zone, row.due_words, say),
        address=f"{site}/incidents/{case.ref}/plan/",
        done=row.state not in plans.UNDONE,
        sequence=row.version,
        changed_at=row.finished_at or case.opened_at,
    )


def _named(case: Incident, say: Say) -> str:
    return f"[{say('Drill')}] {case.ref}" if case.kind == "drill" else case.ref
