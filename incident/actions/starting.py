"""Notices that go out by themselves at the time they were approved for."""

from datetime import datetime

from incident.actions.dispatch import start
from incident.actions.ledger import transaction
from incident.actions.preparing import ACTOR
from incident.domain.errors import Refused
from incident.domain.notices import Stage
from incident.store import dispatches, notices
from incident.store.db import db
from incident.store.incidents import Incident


def scheduled(now: datetime) -> list[str]:
    """The approved notices whose time has come and that were never begun; one that was only rehearsed waits for a person.

    So does one whose start was refused: it was tried once, and its page says why.
    """
    if dispatches.frozen():
        return []
    found = []
    for ref in notices.due_to_send(now):
        text = notices.anywhere(ref)
        version = notices.version(text.id, text.number) if text else None
        if (
            version
            and not version.reason
            and not any(dispatches.of_version(version.id, simulated=simulated) for simulated in (True, False))
        ):
            found.append(ref)
    return found


def start_scheduled(ref: str, *, only_sandbox: bool, now: datetime) -> None:
    """Begin to send a notice at the time it was approved for. A refusal is kept with the version, for a person to see."""
    text = notices.anywhere(ref)
    case = db.session.get(Incident, text.incident_id) if text else None
    if case is None:
        return
    try:
        start(case.ref, ref, only_sandbox=only_sandbox, pace=None, actor=ACTOR, now=now)
    except Refused as refusal:
        _kept_back(case.ref, ref, str(refusal), now)


def _kept_back(incident: str, ref: str, why: str, now: datetime) -> None:
    """Write down that a notice did not go out at its time, and why; nothing to do while all sending is frozen."""
    with transaction(ACTOR, now) as ledger:
        text = notices.anywhere(ref)
        version = notices.version(text.id, text.number) if text else None
        if text is None or version is None or text.stage != Stage.APPROVED or dispatches.frozen():
            ledger.unchanged()
            return
        version.reason = why
        ledger.write("dispatch.not_started", ref, incident=incident, version=version.number)
