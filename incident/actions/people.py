"""The registry of affected people: the only room that opens it, but for imports and dispatch. Looking leaves a line.

Screens get masked values; `look` shows one person and says so in the record; `addressees` opens a batch for those who
write to people, who leave their own line for the batch.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from incident.actions import assessment, contacts, envelopes, throttled, typed_in
from incident.actions.batches import compact, place
from incident.actions.ledger import Ledger, transaction
from incident.actions.remedies import let_go
from incident.domain import columns, revealing
from incident.domain import people as rules
from incident.domain.check_codes import PURPOSE, own_part
from incident.domain.errors import Invalid, Missing
from incident.domain.people import Addressee, Plain, Reach, Record, State
from incident.domain.stale import Stale
from incident.store import imports, incidents, remedies, search
from incident.store import people as rows
from incident.store.db import db
from incident.store.incidents import Incident
from incident.store.people import Filter as Filter
from incident.store.people import Pair, Past, Person, Wave
from incident.store.sealed import Sealer, sealer

PAGE: Final = 50
REVEAL: Final = "reveal"
FIND: Final = "find"
"""What one person may see in clear, and search for, in an hour: the names of the limits."""


@dataclass(frozen=True)
class Shown:
    """One person as a list shows them."""

    number: int
    ref: str
    masked: dict[str, str]
    plain: Plain
    state: str
    wave: int
    version: int

    @property
    def reach(self) -> Reach:
        """The ways in which this person can be reached."""
        return rules.reach(self.plain)

    def is_reached_by(self, way: Reach) -> bool:
        """Whether this way leads to the person."""
        return bool(self.reach & way)


@dataclass(frozen=True)
class Opened:
    """One person in clear, for whoever gave a reason."""

    shown: Shown
    record: Record
    addressee: Addressee
    parts: tuple[str, ...]


def waves(ref: str) -> Sequence[Wave]:
    """The waves of this incident. Raises Missing."""
    return rows.waves(_incident(ref).id)


def page(ref: str, chosen: Filter, *, after: int = 0, limit: int = PAGE) -> list[Shown]:
    """People by number, masked. Raises Missing, Erased."""
    incident = _incident(ref)
    found = rows.page(incident.id, chosen, after=after, limit=limit)
    return _shown(incident.id, found)


def one(ref: str, person_ref: str) -> Shown:
    """One person, masked. Raises Missing, Erased."""
    incident = _incident(ref)
    return _shown(incident.id, [by_person_ref(incident, person_ref)])[0]


def of_numbers(incident_id: int, numbers: Sequence[int]) -> dict[int, Shown]:
    """These people of this incident, masked, by number."""
    found = rows.by_numbers(incident_id, numbers)
    return {shown.number: shown for shown in _shown(incident_id, list(found.values()))}


def find(ref: str, text: str, *, actor: str, now: datetime) -> list[Shown]:
    """Who in this incident has exactly this e-mail address, telephone number or reference, masked. The search leaves a line."""
    throttled.take(FIND, actor, now=now)
    incident = _incident(ref)
    key = sealer(incident.id)
    marks = {key.mark(purpose, value) for purpose, value in sought(text)}
    with transaction(actor, now) as ledger:
        found = holding(key, marks, search.holders([(incident.id, mark) for mark in sorted(marks)]))
        ledger.write("person.found", ref, incident=ref, found=len(found))
    return veiled(key, found)


def holding(key: Sealer, marks: Collection[bytes], people: Iterable[Person]) -> list[Person]:
    """Those of these people whose record has one of these marks as it stands now."""
    return [person for person in people if not set(marks).isdisjoint(marks_of(key, record_of(key, person)))]


def sought(text: str) -> list[tuple[str, str]]:
    text = columns.cleaned(text)
    if not text:
        raise Invalid("find", "Give an e-mail address, a telephone number with its country code, or your reference.")
    return rules.marked_by(
        {"email": contacts.email(text) or text, "phone": contacts.phone(text, "") or text, "reference": text}
    )


def veiled(key: Sealer, people: Sequence[Person]) -> list[Shown]:
    return [_one_shown(person, record_of(key, person)) for person in people]


def _shown(incident_id: int, people: Sequence[Person]) -> list[Shown]:
    return veiled(sealer(incident_id), people) if people else []


def _one_shown(person: Person, record: Mapping[str, str]) -> Shown:
    return Shown(
        person.number, person.ref, rules.masked(record), person.plain, person.state, person.wave, person.version
    )


def look(
    ref: str, person_ref: str, *, why: str, parts: Collection[str] = tuple(revealing.PARTS), actor: str, now: datetime
) -> Opened:
    """These parts of one person's record in clear. The look leaves a line with its reason and the parts.

    Raises Invalid, Missing, Erased, TooMany.
    """
    why, asked = revealing.reason(why), revealing.parts(parts)
    throttled.take(REVEAL, actor, now=now)
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        person = by_person_ref(incident, person_ref)
        key = sealer(incident.id)
        record, code = record_of(key, person), own_part(person.number, key.mark(PURPOSE, str(person.number)))
        ledger.write("person.seen", person.ref, incident=ref, why=why, parts=list(asked))
    clear = revealing.shown(record, asked)
    return Opened(_one_shown(person, record), clear, rules.addressed(person.number, clear, person.plain, code), asked)


def addressees(
    incident_id: int,
    person_ids: Sequence[int],
    *,
    only_listed: bool = False,
    with_codes: bool = False,
    key: Callable[[int], Sealer] = sealer,
) -> dict[int, Addressee]:
    """Whom to write to for each of these people, opened together. The erased are not among them. Raises Erased.

    With `only_listed`, neither are those who were taken off the list or joined to another since; with `with_codes` they
    have the codes of the remedies that they were given.

    For those who write to people: they leave a line for their batch. Pages use `look`. `key` opens the data key.
    """
    found = envelopes.of(incident_id, person_ids, only_listed=only_listed, key=key)
    opened = found.opened()
    if not with_codes:
        return opened
    codes = remedies.codes(incident_id, [one.number for one in opened.values()], found.key)
    return {id_: one._replace(remedies=codes.get(one.number, ())) for id_, one in opened.items()}


def add(ref: str, values: Mapping[str, str], *, wave: int = 0, actor: str, now: datetime) -> str:
    """Put one person on the list by hand; their reference. Wave 0 is the latest. Raises Invalid, Missing.

    `values` are the correctable fields with `place`, `language`, `age` and `exposed` (words, separated by spaces).
    """
    record, plain = typed_in.judged({}, values)
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        key = sealer(incident.id)
        number = rows.take_numbers(incident.id, 1)
        text = compact(record)
        clashes = rows.hold(incident.id, [(mark, number) for mark in marks_of(key, record)])
        state = State.SUSPECT if clashes else State.ACTIVE
        wave = _wave(incident.id, wave, now)
        box = key.seal(place(number, 1), text.encode())
        rows.insert([(incident.id, number, None, None, wave, state.value, *plain, 1, key.mark("whole", text), box)])
        _pair_up(incident.id, key, number, record, clashes)
        rows.count(Counter({rows.tally_key(incident.id, wave, state, plain): 1}))
        ledger.write("person.added", f"P-{number}", incident=ref, wave=wave, suspect=bool(clashes))
        assessment.refresh_for(incident, wave, ledger, now)
    return f"P-{number}"


def _wave(incident_id: int, wave: int, now: datetime) -> int:
    known = [row.number for row in rows.waves(incident_id)]
    if wave and wave not in known:
        raise Invalid("wave", "Choose a wave of this incident.")
    return wave or (known[-1] if known else rows.new_wave(incident_id, "", now=now))


def _pair_up(
    incident_id: int, key: Sealer, number: int, record: Record, clashes: Sequence[tuple[bytes, int, int]]
) -> None:
    purposes = {key.mark(purpose, value): purpose for purpose, value in rules.marked_by(record)}
    shared: dict[int, list[str]] = {}
    for mark, _, holder in clashes:
        shared.setdefault(holder, []).append(purposes[mark])
    known = {pair.twin for pair in rows.pairs_of(incident_id, number)} | {
        pair.number for pair in rows.pairs_of(incident_id, number)
    }
    rows.pair(
        incident_id,
        [(number, holder, " ".join(sorted(by)), False) for holder, by in shared.items() if holder not in known],
    )


def amend(
    incident: Incident,
    person: Person,
    changes: Mapping[str, str],
    reason: str,
    ledger: Ledger,
    *,
    version: int | None = None,
) -> list[str]:
    """Correct one person inside the caller's transaction; the fields that changed. Raises Invalid, Refused, Stale."""
    rules.must_be_live(person.state)
    rules.must_have_arrived(imports.is_settled(person.import_id))
    if version is not None and person.version != version:
        raise Stale()
    key = sealer(incident.id)
    before = record_of(key, person)
    record, plain = typed_in.judged(before, changes, person.plain)
    changed = typed_in.changed(before, record, person.plain, plain)
    if changed:
        rewrite(person, key, record, plain, reason=reason, changed=changed, actor=ledger.actor, now=ledger.now)
        _hold_anew(incident.id, key, person.number, before, record)
        fields = " ".join(changed)[:200]
        ledger.write("person.corrected", person.ref, incident=incident.ref, fields=fields, version=person.version)
    return changed


def rewrite(
    person: Person,
    key: Sealer,
    record: Record,
    plain: Plain,
    *,
    reason: str,
    changed: Sequence[str],
    actor: str,
    now: datetime,
) -> None:
    """Give a person a new record and keep the old one as it was. Call inside a transaction."""
    past = Past(
        person_id=person.id,
        version=person.version,
        plain=person.plain._asdict(),
        sealed=person.sealed,
        reason=key.seal(f"person_past.reason:{person.number}:{person.version}", reason.encode()),
        changed=" ".join(changed),
        changed_at=now,
        changed_by=actor,
    )
    db.session.add(past)
    text = compact(record)
    person.version += 1
    person.sealed = key.seal(place(person.number, person.version), text.encode())
    person.whole = key.mark("whole", text)
    rows.move(person, plain=plain)


def _hold_anew(incident_id: int, key: Sealer, number: int, before: Record, record: Record) -> None:
    """Marks the person no longer has go to the next who has them; a new one somebody else has makes a pair to decide."""
    old, new = marks_of(key, before), marks_of(key, record)
    give_up(incident_id, key, number, [mark for mark in old if mark not in new])
    clashes = rows.hold(incident_id, [(mark, number) for mark in new if mark not in old])
    _pair_up(incident_id, key, number, record, clashes)


def give_up(incident_id: int, key: Sealer, number: int, marks: Sequence[bytes]) -> None:
    """Take marks from a person; whoever was paired with them for one of these holds it from now on."""
    mine = [mark for mark, holder in rows.held(incident_id, marks).items() if holder == number]
    if not mine:
        return
    rows.let_go(incident_id, number, mine)
    others = sorted(
        {other for pair in rows.pairs_of(incident_id, number) for other in (pair.number, pair.twin)} - {number}
    )
    for start in range(0, len(others), PAGE):
        for other, person in sorted(rows.by_numbers(incident_id, others[start : start + PAGE]).items()):
            if person.state in {State.ACTIVE, State.SUSPECT}:
                theirs = [mark for mark in marks_of(key, record_of(key, person)) if mark in mine]
                rows.hold(incident_id, [(mark, other) for mark in theirs])
                mine = [mark for mark in mine if mark not in theirs]
        if not mine:
            return


def remove(ref: str, person_ref: str, *, actor: str, now: datetime) -> None:
    """Take a person off the list who does not belong on it. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        person = by_person_ref(incident, person_ref)
        rules.must_be_live(person.state)
        rules.must_have_arrived(imports.is_settled(person.import_id))
        key = sealer(incident.id)
        rows.move(person, state=State.REMOVED)
        let_go(incident, person, ledger)
        give_up(incident.id, key, person.number, marks_of(key, record_of(key, person)))
        ledger.write("person.removed", person.ref, incident=ref)


def past(ref: str, person_ref: str) -> Sequence[Past]:
    """When and by whom this person was corrected, newest first; what it said stays sealed. Raises Missing."""
    return rows.past(by_person_ref(_incident(ref), person_ref).id)


def pairs_of(ref: str, person_ref: str) -> Sequence[Pair]:
    """The pairs this person is in. Raises Missing."""
    incident = _incident(ref)
    return rows.pairs_of(incident.id, by_person_ref(incident, person_ref).number)


def masked_list(ref: str, chosen: Filter, *, actor: str, now: datetime) -> Iterator[Sequence[Any]]:
    """The masked list as a table, header first, a thousand at a time. Taking it leaves a line. Raises Missing, Erased."""
    with transaction(actor, now) as ledger:
        ledger.write("people.listed", ref, incident=_incident(ref).ref)
    return _list_table(ref, chosen)


def _list_table(ref: str, chosen: Filter) -> Iterator[Sequence[Any]]:
    yield (
        "person",
        "name",
        "email",
        "phone",
        "address",
        "place",
        "language",
        "exposed",
        "age",
        "represented",
        "wave",
        "state",
        "doubts",
    )
    after = 0
    while found := page(ref, chosen, after=after, limit=1_000):
        for shown in found:
            masked, plain = shown.masked, shown.plain
            contact = (masked["name"], masked["email"], masked["phone"], masked["address"])
            rest = (
                plain.place,
                plain.language,
                plain.exposed,
                plain.age,
                plain.represented,
                shown.wave,
                shown.state,
                plain.doubts,
            )
            yield (shown.ref, *contact, *rest)
        after = found[-1].number


def marks_of(key: Sealer, record: Mapping[str, str]) -> list[bytes]:
    """The marks by which this record is found again."""
    return [key.mark(purpose, value) for purpose, value in rules.marked_by(record)]


def record_of(key: Sealer, person: Person) -> Record:
    """The record of this person, opened; empty once it was erased."""
    if person.state == State.ERASED:
        return {}
    record: Record = json.loads(key.unseal(place(person.number, person.version), person.sealed))
    return record


def by_person_ref(incident: Incident, person_ref: str) -> Person:
    """The person with this reference in this incident. Raises Missing."""
    digits = person_ref.removeprefix("P-")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
    person = rows.by_number(incident.id, number)
    if person is None:
        raise Missing
    return person


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing
    return incident
