"""One transaction: the change and its lines in the record, or neither."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from incident.domain.audit import Line
from incident.domain.verbs import speakable
from incident.store import audit, jobs, reading
from incident.store.db import db
from incident.store.jobs import Wanted

OPEN = "tocsin_ledger"


class Ledger:
    """What will stand in the record if this transaction commits."""

    def __init__(self, actor: str, now: datetime) -> None:
        self.actor = actor
        self.now = now
        self.lines: list[Line] = []
        self.nothing_changed = False
        self.last_acts: list[Callable[[], None]] = []
        self.wanted: list[Wanted] = []
        self._at = instant(now)

    def write(self, verb: str, subject: str, /, *, incident: str | None = None, **details: object) -> None:
        """Leave a line: who, when, what, to which reference. Raises Unspeakable for free text or personal data."""
        spoken = speakable(verb, subject, incident, details)
        self.lines.append(Line(self.actor, self._at, verb, subject, incident, spoken))

    def at_last(self, act: Callable[[], None]) -> None:
        """Have this done when the lines stand in the record, right before the commit: to sign what was just added."""
        self.last_acts.append(act)

    def soon(self, kind: str, reference: str) -> None:
        """Have work of this kind begun as soon as this commits, where other machines wait for it."""
        self.wanted.append(Wanted(kind, reference))

    def unchanged(self) -> None:
        """Say that there was nothing to change: the transaction rolls back, and no line is owed."""
        self.nothing_changed = True


@contextmanager
def transaction(actor: str, now: datetime) -> Iterator[Ledger]:
    """A write transaction that commits the change with its lines.

    It rolls back on any exception. Leaving without a line raises RuntimeError, unless `unchanged()` was called; so do
    a transaction inside a transaction and changes that were made before it began. Everything loaded before is read anew.
    """
    session = db.session()
    if session.info.get(OPEN):
        raise RuntimeError("A transaction is already open: actions do not call actions.")
    if session.new or session.dirty or session.deleted:
        session.rollback()
        raise RuntimeError("Something was changed outside of a transaction; it was rolled back.")
    session.rollback()
    session.expire_all()  # a rollback with no transaction open forgets nothing
    session.info[OPEN] = True
    try:
        with reading.suspended():
            session.connection(execution_options={"tocsin_write": True})
            ledger = Ledger(actor, now)
            yield ledger
            _finish(ledger)
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(OPEN, None)


def _finish(ledger: Ledger) -> None:
    session = db.session()
    if ledger.nothing_changed:
        if ledger.lines:
            raise RuntimeError("A transaction said that nothing changed, and yet left a line.")
        session.rollback()
        return
    if not ledger.lines:
        raise RuntimeError("A transaction must leave a line in the record, or say that nothing changed.")
    session.flush()
    jobs.defer_if_anybody_works(ledger.wanted)
    audit.append(ledger.lines)
    for act in ledger.last_acts:
        act()
    session.commit()


def minute(at: datetime) -> str:
    """A time as a sentence of the record tells it: UTC, to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def instant(now: datetime) -> str:
    """The time as a line holds it: UTC, six decimals, Z. Raises ValueError without a zone."""
    if now.tzinfo is None:
        raise ValueError("An instant without a zone cannot be recorded.")
    return now.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
