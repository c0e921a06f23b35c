"""Erase people for good, one or all of an incident: asked for, agreed to, done with a certificate. Gone also after a restore."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from incident.actions import counts, destroying, people, untellable
from incident.actions.destroying import Destroyed
from incident.actions.ledger import Ledger, instant, transaction
from incident.actions.remedies import let_go
from incident.domain import erasures as rules
from incident.domain.erasures import State as Standing
from incident.domain.errors import Missing, Refused
from incident.domain.people import State, must_have_arrived
from incident.store import audit, erasures, incidents, sealed, tips, traces, words
from incident.store import imports as lists
from incident.store import people as rows
from incident.store.db import db, new_ref
from incident.store.erasures import Erasure
from incident.store.incidents import Incident
from incident.store.people import Person
from incident.store.sealed import sealer


@dataclass(frozen=True)
class Answer:
    """What became of a wish to erase: its reference, whether it was done, and how many people that concerned."""

    ref: str
    done: bool
    people: int


def ask(
    ref: str,
    person_ref: str = "",
    *,
    confirm: str,
    why: str,
    by_two: bool,
    folder: Path,
    actor: str,
    now: datetime,
) -> Answer:
    """Erase a person, or without one all personal data of an incident; with `by_two` only once somebody else agrees.

    `confirm` is the reference, typed again. Raises Invalid, Refused (a legal hold stands, or it was erased), Missing.
    """
    why = rules.reason(why)
    rules.demand_typed(confirm, person_ref or ref)
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        person = people.by_person_ref(incident, person_ref) if person_ref else None
        _demand_possible(incident, person)
        if erasures.asked(incident.id, person.number if person else None) is not None:
            raise Refused(
                "Somebody asked for this erasure already. A second person has to agree to it, or to refuse it."
            )
        wish = _wish(incident, person, why, actor, now)
        concerned = 1 if person else counts.counted(incident.id).active
        done = Destroyed()
        if by_two:
            ledger.write("erasure.asked", wish.ref, incident=ref, about=person_ref or ref, why=why)
        else:
            done = _carried_out(incident, person, wish, ledger)
    _leave_nothing(done, folder)
    return Answer(wish.ref, not by_two, concerned)


def agree(ref: str, erasure_ref: str, *, confirm: str, folder: Path, actor: str, now: datetime) -> Answer:
    """The second person's yes: now it is erased. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        wish = _open(incident, erasure_ref)
        rules.demand_second(actor, asked_by=wish.asked_by)
        rules.demand_typed(confirm, wish.person or ref)
        person = people.by_person_ref(incident, wish.person) if wish.number else None
        _demand_possible(incident, person)
        concerned = 1 if person else counts.counted(incident.id).active
        done = _carried_out(incident, person, wish, ledger)
    _leave_nothing(done, folder)
    return Answer(erasure_ref, True, concerned)


def decline(ref: str, erasure_ref: str, *, actor: str, now: datetime) -> None:
    """Say no to an erasure, or take one's own wish back. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        wish = _open(_incident(ref), erasure_ref)
        wish.state, wish.decided_by, wish.decided_at = Standing.REFUSED, actor, now
        ledger.write("erasure.refused", wish.ref, incident=ref, about=wish.person or ref)


def is_gone(incident_id: int) -> bool:
    """Whether all personal data of this incident was erased."""
    return sealed.is_erased(incident_id)


def certificate(ref: str, erasure_ref: str) -> Erasure:
    """An erasure that was done, with its certificate. Raises Missing."""
    wish = erasures.by_ref(_incident(ref).id, erasure_ref)
    if wish is None or wish.certificate is None:
        raise Missing
    return wish


def erase_person(ref: str, person_ref: str, *, folder: Path, actor: str, now: datetime, why: str = "request") -> Answer:
    """Destroy one person's contact data at once; who was told when stays. Raises Missing, Refused."""
    return ask(ref, person_ref, confirm=person_ref, why=why, by_two=False, folder=folder, actor=actor, now=now)


def erase_incident(ref: str, *, confirm: str, folder: Path, actor: str, now: datetime, why: str = "purpose") -> int:
    """Destroy the key to all personal data of an incident at once; how many people that were. Raises Invalid, Refused, Missing.

    Approved texts, counts, findings, deliveries and the record stay and still verify. `confirm` is the reference, typed again.
    """
    return ask(ref, confirm=confirm, why=why, by_two=False, folder=folder, actor=actor, now=now).people


def _leave_nothing(done: Destroyed, folder: Path) -> None:
    if done.gone:
        done.take_away(folder)
        traces.take_out()


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref, locked=True)
    if incident is None:
        raise Missing
    return incident


def _open(incident: Incident, erasure_ref: str) -> Erasure:
    wish = erasures.by_ref(incident.id, erasure_ref, locked=True)
    if wish is None:
        raise Missing
    if wish.state != Standing.ASKED:
        raise Refused("This erasure was decided already.")
    return wish


def _demand_possible(incident: Incident, person: Person | None) -> None:
    if sealed.key_ref(incident.id) is None:
        raise Refused("This incident holds no personal data.")
    if sealed.is_erased(incident.id):
        raise Refused("The personal data of this incident was erased already.")
    if person is not None and person.state == State.ERASED:
        raise Refused("The contact data of this person was erased already.")
    if person is not None:
        must_have_arrived(lists.is_settled(person.import_id))
    hold = erasures.hold(incident.id)
    rules.demand_free(hold.reason if hold else None)


def _wish(incident: Incident, person: Person | None, why: str, actor: str, now: datetime) -> Erasure:
    wish = Erasure(
        ref=new_ref("X"),
        incident_id=incident.id,
        number=person.number if person else None,
        why=why,
        state=Standing.ASKED,
        asked_by=actor,
        asked_at=now,
    )
    db.session.add(wish)
    db.session.flush()
    return wish


def _carried_out(incident: Incident, person: Person | None, wish: Erasure, ledger: Ledger) -> Destroyed:
    """Destroy, with the line and the certificate; the list outside the database is written last, right before the commit."""
    if person is not None:
        let_go(incident, person, ledger)
        done, verb, subject = destroying.person(person, sealer(incident.id)), "person.erased", person.ref
        ledger.at_last(partial(sealed.note_person_erased, incident.id, person.number))
    else:
        done, verb, subject = destroying.incident(incident), "incident.erased", incident.ref
        reported = tips.of_incident(incident.id)
        for key in tips.key_refs(reported):
            ledger.at_last(partial(sealed.ring().note_erased, key))
        done.files += tips.destroy(reported, now=ledger.now)
        name = sealed.key_ref(incident.id) or ""
        sealed.destroy(incident.id, now=ledger.now)
        words.forget_keys()
        ledger.at_last(partial(sealed.ring().note_erased, name))
    body = rules.body(
        ref=wish.ref,
        incident=incident.ref,
        person=wish.person,
        why=wish.why,
        asked=(wish.asked_by, instant(wish.asked_at)),
        decided=(ledger.actor, instant(ledger.now)),
        gone=done.gone,
        stays=done.stays,
    )
    told = {"people": counts.counted(incident.id).active} if person is None else {}
    ledger.write(
        verb, subject, incident=incident.ref, erasure=wish.ref, why=wish.why, digest=rules.digest(body), **told
    )
    if person is not None:
        untellable.end_for_person(incident, person.id, ledger)
    else:
        untellable.end_for_all(incident, ledger)
    ledger.last_acts.insert(0, partial(_certify, wish, body, incident.ref, verb, ledger))
    return done


def _certify(wish: Erasure, body: dict[str, object], incident_ref: str, verb: str, ledger: Ledger) -> None:
    """Keep the certificate: the lines of this transaction stand in the record now, and it names its own."""
    [line] = audit.timeline(incident_ref, limit=1, prefixes=(verb,))
    kept = rules.certificate(
        body, log=audit.identity(), line=line.seq, leaf=line.leaf.hex(), lines=audit.extent(incident_ref)
    )
    wish.certificate, wish.sha256 = kept, sha256(kept.encode()).hexdigest()
    wish.state, wish.decided_by, wish.decided_at = Standing.DONE, ledger.actor, ledger.now
    db.session.flush()


def erase_again(*, folder: Path, actor: str, now: datetime) -> int:
    """After a restore: erase what an older copy brought back, and its files; how many keys and people that were."""
    gone: list[Destroyed] = []
    with transaction(actor, now) as ledger:
        for incident_id in sealed.brought_back():
            incident = db.session.get(Incident, incident_id)
            if incident is not None:
                gone.append(destroying.incident(incident))
        keys = sealed.erase_again(now=now)
        again = [person for person in _brought_back() if not sealed.is_erased(person.incident_id)]
        for person in again:
            gone.append(destroying.person(person, sealer(person.incident_id)))
        if not keys and not again:
            ledger.unchanged()
            return 0
        ledger.write("erasures.repeated", "instance", keys=keys, people=len(again))
    for destroyed in gone:
        _leave_nothing(destroyed, folder)
    return keys + len(again)


def _brought_back() -> Sequence[Person]:
    found = (rows.by_number(incident_id, number) for incident_id, number in sealed.erased_everywhere())
    return [person for person in found if person is not None and person.state != State.ERASED]
