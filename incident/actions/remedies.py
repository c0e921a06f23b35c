"""Set up what is offered to people, bring its codes, give each person one, note which were redeemed. No code stands in a line."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Final

from incident.actions.ledger import Ledger, transaction
from incident.domain import incidents as incident_rules
from incident.domain import merges, starters
from incident.domain import remedies as rules
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.musts import Duty, Hurdle
from incident.domain.people import Audience
from incident.domain.remedies import Counted, Offer, Pool
from incident.domain.stale import demand_seen
from incident.store import audiences, incidents, notices
from incident.store import remedies as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.notices import NoticeVersion
from incident.store.people import Person
from incident.store.remedies import SEALED, Remedy
from incident.store.sealed import Sealer, sealer

AT_ONCE: Final = 5_000
LONGEST_LINE: Final = 2_000
PROMISED: Final = (
    "A notice that was submitted or approved tells people of this remedy as it is now. Edit that notice first, which ends "
    "its approval; then change the remedy, and submit the notice again."
)
CHANGED: Final = (
    "What is offered to people is described otherwise now than in the approved text. Edit the notice, which ends its approval, "
    "and submit it again."
)
HEADERS: Final = frozenset(
    {"code", "codes", "voucher", "activation code", "promo code", "兑换码", "激活码", "gutscheincode"}
)


# What is offered -------------------------------------------------------------------------------------------------------


def offer(incident: str, given: Mapping[str, Any], *, actor: str, now: datetime) -> str:
    """Set up a remedy; its reference. Raises Invalid, Refused, Missing."""
    said = rules.offered(given, today=now.date(), languages=starters.languages())
    with transaction(actor, now) as ledger:
        case = _open(incident)
        number = rules.demand_room([row.number for row in rows.of_incident(case.id)])
        row = Remedy(ref=new_ref("RM"), incident_id=case.id, number=number, made_at=now, made_by=actor)
        _write(row, said, now)
        db.session.add(row)
        _line(ledger, "remedy.offered", row, case.ref)
    return row.ref


def change(
    incident: str, ref: str, given: Mapping[str, Any], *, seen: str | None = None, actor: str, now: datetime
) -> None:
    """Describe a remedy anew. Raises Invalid, Refused, Missing, Stale where somebody else changed it since `seen`."""
    with transaction(actor, now) as ledger:
        case, row = _one(incident, ref)
        demand_seen(seen, row.changed_at.isoformat())
        day = min(now.date(), row.until or now.date())  # one that is over may be described still
        said = rules.offered(given, today=day, languages=starters.languages())
        if said.to_json() == row.offer.to_json():
            ledger.unchanged()
            return
        rules.demand_changeable(row.offer, said, given=row.given)
        if any(rules.is_named_by(version.contents, row.number) for version in notices.awaited(case.id)):
            raise Refused(PROMISED)
        _write(row, said, now)
        _line(ledger, "remedy.changed", row, case.ref)


def _write(row: Remedy, said: Offer, now: datetime) -> None:
    row.name, row.services, row.months, row.provider = said.name, list(said.services), said.months, said.provider
    row.until, row.coded, row.how, row.changed_at = said.until, said.coded, dict(said.how or {}), now


# Its codes -------------------------------------------------------------------------------------------------------------


def bring(incident: str, ref: str, file: BinaryIO, *, actor: str, now: datetime) -> Counted:
    """Take in a file of codes, the first column of a CSV: all of it or nothing. Raises Invalid, Refused, Missing.

    A code that is here already in this incident is counted and left out, so that a file may be brought twice.
    """
    with transaction(actor, now) as ledger:
        case, row = _one(incident, ref)
        if not row.coded:
            raise Refused("This remedy goes without codes: say first that each person gets one.")
        key, serial = sealer(case.id), rows.last_serial(row.id)
        taken = known = refused = empty = 0
        for words in _batches(_cells(file)):
            codes = [code for word in words if (code := rules.code(word))]
            blank = sum(not word.strip() for word in words)
            fresh = _fresh(case.id, key, codes)
            rows.add([_sealed(row, key, serial + place, *pair) for place, pair in enumerate(fresh, start=1)])
            serial, taken = serial + len(fresh), taken + len(fresh)
            known, refused, empty = (
                known + len(codes) - len(fresh),
                refused + len(words) - blank - len(codes),
                empty + blank,
            )
        if not taken + known:
            raise Invalid(
                "file", "There is no code in this file: it wants one a line, or as the first column of a CSV."
            )
        row.codes += taken
        ledger.write("remedy.codes_brought", row.ref, incident=case.ref, taken=taken, known=known, refused=refused)
    return Counted(taken, known, refused, empty)


def _fresh(incident_id: int, key: Sealer, codes: Sequence[str]) -> list[tuple[bytes, str]]:
    """The codes with their marks, each once, that the incident has not yet."""
    mark = key.marker(rules.PURPOSE)
    marked = {mark(rules.normal(code)): code for code in reversed(codes)}
    held = rows.known(incident_id, list(marked))
    return [(found, code) for found, code in reversed(marked.items()) if found not in held]


def _sealed(row: Remedy, key: Sealer, serial: int, mark: bytes, code: str) -> tuple[int, int, int, bytes, bytes]:
    box = key.seal(f"{SEALED}{row.number}:{serial}", code.encode())
    return row.id, row.incident_id, serial, mark, box


def _cells(file: BinaryIO) -> Iterator[str]:
    """The first cell of each row, without the header if there is one. Raises Invalid."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    count = 0
    try:
        for row in csv.reader(_short(text)):
            count += 1
            if count == 1 and row and row[0].strip().casefold() in HEADERS:
                continue
            if count > rules.MOST_CODES + 1:
                raise Invalid("file", f"Bring at most {rules.MOST_CODES:,} codes in one file.")
            yield row[0] if row else ""
    except UnicodeDecodeError:
        raise Invalid("file", "This is no text in UTF-8. Save it as CSV UTF-8 and bring it again.") from None
    except csv.Error:
        raise Invalid("file", f"Line {count + 1} cannot be read as CSV.") from None
    finally:
        text.detach()


def _short(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_LINE or "\0" in line:
            raise Invalid("file", "This is no list of codes: a line of it is longer than any code.")
        yield line


def _batches(words: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for word in words:
        some.append(word)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def drop_unused(incident: str, ref: str, *, typed: str, actor: str, now: datetime) -> int:
    """Destroy the codes that nobody was given, such as a wrong file; how many. `typed` is that number. Raises Invalid, Missing."""
    with transaction(actor, now) as ledger:
        case, row = _one(incident, ref)
        if typed.replace(",", "").strip() != str(row.free) or not row.free:
            raise Invalid("typed", f"Type the number of codes that can still be given: {row.free:,}.")
        gone = rows.remove_free(row)
        ledger.write("remedy.codes_dropped", row.ref, incident=case.ref, count=gone)
    return gone


def redeem(incident: str, ref: str, file: BinaryIO, *, actor: str, now: datetime) -> Counted:
    """Note which codes the provider says were redeemed: `taken` are new, `known` were noted before, `refused` are none of ours.

    Raises Invalid, Missing.
    """
    with transaction(actor, now) as ledger:
        case, row = _one(incident, ref)
        mark = sealer(case.id).marker(rules.PURPOSE)
        taken = known = refused = empty = 0
        for words in _batches(_cells(file)):
            marks = [mark(rules.normal(code)) for word in words if (code := rules.code(word))]
            blank, once = sum(not word.strip() for word in words), sorted(set(marks))
            fresh, before = rows.redeem(row, once, now)
            taken, known, empty = taken + fresh, known + before + len(marks) - len(once), empty + blank
            refused += len(words) - blank - len(marks) + len(once) - fresh - before
        ledger.write("remedy.redeemed", row.ref, incident=case.ref, taken=taken, known=known, refused=refused)
    return Counted(taken, known, refused, empty)


# To whom ---------------------------------------------------------------------------------------------------------------


def given_to(incident: Incident, wanted: Sequence[int], people: Sequence[int], ledger: Ledger) -> bool:
    """Give these people a code of each of these remedies inside the caller's transaction; False where there are too few.

    Who has one keeps it. Where it comes to False the caller's transaction may go on: nothing was given.
    """
    found = [row for row in rows.of_incident(incident.id, locked=True) if row.number in wanted]
    lacking = {row.id: rows.without(row.id, people) for row in found}
    if len(found) < len(wanted) or any(row.free < len(lacking[row.id]) for row in found):
        return False
    for row in found:
        count = len(lacking[row.id])
        if not count:
            continue
        if not rows.give(row, lacking[row.id], ledger.now):
            raise RuntimeError(f"The counts of {row.ref} do not fit its codes: run tocsin check.")
        ledger.write("remedy.given", row.ref, incident=incident.ref, people=count)
    return True


def let_go(incident: Incident, person: Person, ledger: Ledger) -> int:
    """Put the codes of somebody who is told nothing more back, if they cannot have left; how many. Inside a transaction."""
    back = 0
    if not rows.of_person(incident.id, person.number):
        return back
    rows.of_incident(incident.id, locked=True)
    for code, row in rows.of_person(incident.id, person.number):
        if code.redeemed_at is None and not rows.were_posted(code, person.id):
            rows.take_back(code, row)
            ledger.write("remedy.taken_back", row.ref, incident=incident.ref, person=person.ref)
            back += 1
    return back


# What stands in the way of a notice ------------------------------------------------------------------------------------


def pools(incident_id: int) -> tuple[Pool, ...]:
    """The remedies of an incident as rules look at them."""
    return tuple(row.pool for row in rows.of_incident(incident_id))


def offers(incident_id: int) -> tuple[tuple[int, Offer], ...]:
    """What each remedy of an incident says, by its number: for the texts that name it."""
    return tuple((row.number, row.offer) for row in rows.of_incident(incident_id))


def hurdles(
    incident_id: int, audience: Audience, wanted: Sequence[int], duties: Sequence[Duty], day: date
) -> tuple[Hurdle, ...]:
    """What keeps a notice back: codes that are too few or over, and services that a law wants and nobody offers.

    `wanted` are the numbers of the remedies whose codes its texts give.
    """
    held = rows.of_incident(incident_id)
    known = tuple(row.pool for row in held)
    owed = [(one, duty.cite) for duty in duties for one in duty.owed]
    missing = set(rules.unmet([one for one, _ in owed], known))
    by_law = [
        Hurdle("what_we_offer", rules.lacking_words(one, known), cites=(cite,))
        for one, cite in dict.fromkeys(owed)
        if one in missing
    ]
    return (*by_law, *_of_codes(incident_id, audience, held, wanted, day))


def _of_codes(
    incident_id: int, audience: Audience, held: Sequence[Remedy], wanted: Sequence[int], day: date
) -> Iterator[Hurdle]:
    for number in wanted:
        row = next((row for row in held if row.number == number), None)
        if row is None or not row.coded:
            yield Hurdle(
                rules.field("code", number),
                f"{{{{ {rules.field('code', number)} }}}}: no remedy of this incident has that number and codes.",
            )
            continue
        people = audiences.without_code(incident_id, audience, row.id)
        for sentence in (rules.short(row.pool, people), rules.ended(row.pool, day)):
            if sentence:
                yield Hurdle(rules.field("code", number), sentence)


def demand_codes(incident_id: int, audience: Audience, version: NoticeVersion, now: datetime) -> None:
    """Raises Refused where a sending of this version would run out of codes, give some that are over, or promise what is not offered."""
    found = hurdles(incident_id, audience, rules.used_by(version.contents), (), now.date())
    if found:
        raise Refused(f"It cannot be sent yet. {found[0].sentence}")
    held = offers(incident_id)
    for language, frozen in version.contents["values"].items():
        stands = merges.remedy_values(held, starters.words(language))
        if any(stands.get(name) != word for name, word in frozen.items() if rules.NAMED.fullmatch(name)):
            raise Refused(CHANGED)


def _open(ref: str) -> Incident:
    case = incidents.by_ref(ref)
    if case is None:
        raise Missing()
    incident_rules.must_be_open(case.state)
    return case


def _one(incident: str, ref: str) -> tuple[Incident, Remedy]:
    case = incidents.by_ref(incident)
    row = rows.by_ref(case.id, ref, locked=True) if case else None
    if case is None or row is None:
        raise Missing()
    return case, row


def _line(ledger: Ledger, verb: str, row: Remedy, incident: str) -> None:
    ledger.write(
        verb,
        row.ref,
        incident=incident,
        number=row.number,
        services=list(row.services),
        months=row.months,
        coded=row.coded,
    )
