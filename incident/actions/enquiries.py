"""The desk of enquiries: take in what comes by phone and post, answer, note, take over, join, close, hand over as a request."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from incident.actions import climbing, contacts, people
from incident.actions.enquiring import About, Asker, Words, add, asker, begun, case_of, held, keep_asker, words
from incident.actions.ledger import Ledger, transaction
from incident.domain import columns, drills, places, starters
from incident.domain import enquiries as rules
from incident.domain.enquiries import Figures, Kind, Source, State, Terms, Turn
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.handovers import State as Sent
from incident.store import deliveries, dispatches, users
from incident.store import drills as clocks
from incident.store import enquiries as rows
from incident.store import people as registry
from incident.store.db import db
from incident.store.enquiries import IN, KEPT, NOTE, OUT, Enquiry, EnquiryMessage
from incident.store.incidents import Incident

WAYS: Final = ("mail", "page", "phone", "post")
"""How an answer is given; by telephone and post it was given by one of us, who says so."""
NO_CODE: Final = "They did not ask on the page, so they have no code to read it by. Answer another way."
NO_ADDRESS: Final = "There is no e-mail address to answer to. Give the answer by telephone or post, and keep it here."
DRAFTS: Final = 3


def take_in(
    incident: str,
    *,
    kind: str,
    source: str,
    text: str,
    who: Asker,
    terms: Terms,
    language: str = "",
    right: str = "",
    place: str = "",
    person: str = "",
    actor: str,
    now: datetime,
) -> str:
    """Take in what somebody asked by telephone, post or mail; its reference. Raises Invalid, Missing, Erased."""
    if kind not in set(Kind) or kind in {Kind.NOT_ME, Kind.NEW_ADDRESS}:
        raise Invalid("kind", "Choose what they want.")
    if source not in {Source.PHONE, Source.POST, Source.MAIL}:
        raise Invalid("source", "Say how it came to you.")
    _demand_known(language, place)
    wanted = rules.right(right).value if kind == Kind.REQUEST else ""
    said, who = rules.text(text), _checked(who)
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        number, lives = _person(case, person, place)
        about = About(Kind(kind), Source(source), language, wanted, lives, person_number=number)
        row = begun(case, about, who, said, terms, ledger)
    return row.ref


def _checked(who: Asker) -> Asker:
    """Who asks, as it is kept. Raises Invalid."""
    given = who.email.strip()
    address = contacts.email(given) if given else ""
    if given and not address:
        raise Invalid("email", "This is not an e-mail address.")
    if len(who.name) > 200 or len(who.phone) > 40 or len(who.address) > 500:
        raise Invalid("name", "Keep name, number and address shorter.")
    return Asker(columns.cleaned(who.name), address, columns.cleaned(who.phone), who.address.strip())


def _demand_known(language: str, place: str) -> None:
    """Raises Invalid for a language that we do not write in, or a place that there is not."""
    if language and language not in starters.languages():
        raise Invalid("language", "Choose a language of the list.")
    if place and not places.is_place(place):
        raise Invalid("place", "Choose a place of the list.")


def _person(case: Incident, ref: str, place: str) -> tuple[int | None, str]:
    """The number of the person they are, if somebody says so, and where they live."""
    if not ref:
        return None, place
    person = people.by_person_ref(case, ref)
    return person.number, place or person.place


def answer(
    incident: str, ref: str, *, text: str, way: str, simulated: bool, decision: str = "", actor: str, now: datetime
) -> None:
    """Answer: by e-mail, which goes out by itself, on the page, or as it was given by telephone or post.

    A request under a law counts as answered once it is decided on; without a decision, what is written (a question back, how it
    stands) leaves it open. Raises Invalid, Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        row = held(case, ref)
        decided = _decided(row, decision)
        state = rules.turned(State(row.state), Turn.ANSWER)
        message = _tell(case, row, text, way, simulated, ledger)
        if row.kind == Kind.REQUEST and not decided:
            ledger.write("enquiry.asked_back", row.ref, incident=incident, way=way, message=message.ref)
            return
        row.state, row.answered_at, row.outcome = state, row.answered_at or now, decided
        verb = "enquiry.request_decided" if decided else "enquiry.answered"
        more = {"decision": decided} if decided else {}
        ledger.write(verb, row.ref, incident=incident, way=way, message=message.ref, **more)


def _decided(row: Enquiry, decision: str) -> str:
    """What a request came to; "" where nothing is decided. Raises Invalid."""
    if decision and row.kind != Kind.REQUEST:
        raise Invalid("decision", "Only a request under a law is decided on. Treat it as one first.")
    return rules.decision(decision).value if decision else ""


def _tell(case: Incident, row: Enquiry, text: str, way: str, simulated: bool, ledger: Ledger) -> EnquiryMessage:
    """Keep what we tell whoever asked, and have it leave where it goes by e-mail. Raises Invalid."""
    said = rules.text(text)
    if way not in WAYS:
        raise Invalid("way", "Say how the answer is given.")
    if way == "page" and row.source != Source.PAGE:
        raise Invalid("way", NO_CODE)
    to = address_of(case, row) if way == "mail" else ""
    if way == "mail" and not to:
        raise Invalid("way", NO_ADDRESS)
    state = Sent.WAITING if way == "mail" else KEPT
    stays = way == "mail" and (simulated or case.kind == "drill")
    message = add(row, OUT, way, Words(said, to), ledger, state=state, simulated=stays)
    row.changed_at, row.owner = ledger.now, row.owner or ledger.actor
    if way == "mail":
        ledger.soon("enquiries.mails", message.ref)
    return message


def take_longer(
    incident: str, ref: str, *, text: str, way: str, simulated: bool, terms: Terms, actor: str, now: datetime
) -> None:
    """Take the longer time that the law gives for a request, and tell the person why, before the first one is over.

    Raises Invalid, Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        row = held(case, ref)
        if row.kind != Kind.REQUEST or row.state != State.OPEN:
            raise Refused("Only an open request under a law can be given more time.")
        later = rules.longer(row.rule, row.received_at, row.due_at, row.place, terms, now)
        row.due_at = drills.promised(clocks.clock_of(case), row.received_at, later, now)
        row.longer_at = now
        message = _tell(case, row, text, way, simulated, ledger)
        due = row.due_at.isoformat().replace("+00:00", "Z")
        details = {"rule": row.rule, "due": due, "way": way, "message": message.ref}
        ledger.write("enquiry.longer_taken", row.ref, incident=incident, **details)


def address_of(case: Incident, row: Enquiry) -> str:
    """Where an answer by e-mail goes: what they gave, else what their record says; "" for nowhere."""
    given = asker(row).email
    if given or row.person_number is None or row.kind == Kind.NOT_ME:
        return given
    person = registry.by_number(case.id, row.person_number)
    found = people.addressees(case.id, [person.id]).get(person.id) if person else None
    return found.email if found else ""


def note(incident: str, ref: str, *, text: str, actor: str, now: datetime) -> None:
    """Keep a note for the team. Raises Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row, said = held(case_of(incident), ref), rules.text(text)
        message = add(row, NOTE, "desk", Words(said), ledger)
        ledger.write("enquiry.noted", row.ref, incident=incident, message=message.ref)


def own(incident: str, ref: str, *, owner: str, actor: str, now: datetime) -> None:
    """Have somebody look after it, or nobody. Raises Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row = held(case_of(incident), ref)
        if owner and owner not in users.by_refs({owner}):
            raise Invalid("owner", "Choose somebody who works here.")
        if row.owner == owner:
            ledger.unchanged()
            return
        row.owner, row.changed_at = owner, now
        ledger.write("enquiry.taken", row.ref, incident=incident, owner=owner or "nobody")


def close(incident: str, ref: str, *, reason: str, actor: str, now: datetime) -> None:
    """Close it without an answer, and why. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        row, said = held(case_of(incident), ref), rules.text(reason, "reason")
        row.state, row.changed_at = rules.turned(State(row.state), Turn.CLOSE), now
        message = add(row, NOTE, "desk", Words(said), ledger)
        ledger.write("enquiry.closed", row.ref, incident=incident, message=message.ref)


def merge(incident: str, ref: str, *, into: str, actor: str, now: datetime) -> None:
    """Join it to another of the same incident: the same person asked twice. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        row = held(case, ref)
        other = rows.by_ref(case.id, into.strip().upper())
        if other is None or other.id == row.id or other.state == State.MERGED:
            raise Invalid(
                "into", "There is no such other enquiry in this incident, or it was joined to another itself."
            )
        row.state, row.changed_at = rules.turned(State(row.state), Turn.MERGE), now
        row.merged_into = other.ref
        ledger.write("enquiry.merged", row.ref, incident=incident, into=other.ref)


def part(incident: str, ref: str, *, actor: str, now: datetime) -> None:
    """Take back that it was joined to another: it is open again. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        row = held(case_of(incident), ref)
        row.state, row.changed_at = rules.turned(State(row.state), Turn.PART), now
        other, row.merged_into = row.merged_into, ""
        ledger.write("enquiry.parted", row.ref, incident=incident, other=other)


def hand_over(
    incident: str, ref: str, *, right: str, place: str, person: str = "", terms: Terms, actor: str, now: datetime
) -> None:
    """Treat it as a request under a law from now on: its clock is that of the law, from the day it came in.

    Raises Invalid, Refused, Missing.
    """
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        row, wanted = held(case, ref), rules.right(right)
        _demand_known("", place)
        row.state = rules.turned(State(row.state), Turn.BECOME_REQUEST)
        number, lives = _person(case, person, place or row.place)
        row.kind, row.right, row.place = Kind.REQUEST.value, wanted.value, lives
        row.person_number = number or row.person_number
        promise = rules.promised(Kind.REQUEST, row.received_at, terms, right=wanted, place=lives)
        row.due_at = drills.promised(clocks.clock_of(case), row.received_at, promise.due_at, now)
        row.rule, row.changed_at = promise.rule, now
        row.longer_at, row.answered_at, row.outcome = None, None, ""
        ledger.write(
            "enquiry.handed_over",
            row.ref,
            incident=incident,
            right=wanted.value,
            rule=promise.rule,
            due=row.due_at.isoformat().replace("+00:00", "Z"),
        )


def set_language(incident: str, ref: str, *, language: str, actor: str, now: datetime) -> None:
    """Say in which language they are answered. Raises Invalid, Missing."""
    with transaction(actor, now) as ledger:
        row = held(case_of(incident), ref)
        _demand_known(language, "")
        if row.language == language:
            ledger.unchanged()
            return
        row.language, row.changed_at = language, now
        ledger.write("enquiry.language_set", row.ref, incident=incident, language=language or "none")


def look(incident: str, ref: str, *, actor: str, now: datetime) -> Asker:
    """Who asks, in clear. The look leaves a line. Raises Missing, Erased."""
    with transaction(actor, now) as ledger:
        row = held(case_of(incident), ref)
        ledger.write("enquiry.seen", row.ref, incident=incident)
        return asker(row)


def send_letter(incident: str, ref: str, *, opened: Collection[str], actor: str, now: datetime) -> str:
    """Send the notice to who asks for it by letter, as its ladder allows; the new attempt. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        case = case_of(incident)
        row = held(case, ref)
        one = deliveries.attempt(case.id, row.delivery_ref) if row.delivery_ref else None
        if one is None:
            raise Refused("Nobody knows which message this is about. Print and post the notice, and keep that here.")
        if "letter" not in opened:
            raise Refused("Letters are not set up here. Print and post the notice, and keep that here.")
        dispatches.lock([one.dispatch_id])
        one = _present(one.ref, case)
        sending = dispatches.by_id(one.dispatch_id)
        if sending is None:
            raise Missing()
        why = f"They ask for a letter ({row.ref})."
        [(fresh, _)] = climbing.onward(case, sending, [one], why, ("letter",), ledger).values()
        row.state, row.changed_at = rules.turned(State(row.state), Turn.ANSWER), now
        row.answered_at, row.outcome = row.answered_at or now, "letter"
        ledger.write("enquiry.letter_sent", row.ref, incident=incident, attempt=fresh)
    return fresh


def _present(ref: str, case: Incident) -> deliveries.Delivery:
    """The person's present attempt, read anew: what they answered to may have been followed by another."""
    one = deliveries.attempt(case.id, ref)
    if one is None:
        raise Missing()
    db.session.refresh(one)
    return next((later for later in deliveries.later_attempts(one) if later.current), one)


def take_mail(row: Enquiry, said: Words, sender: str, mail_key: str | None, ledger: Ledger) -> None:
    """What somebody wrote to an enquiry that there is, inside the caller's transaction: it is open again."""
    row.state, row.changed_at = rules.turned(State(row.state), Turn.WRITTEN_AGAIN), ledger.now
    who = asker(row)
    if not who.email and sender and row.sealed:
        keep_asker(row, Asker(who.name, sender, who.phone, who.address))
    add(row, IN, Source.MAIL, said, ledger, mail_key=mail_key)


def thread(row: Enquiry) -> list[tuple[EnquiryMessage, Words]]:
    """Every message of an enquiry with its words, oldest first."""
    found = list(rows.messages([row.id]))
    return list(zip(found, words(found), strict=True))


def drafts(row: Enquiry) -> list[tuple[Enquiry, str, str]]:
    """Answered questions of the incident that are most like this one, in its language: the enquiry, the question, the answer."""
    answered = {one.id: one for one in rows.answered_lately(row.incident_id, row.language) if one.id != row.id}
    said: dict[int, dict[str, str]] = {}
    found = list(rows.messages([row.id, *answered]))
    for message, told in zip(found, words(found), strict=True):
        if message.direction in (IN, OUT):
            said.setdefault(message.enquiry_id, {}).setdefault(message.direction, told.text)
    asked = said.get(row.id, {}).get(IN, "")
    others = [(str(id_), one[IN]) for id_, one in said.items() if id_ in answered and {IN, OUT} <= one.keys()]
    return [
        (answered[int(name)], said[int(name)][IN], said[int(name)][OUT])
        for name, _ in rules.nearest(asked, others, DRAFTS)
    ]


def figures(incident_id: int, now: datetime) -> Figures:
    """How the enquiries of an incident stand."""
    return rules.figures(rows.told(incident_id), now)
