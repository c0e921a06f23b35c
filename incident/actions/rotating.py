"""Turn the key ring: a new master key, every data key wrapped by it, old master keys destroyed. May be interrupted anywhere."""

import json
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import select

from incident.actions.ledger import transaction
from incident.store import incidents, sealed
from incident.store.audit import AuditLine
from incident.store.db import db

AT_ONCE: Final = 50
FIRST: Final = 1
"""The number of the master key that the first start makes."""


def rotate_keys(*, drop_old: bool, actor: str, now: datetime) -> int:
    """Make a new master key and wrap every data key by it; how many were wrapped. Called again it finishes what was begun.

    With `drop_old`, older master keys that nothing needs any more are destroyed: copies of the database made before
    cannot be opened with this ring then.
    """
    _tell_what_was_begun(actor, now)
    if not sealed.to_wrap_anew(1):
        with transaction(actor, now) as ledger:
            ledger.write("keys.added", "ring", number=sealed.ring().add_master())
    wrapped = 0
    while owners := sealed.to_wrap_anew(AT_ONCE):
        for owner in owners:
            wrapped += _wrap_anew(owner, actor, now)
    if drop_old:
        _drop_old(actor, now)
    return wrapped


def masters() -> list[int]:
    """The numbers of the master keys at hand, oldest first; the last is in use."""
    return sealed.ring().numbers


def _wrap_anew(owner: int, actor: str, now: datetime) -> int:
    with transaction(actor, now) as ledger:
        sealed.wrap_anew(owner)
        incident = db.session.get(incidents.Incident, owner) if owner else None
        whose = incident.ref if incident else "report" if owner < 0 else "house"
        ledger.write("keys.rewrapped", whose, number=sealed.ring().current)
    return 1


def _drop_old(actor: str, now: datetime) -> None:
    for number in sealed.ring().numbers:
        with transaction(actor, now) as ledger:  # nobody wraps by an old one meanwhile: they would write too
            if number == sealed.ring().current or number in sealed.masters_in_use():
                ledger.unchanged()
                continue
            ledger.write("keys.dropped", "ring", number=number)
            ledger.at_last(partial(sealed.ring().drop_master, number))


def _tell_what_was_begun(actor: str, now: datetime) -> None:
    """A process that was killed right after it made or destroyed a file left no line of that; it is told now."""
    added, dropped = _told("keys.added"), _told("keys.dropped")
    there = set(sealed.ring().numbers)
    with transaction(actor, now) as ledger:
        for number in sorted(there - added - {FIRST}):
            ledger.write("keys.added", "ring", number=number)
        for number in sorted((added | {FIRST}) - there - dropped):
            ledger.write("keys.dropped", "ring", number=number)
        if not ledger.lines:
            ledger.unchanged()


def _told(verb: str) -> set[int]:
    found = db.session.scalars(select(AuditLine.details).where(AuditLine.verb == verb, AuditLine.subject == "ring"))
    return {int(json.loads(told)["number"]) for told in found}
