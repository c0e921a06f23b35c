"""Sign a checkpoint over the record, and put it outside the database."""

import json
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from incident.actions import team_mails
from incident.actions.ledger import Ledger, instant, transaction
from incident.domain.access import Role
from incident.domain.audit import Frontier
from incident.domain.team_mails import Kind
from incident.store import audit, users
from incident.store import checkpoints as rows
from incident.store.audit import AuditLine
from incident.store.db import db

log = structlog.get_logger()

EVERY = timedelta(hours=24)
AFTER = ("dispatch.", "notice.approved", "report.filed", "incident.closed")
"""What is signed at once and not only once a day: verbs, or nouns with their dot."""


def sign(*, actor: str, now: datetime) -> int:
    """Sign the record as it stands; how many lines the newest checkpoint covers then.

    Every line since the last checkpoint is read again first. Raises RecordTrouble when one is not what it was.
    """
    frontier = rows.reread()  # the long part, while others may write
    with transaction(actor, now) as ledger:
        last = rows.latest()
        if last is not None and last.size == audit.head().size:
            ledger.unchanged()
        else:
            sign_within(frontier, ledger)
    rows.publish()
    newest = rows.latest()
    return newest.size if newest else 0


def check(*, now: datetime) -> list[str]:
    """Look at the record since its newest checkpoint, and say in a line how that ended; what is wrong, in sentences.

    Auditors and administrators are told by e-mail when something is. Done at every start, and daily before signing.
    """
    if rows.latest() is None:
        return []  # nothing was signed yet
    found = rows.troubles()
    db.session.rollback()
    with transaction("system", now) as ledger:
        if found and _was_told(now):
            ledger.unchanged()
            return found
        ledger.write("record.checked", f"C-{audit.head().size}", troubles=len(found))
        if found:
            people = {user.id: user for role in (Role.AUDITOR, Role.ADMINISTRATOR) for user in users.holders(role)}
            team_mails.tell(list(people.values()), Kind.RECORD, {"troubles": " ".join(found)[:2_000]}, ledger)
    for sentence in found:
        log.error("record.trouble", trouble=sentence)
    return found


def _was_told(now: datetime) -> bool:
    """Whether a trouble was told within the last day."""
    lately = audit.search(actor="system", verb="record.checked", since=instant(now - EVERY), limit=1)
    return any(json.loads(line.details)["troubles"] for line in lately)


def mail(*, now: datetime) -> int:
    """Send the newest checkpoint to every auditor, to be kept elsewhere; to how many."""
    newest = rows.latest()
    with transaction("system", now) as ledger:
        people = users.holders(Role.AUDITOR) if newest else []
        if newest is None or not people:
            ledger.unchanged()
            return 0
        about = {"size": newest.size, "note": newest.note, "key": str(rows.key())}
        team_mails.tell(people, Kind.CHECKPOINT, about, ledger)
        ledger.write("checkpoint.mailed", f"C-{newest.size}", people=len(people))
    return len(people)


def sign_within(frontier: Frontier, ledger: Ledger) -> None:
    """Have the record signed at the end of this transaction, that line included; `frontier` is what was read again."""
    place = audit.next_place() + len(ledger.lines)  # nobody adds a line or changes the key from here on
    ledger.write("checkpoint.signed", f"C-{place + 1}", key=rows.key().id.hex())

    def add() -> None:
        rows.add(rows.go_on(frontier, audit.head().size), instant(ledger.now))

    ledger.at_last(add)


def due(now: datetime) -> list[str]:
    """Whether it is time to sign, or a checkpoint has no file yet."""
    if rows.unpublished():
        return ["publish"]
    last = rows.latest()
    covered = last.size if last else 0
    if audit.head().size == covered:
        return []
    if last is None or datetime.fromisoformat(last.at) <= now - EVERY:
        return ["daily"]
    return ["event"] if _is_urgent(covered) else []


def _is_urgent(covered: int) -> bool:
    for verb in AFTER:
        fits = AuditLine.verb.startswith(verb, autoescape=True) if verb.endswith(".") else AuditLine.verb == verb
        if db.session.scalar(select(AuditLine.seq).where(AuditLine.seq >= covered, fits).limit(1)) is not None:
            return True
    return False


def do(reference: str, now: datetime) -> None:
    """Publish or sign, as `due` said; safe to repeat."""
    if reference == "publish":
        rows.publish()
    elif reference == "daily":
        if not check(now=now):
            sign(actor="system", now=now)
            mail(now=now)
    else:
        sign(actor="system", now=now)
