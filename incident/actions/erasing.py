"""Erase people for good, and turn the key ring: what is gone stays gone, also after a restore."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from incident.actions import counts, people
from incident.actions.ledger import transaction
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.people import State
from incident.store import imports as lists
from incident.store import erasures, incidents, letters, sealed  # noqa: F401
from incident.store import people as rows
from incident.store.db import db
from incident.store.people import Person
from incident.store.sealed import Sealer, sealer

AT_ONCE: Final = 50


def erase_person(ref: str, person_ref: str, *, actor: str, now: datetime) -> None:
    """Destroy one person's contact data, with all earlier forms; who was told when stays. Raises Missing, Refused."""
    with transaction(actor, now) as ledger:
        incident = incidents.by_ref(ref)
        if incident is None:
            raise Missing
        person = people.by_person_ref(incident, person_ref)
        if person.state == State.ERASED:
            raise Refused("The contact data of this person was erased already.")
        _empty(person, sealer(incident.id))
        ledger.write("person.erased", person.ref, incident=ref)
        sealed.note_person_erased(incident.id, person.number)


def _empty(person: Person, key: Sealer) -> None:
    marks = people.marks_of(key, people.record_of(key, person))
    plain = person.plain._replace(has_email=False, has_phone=False, has_address=False, has_push=False, doubts="")
    rows.move(person, state=State.ERASED, plain=plain)
    person.sealed = person.whole = b""
    person.version += 1
    rows.forget_past(person.id)
    people.give_up(person.incident_id, key, person.number, marks)


def erase_incident(ref: str, *, confirm: str, folder: Path, actor: str, now: datetime) -> int:
    """Destroy the key to all personal data of an incident; how many people that were. Raises Invalid, Refused, Missing.

    Texts, counts, findings, deliveries and the record stay and still verify. `confirm` is the reference, typed again.
    """
    if confirm != ref:
        raise Invalid("confirm", f"Type the reference {ref} to confirm.")
    with transaction(actor, now) as ledger:
        incident = incidents.by_ref(ref)
        if incident is None:
            raise Missing
        name = sealed.key_ref(incident.id)
        if name is None:
            raise Refused("This incident holds no personal data.")
        if not sealed.destroy(incident.id, now=now):
            raise Refused("The personal data of this incident was erased already.")
        rows.drop_marks(incident.id)
        number = counts.counted(incident.id).active
        ledger.write("incident.erased", ref, incident=ref, people=number)
        sealed.ring().note_erased(name)
        stored = [*lists.stored_files(incident.id), *letters.stored_files(incident.id)]
    for stored_as in stored:
        (folder / stored_as).unlink(missing_ok=True)
    return number


def erase_again(*, actor: str, now: datetime) -> int:
    """After a restore: erase what an older copy of the database brought back; how many keys and people that were."""
    with transaction(actor, now) as ledger:
        keys = sealed.erase_again(now=now)
        again = [person for person in _brought_back() if not sealed.is_erased(person.incident_id)]
        for person in again:
            _empty(person, sealer(person.incident_id))
        if not keys and not again:
            ledger.unchanged()
            return 0
        ledger.write("erasures.repeated", "instance", keys=keys, people=len(again))
    return keys + len(again)


def _brought_back() -> Sequence[Person]:
    found = (rows.by_number(incident_id, number) for incident_id, number in sealed.erased_everywhere())
    return [person for person in found if person is not None and person.state != State.ERASED]


def rotate_keys(*, drop_old: bool, actor: str, now: datetime) -> int:
    """Make a new master key and wrap every data key by it; how many were wrapped. Called again it finishes what was begun.

    With `drop_old`, older master keys that nothing needs any more are destroyed: copies of the database made before
    cannot be opened with this ring then.
    """
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
        ledger.write("keys.rewrapped", incident.ref if incident else "house", number=sealed.ring().current)
    return 1


def _drop_old(actor: str, now: datetime) -> None:
    for number in sealed.ring().numbers:
        if number != sealed.ring().current and number not in sealed.masters_in_use():
            with transaction(actor, now) as ledger:
                ledger.write("keys.dropped", "ring", number=number)
                sealed.ring().drop_master(number)
