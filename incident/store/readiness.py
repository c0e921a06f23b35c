"""The signs by which an installation's readiness is judged, read in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import String, false, func, select
from sqlalchemy.orm import Mapped, mapped_column

from incident.domain.access import Role
from incident.store.audit import AuditHead, AuditLine
from incident.store.checkpoints import Checkpoint
from incident.store.db import Model, UTCDateTime, db
from incident.store.dispatches import Dispatch, SendingSwitch
from incident.store.drills import Drill
from incident.store.improvements import Improvement
from incident.store.incidents import Incident
from incident.store.law_updates import waiting as waiting_for_laws
from incident.store.lessons import Lesson
from incident.store.people import Tally
from incident.store.plans import Plan
from incident.store.preflights import Preflight
from incident.store.reach import Reach
from incident.store.tallies import DispatchTally
from incident.store.users import User

SOME = 1_000
FEW_PREFLIGHTS = 20
NEVER = datetime.min.replace(tzinfo=UTC)


class ChannelTrial(Model):
    """When a channel was last tried with a provider, by a test to oneself that was taken, and who last asked for one. One row a channel."""

    __tablename__ = "channel_trial"

    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tried_by: Mapped[str | None] = mapped_column(String(20))
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_by: Mapped[str] = mapped_column(String(20), default="", server_default="")


def keep_asked(channel: str, provider: str, *, actor: str, now: datetime) -> None:
    """Remember that a test by this channel is about to be handed over. Call inside its transaction."""
    row = _trial(channel, provider)
    row.asked_at, row.asked_by = now, actor


def keep_trial(channel: str, provider: str, *, actor: str, now: datetime) -> None:
    """Remember that this channel was tried just now. Call inside the transaction of the trial."""
    row = _trial(channel, provider)
    row.tried_at, row.tried_by = now, actor


def _trial(channel: str, provider: str) -> ChannelTrial:
    """The row of this channel; what another provider was tried for counts no more."""
    row = db.session.get(ChannelTrial, channel, with_for_update=True)
    if row is None:
        row = ChannelTrial(channel=channel, provider=provider)
        db.session.add(row)
    if row.provider != provider:
        row.provider, row.tried_at, row.tried_by = provider, None, None
    return row


def trials() -> dict[str, ChannelTrial]:
    """What is known of tests, by channel."""
    return {row.channel: row for row in db.session.scalars(select(ChannelTrial))}


def settle_asked(channel: str) -> None:
    """The test that was last asked for says nothing of the channel, such as one to a device that is gone. Call inside a transaction."""
    row = db.session.get(ChannelTrial, channel, with_for_update=True)
    if row is not None:
        row.asked_at = None


def asked(channel: str) -> ChannelTrial | None:
    """When and by whom a test by this channel was last asked for, with which provider."""
    return db.session.get(ChannelTrial, channel)


def tried(providers: Mapping[str, str]) -> dict[str, datetime]:
    """When each channel was last tried with the provider it has now: by a test, or by a sending that went out."""
    return _used(providers, trials())


def stands(providers: Mapping[str, str]) -> dict[str, tuple[datetime | None, str, datetime | None]]:
    """By channel: when it was last tried with the provider it has now, by whom ("": a sending), and a later test that was not taken."""
    made = trials()
    at = _used(providers, made)
    found: dict[str, tuple[datetime | None, str, datetime | None]] = {}
    for channel in providers:
        ours = made.get(channel)
        if ours is None or ours.provider != providers[channel]:
            found[channel] = at.get(channel), "", None
            continue
        failed = ours.asked_at if ours.asked_at and ours.asked_at > (at.get(channel) or NEVER) else None
        found[channel] = at.get(channel), ours.tried_by or "" if ours.tried_at == at.get(channel) else "", failed
    return found


def _used(providers: Mapping[str, str], made: Mapping[str, ChannelTrial]) -> dict[str, datetime]:
    found = {
        row.channel: row.tried_at
        for row in made.values()
        if row.tried_at and providers.get(row.channel) == row.provider
    }
    sent = (
        select(DispatchTally.channel, func.max(Dispatch.started_at))
        .join(Dispatch, Dispatch.id == DispatchTally.dispatch_id)
        .where(Dispatch.simulated == false(), DispatchTally.state.in_(("delivered", "confirmed")), DispatchTally.n > 0)
    )
    for channel, at in db.session.execute(sent.group_by(DispatchTally.channel)):
        found[channel] = max(at, found.get(channel, at))
    return found


def holders() -> tuple[dict[Role, frozenset[str]], dict[str, str], dict[str, datetime | None]]:
    """Who can sign in with both factors: references by role, names by reference, and when each last proved their telephone number."""
    query = select(User.ref, User.name, User.roles, Reach.proved_at).outerjoin(Reach, Reach.user_id == User.id)
    by_role: dict[Role, set[str]] = {role: set() for role in Role}
    names: dict[str, str] = {}
    proved: dict[str, datetime | None] = {}
    for ref, name, roles, at in db.session.execute(query.where(User.active, User.totp_secret.is_not(None)).limit(SOME)):
        names[ref], proved[ref] = name or ref, at
        for role in roles:
            by_role[Role(role)].add(ref)
    return {role: frozenset(refs) for role, refs in by_role.items()}, names, proved


def spoken() -> dict[str, int]:
    """How many people on all lists read which language."""
    query = select(Tally.language, func.sum(Tally.n)).where(Tally.language != "", Tally.state == "active")
    return {tag: int(number) for tag, number in db.session.execute(query.group_by(Tally.language)) if number}


def drilled() -> dict[str, datetime]:
    """When each playbook was last used in a drill."""
    query = select(Plan.playbook, func.max(Plan.activated_at)).join(Incident, Incident.id == Plan.incident_id)
    return {book: at for book, at in db.session.execute(query.where(Incident.kind == "drill").group_by(Plan.playbook))}


def domain() -> tuple[Sequence[Mapping[str, str]], datetime | None]:
    """What the newest check of a notice that asked the DNS found of the sender's domain, and when."""
    query = select(Preflight.found, Preflight.ended_at).where(Preflight.state == "done")
    for found, at in db.session.execute(query.order_by(Preflight.id.desc()).limit(FEW_PREFLIGHTS)):
        if found.get("domain"):
            return found["domain"], at
    return (), None


def going_by_older_laws(library: str) -> int:
    """How many open incidents go by older laws than this edition, as far as a thousand."""
    return len(waiting_for_laws(library, SOME))


class Stand(NamedTuple):
    """What stands in one row each: late improvements, lessons nobody decided on, copies, the record, drills and the switch."""

    improvements_late: int
    lessons_waiting: int
    backup_at: str | None
    checkpoint_at: str | None
    record_lines: int
    drill_ended_at: datetime | None
    frozen: bool


def stand(now: datetime, waited: timedelta) -> Stand:
    """How it stands `now`, in one query; lessons that were proposed longer ago than `waited` count."""
    late = select(func.count()).select_from(Improvement)
    waiting = select(func.count()).select_from(Lesson)
    backup = select(AuditLine.at).where(AuditLine.actor == "cli", AuditLine.verb == "instance.backed_up")
    parts = (
        late.where(Improvement.state == "open", Improvement.due_at < now),
        waiting.where(Lesson.state.in_(("proposed", "accepted")), Lesson.proposed_at < now - waited),
        backup.order_by(AuditLine.seq.desc()).limit(1),
        select(Checkpoint.at).order_by(Checkpoint.size.desc()).limit(1),
        select(func.coalesce(func.max(AuditHead.size), 0)),
        select(func.max(Drill.ended_at)),
        select(SendingSwitch.frozen).where(SendingSwitch.id == 1),
    )
    found: Any = db.session.execute(select(*(part.scalar_subquery() for part in parts))).one()
    return Stand(*found)._replace(frozen=bool(found[-1]))
