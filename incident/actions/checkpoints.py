"""Sign a checkpoint over the record, and put it outside the database."""

from datetime import datetime, timedelta

from sqlalchemy import select

from incident.actions.ledger import Ledger, instant, transaction
from incident.domain.audit import Frontier
from incident.store import audit
from incident.store import checkpoints as rows
from incident.store.audit import AuditLine
from incident.store.db import db

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
            _sign(frontier, ledger)
    rows.publish()
    newest = rows.latest()
    return newest.size if newest else 0


def _sign(frontier: Frontier, ledger: Ledger) -> None:
    ledger.write("checkpoint.signed", f"C-{audit.head().size + 1}", key=rows.key().id.hex())

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
    else:
        sign(actor="system", now=now)
