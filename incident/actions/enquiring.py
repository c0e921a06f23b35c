"""What all that people ask has in common: a row with its clock, sealed words, and what opens them again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from zoneinfo import ZoneInfo

from incident.actions import particulars
from incident.actions.ledger import Ledger
from incident.domain import drills
from incident.domain import enquiries as rules
from incident.domain.enquiries import Kind, Source, Terms
from incident.domain.errors import Missing, Refused
from incident.settings import Settings
from incident.store import drills as clocks
from incident.store import enquiries as rows
from incident.store import incidents, sealed
from incident.store.db import db, new_ref, new_secret_ref
from incident.store.enquiries import IN, KEPT, Enquiry, EnquiryMessage
from incident.store.incidents import Incident

PUBLIC: Final = "public"
GONE: Final = "(erased)"


def terms(settings: Settings) -> Terms:
    """What the organisation promises."""
    return Terms(settings.answer_days, settings.request_days, ZoneInfo(particulars.known(settings).time_zone))


@dataclass(frozen=True)
class Asker:
    """Who asks, as far as they said."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True)
class Words:
    """One message, opened."""

    text: str
    to: str = ""
    subject: str = ""


@dataclass(frozen=True)
class About:
    """What an enquiry is about, as it is known when it comes in."""

    kind: Kind
    source: Source
    language: str = ""
    right: str = ""
    place: str = ""
    notice_id: int | None = None
    delivery_ref: str = ""
    person_number: int | None = None
    proven: bool = False


def begun(
    case: Incident,
    about: About,
    who: Asker,
    text: str,
    terms: Terms,
    ledger: Ledger,
    *,
    nonce: str | None = None,
    mail_key: str | None = None,
) -> Enquiry:
    """A new enquiry with what they wrote, its clock running; inside the caller's transaction, which leaves the line."""
    promise = rules.promised(about.kind, ledger.now, terms, right=about.right, place=about.place)
    row = Enquiry(
        ref=new_ref("EQ"),
        incident_id=case.id,
        received_at=ledger.now,
        changed_at=ledger.now,
        due_at=drills.promised(clocks.clock_of(case), ledger.now, promise.due_at, ledger.now),
        rule=promise.rule,
        nonce=nonce,
        **asdict(about),
    )
    keep_asker(row, who)
    db.session.add(row)
    db.session.flush()
    add(row, IN, about.source, Words(text), ledger, mail_key=mail_key)
    ledger.write(
        "enquiry.received",
        row.ref,
        incident=case.ref,
        kind=row.kind,
        source=row.source,
        person=f"P-{row.person_number}" if row.person_number else None,
        due=promise.due_at.isoformat().replace("+00:00", "Z"),
        rule=promise.rule,
    )
    return row


def add(
    row: Enquiry,
    direction: str,
    way: str,
    said: Words,
    ledger: Ledger,
    *,
    state: str = KEPT,
    simulated: bool = False,
    mail_key: str | None = None,
) -> EnquiryMessage:
    """Keep one message of an enquiry, sealed; inside the caller's transaction. What is `simulated` stays in the sandbox."""
    ref = new_secret_ref()
    message = EnquiryMessage(
        ref=ref,
        enquiry_id=row.id,
        incident_id=row.incident_id,
        direction=direction,
        way=way,
        by=ledger.actor,
        at=ledger.now,
        state=state,
        simulated=simulated,
        mail_key=mail_key,
        next_at=ledger.now,
        changed_at=ledger.now,
        sealed=sealed.seal(row.incident_id, _place(ref), _packed(asdict(said))),
    )
    db.session.add(message)
    db.session.flush()
    return message


def keep_asker(row: Enquiry, who: Asker) -> None:
    """Seal who asks into their row."""
    row.sealed = sealed.seal(row.incident_id, f"enquiry.sealed:{row.ref}", _packed(asdict(who)))


def asker(row: Enquiry) -> Asker:
    """Who asks; nobody once they were erased. Raises Unreadable."""
    if not row.sealed or sealed.is_erased(row.incident_id):
        return Asker()
    return Asker(**json.loads(sealed.unseal(row.incident_id, f"enquiry.sealed:{row.ref}", row.sealed)))


def words(found: Sequence[EnquiryMessage]) -> list[Words]:
    """These messages of one incident, opened together."""
    if not found or sealed.is_erased(found[0].incident_id):
        return [Words(GONE) for _ in found]
    key = sealed.sealer(found[0].incident_id)
    return [
        Words(**json.loads(key.unseal(_place(one.ref), one.sealed))) if one.sealed else Words(GONE) for one in found
    ]


def _place(ref: str) -> str:
    return f"enquiry_message.sealed:{ref}"


def _packed(values: Mapping[str, str]) -> bytes:
    return json.dumps({name: value for name, value in values.items() if value}, ensure_ascii=False).encode()


def case_of(incident: str) -> Incident:
    """The incident. Raises Missing."""
    case = incidents.by_ref(incident)
    if case is None:
        raise Missing()
    return case


def open_case(incident: str) -> Incident:
    """The incident, while it is open. Raises Missing, Refused."""
    case = case_of(incident)
    if case.state != "open":
        raise Refused("This incident is closed. Reopen it before anything is changed.")
    return case


def held(case: Incident, ref: str) -> Enquiry:
    """The enquiry, held against other writers. Raises Missing."""
    row = rows.by_ref(case.id, ref, locked=True)
    if row is None:
        raise Missing()
    return row
