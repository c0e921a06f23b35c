"""What anybody can do with the code in a message: see that it is genuine, ask, want a call or a letter, confirm, set right.

A wrong code is looked up by the same steps as a right one, and answered like a stranger's. What a person asks lands among the
enquiries of the incident; nothing that is said here tells who is affected.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from incident.actions import contacts, new_addresses, throttled
from incident.actions.deliveries import take_back_repeats
from incident.actions.enquiring import PUBLIC, About, Asker, begun
from incident.actions.ledger import Ledger, transaction
from incident.domain import check_codes, ladders
from incident.domain import deliveries as delivery_rules
from incident.domain import enquiries as rules
from incident.domain.announcements import Posting, posting
from incident.domain.check_codes import PURPOSE, Code
from incident.domain.deliveries import Happening
from incident.domain.deliveries import State as Sent
from incident.domain.enquiries import Kind, Source, Terms
from incident.domain.errors import Invalid, Refused
from incident.domain.notices import Stage
from incident.domain.people import State as Standing
from incident.store import announcements, calls, dispatches, incidents, notices, sealed, tallies
from incident.store import enquiries as rows
from incident.store import people as registry
from incident.store.announcements import Announcement
from incident.store.db import db
from incident.store.deliveries import Delivery
from incident.store.enquiries import Enquiry
from incident.store.incidents import Incident
from incident.store.notices import Notice, NoticeVersion
from incident.store.tallies import Moves

NETWORK: Final = "check_network"
OWN_CODE: Final = "check_code"
SHOWN_AGAIN: Final = timedelta(minutes=10)
TOLD: Final = frozenset({Sent.ACCEPTED, Sent.DELIVERED, Sent.CONFIRMED, Sent.BOUNCED, Sent.IN_DOUBT, Sent.SENDING})
"""States of an attempt whose message may be in somebody's hands."""


@dataclass(frozen=True)
class Genuine:
    """A notice that is ours, and the person whose own code was given; nobody for the code that is everybody's."""

    notice: Notice
    version: NoticeVersion
    case: Incident
    announcement: Announcement | None
    number: int | None = None

    @property
    def simulated(self) -> bool:
        """Whether it belongs to a drill, so that the team alone may see it."""
        return self.case.kind == "drill"


def looked_up(given: str, now: datetime) -> Genuine | None:
    """The notice of this code; None for one that is not ours, in the same steps whatever is wrong with it."""
    code = check_codes.read(given) or Code("N-00000000", 0, "0")
    if not _is_theirs(code, *sealed.owner_or_stand_in(notices.incident_of(code.notice))):
        return None
    notice = notices.anywhere(code.notice)
    if notice is None:
        return None
    row = next(iter(announcements.of_notice(notice.id)), None)
    if row is not None and (row.simulated or posting(row.state, row.starts_at, row.ends_at, now) is not Posting.POSTED):
        row = None
    if notice.stage not in {Stage.SENDING, Stage.SENT} and row is None:
        return None
    version = db.session.get(NoticeVersion, row.notice_version_id) if row is not None else None
    version = version or notices.version(notice.id, notice.number)
    case = incidents.by_ids([notice.incident_id])[notice.incident_id]
    if version is None:
        return None
    return Genuine(notice, version, case, row, _living(case, code.number))


def _is_theirs(code: Code, incident_id: int | None, stand_in: int | None) -> bool:
    """Whether the person's part is right; for every code one key is opened and one hash made, whatever is known of it."""
    owner = stand_in if incident_id is None else incident_id
    keyed = sealed.mark_if_kept(owner, PURPOSE, str(code.number or 0)) if owner is not None else None
    right = check_codes.is_theirs(code, keyed or bytes(check_codes.BYTES)) and keyed is not None
    return code.number is None or (right and incident_id is not None)


def _living(case: Incident, number: int | None) -> int | None:
    """The number, unless who it stood for was erased or taken off the list."""
    person = registry.by_number(case.id, number) if number is not None else None
    if person is None or person.state in {Standing.ERASED, Standing.REMOVED}:
        return None
    return number


def code_of(incident_id: int, notice: str, number: int) -> str:
    """One person's own code for a notice. Raises Erased."""
    return f"{notice}-{check_codes.own_part(number, sealed.mark(incident_id, PURPOSE, str(number)))}"


# What they ask ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What somebody asks for on the page."""

    kind: Kind
    text: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""


def ask(found: Genuine, wish: Wish, *, nonce: str, network: str, terms: Terms, now: datetime) -> Enquiry:
    """Take in what somebody asks; the enquiry. Raises Invalid, TooMany, Refused where it was taken before."""
    who, text = _checked(found, wish)
    try:
        return _taken(found, wish, who, text, nonce=nonce, network=network, terms=terms, now=now)
    except Twice:
        count(found, network, now)  # it was counted in what was just rolled back
        raise


def _taken(
    found: Genuine, wish: Wish, who: Asker, text: str, *, nonce: str, network: str, terms: Terms, now: datetime
) -> Enquiry:
    """The enquiry, with its try, in one transaction: whoever asks waits once for their turn to write."""
    with transaction(PUBLIC, now) as ledger:
        throttled.take_within(_tries(found, network), now=now)
        known = rows.by_nonce(nonce)
        if known is not None:
            raise Twice(_shown_again(known, found, now))
        one = _attempt(found)
        person = registry.by_number(found.case.id, found.number) if found.number is not None else None
        about = About(
            wish.kind,
            Source.PAGE,
            wish.language,
            place=person.place if person else "",
            notice_id=found.notice.id,
            delivery_ref=one.ref if one else "",
            person_number=found.number,
            proven=found.number is not None,
        )
        row = begun(found.case, about, who, text, terms, ledger, nonce=nonce)
        if wish.kind is Kind.CALL and one is not None and person is not None and person.has_phone and not who.phone:
            _want_call(found, one, ledger)
        if wish.kind is Kind.NEW_ADDRESS:
            new_addresses.send_code(row, who.email, _is_pretended(found), ledger)
    return row


class Twice(Refused):
    """This very form was taken in before; `known` is what it made, while its code may be shown again."""

    def __init__(self, known: Enquiry | None) -> None:
        self.known = known
        super().__init__("This was sent before, and we have it.")


def _shown_again(known: Enquiry, found: Genuine, now: datetime) -> Enquiry | None:
    """What the form made, if it was just now and by the same code: the first answer may never have been seen."""
    same = known.notice_id == found.notice.id and known.person_number == found.number
    return known if same and now - known.received_at <= SHOWN_AGAIN else None


def _checked(found: Genuine, wish: Wish) -> tuple[Asker, str]:
    """Who asks and what they wrote. Raises Invalid naming the field."""
    own = found.number is not None
    needs_own = {Kind.LETTER, Kind.NOT_ME, Kind.NEW_ADDRESS}
    if wish.kind is Kind.REQUEST or (wish.kind in needs_own and not own):
        raise Invalid("kind", "Choose what you want.")
    email = contacts.email(wish.email.strip()) if wish.email.strip() else ""
    phone = contacts.phone(wish.phone.strip(), "") if wish.phone.strip() else ""
    if wish.kind is Kind.QUESTION or wish.text.strip():
        text = rules.text(wish.text, "question")
    else:
        text = f"({rules.KIND_WORDS[wish.kind]})"
    if (wish.email.strip() and not email) or (
        not email and (wish.kind is Kind.NEW_ADDRESS or (wish.kind is Kind.QUESTION and not own))
    ):
        raise Invalid("email", "Give an e-mail address.")
    if (wish.phone.strip() and not phone) or (not phone and wish.kind is Kind.CALL and not own):
        raise Invalid("phone", "Give a telephone number with its country code.")
    return Asker(email=email, phone=phone), text


def count(found: Genuine, network: str, now: datetime) -> None:
    """Take one try of this network, and of this person's code where there is one. Raises TooMany."""
    throttled.take_all(_tries(found, network), now=now)


def _tries(found: Genuine, network: str) -> dict[str, str]:
    own = {OWN_CODE: f"{found.case.id}:{found.number}"} if found.number is not None else {}
    return {NETWORK: network, **own}


def _attempt(found: Genuine) -> Delivery | None:
    """The newest attempt to tell this person by this notice whose message may be in their hands."""
    person = registry.by_number(found.case.id, found.number) if found.number is not None else None
    tried = rows.attempts_to(found.notice.id, person.id) if person else ()
    return next((one for one in tried if one.state in TOLD), None)


def _is_pretended(found: Genuine) -> bool:
    """Whether nothing of this notice ever left the sandbox, so that what follows from it does not either."""
    sent = dispatches.of_notice(found.notice.id)
    return found.simulated or (bool(sent) and all(one.simulated for one in sent))


def _want_call(found: Genuine, one: Delivery, ledger: Ledger) -> None:
    """Put them on the list of calls by hand."""
    calls.list_back(found.case.id, [one.id], ledger.now)
    ledger.write("call.wanted", one.ref, incident=found.case.ref)


# Confirming ------------------------------------------------------------------------------------------------------------


def confirm_read(found: Genuine, *, network: str, now: datetime) -> None:
    """The person says that they have read it: no other way is tried any more. Said again, it changes nothing. Raises TooMany."""
    if found.number is None:
        raise Invalid("kind", "Choose what you want.")
    count(found, network, now)
    with transaction(PUBLIC, now) as ledger:
        one = _attempt(found)
        if one is None or one.state == Sent.CONFIRMED:
            ledger.unchanged()
            return
        dispatches.lock([one.dispatch_id])
        db.session.refresh(one)
        _heard(one, Happening.REPORTED_CONFIRMED, "read_on_page", ledger)
        ledger.write("delivery.read", one.ref, incident=found.case.ref, person=f"P-{found.number}")


def _heard(one: Delivery, happening: Happening, reason: str, ledger: Ledger) -> None:
    """What a person said, as state of their attempt and in the counts of its sending, which the caller holds."""
    before, stood = Sent(one.state), tallies.place(one)
    state = delivery_rules.after(before, happening)
    if state is before:
        return
    one.state, one.reason, one.settled_by = state, reason, ledger.actor
    one.changed_at, one.due_at = ledger.now, None
    moved: Moves = Counter()
    if one.current:
        moved[stood] -= 1
        moved[tallies.place(one)] += 1
    elif state is Sent.CONFIRMED:
        take_back_repeats(one, moved, ledger.now)
    if one.current:
        steps = dispatches.steps_of([one.dispatch_id])[one.dispatch_id]
        one.climb_at = ladders.look_at(steps, one.channel, state, ledger.now, reason=reason)
    db.session.flush()
    tallies.count(one.dispatch_id, moved, ledger.now)


def set_aside(one: Delivery, ledger: Ledger) -> None:
    """A person decided that a message went to somebody else: it counts as come back, and the ladder goes on."""
    dispatches.lock([one.dispatch_id])
    db.session.refresh(one)
    _heard(one, Happening.REPORTED_BACK, "not_theirs", ledger)
