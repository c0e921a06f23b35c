"""Mail about a notice: with the reference of an enquiry it joins that one; with the code of a notice it is a new enquiry. Once."""

from datetime import datetime
from typing import Final

from incident.actions import checks, enquiries
from incident.actions.checks import Genuine
from incident.actions.enquiring import About, Asker, Words, begun
from incident.actions.ledger import transaction
from incident.domain import check_codes
from incident.domain import enquiries as rules
from incident.domain.check_codes import Code
from incident.domain.enquiries import Kind, Source, Terms
from incident.store import credentials, incidents, sealed
from incident.store import enquiries as rows
from incident.store import people as registry

LONGEST: Final = rules.MOST_LETTERS
LONGEST_ADDRESS: Final = 254
NOTHING: Final = "(nothing)"


def take_mail(ref: str, *, sender: str, subject: str, text: str, message_id: str, actor: str, now: datetime) -> bool:
    """Keep what somebody wrote with this enquiry, which is open again; whether there is one. The same mail again changes nothing."""
    found = rows.anywhere(ref)
    if found is None or sealed.is_erased(found.incident_id):
        return False
    key = credentials.counting_key("enquiry_mail", ref, message_id) if message_id else None
    with transaction(actor, now) as ledger:
        row = rows.anywhere(ref, locked=True)
        if row is None:
            ledger.unchanged()
            return False
        if key is not None and rows.mail_taken(key):
            ledger.unchanged()
            return True
        case = incidents.by_ids([row.incident_id])[row.incident_id]
        enquiries.take_mail(row, _said(subject, text), sender.strip()[:LONGEST_ADDRESS], key, ledger)
        ledger.write("enquiry.written_again", row.ref, incident=case.ref)
    return True


def take_question(
    *, sender: str, subject: str, text: str, message_id: str, language: str, terms: Terms, actor: str, now: datetime
) -> bool:
    """Take in a mail that holds the code of a genuine notice, as an answer to one that quotes it does; whether it does.

    A code of somebody's own says whose enquiry it is, as on the page. The same mail again changes nothing.
    """
    found = _genuine(f"{subject}\n{text}", now)
    if found is None or sealed.is_erased(found.case.id):
        return False
    key = credentials.counting_key("enquiry_mail", found.notice.ref, message_id or f"{sender}\0{subject}\0{text}")
    person = registry.by_number(found.case.id, found.number) if found.number is not None else None
    about = About(
        Kind.QUESTION,
        Source.MAIL,
        language,
        place=person.place if person else "",
        notice_id=found.notice.id,
        person_number=found.number,
        proven=found.number is not None,
    )
    with transaction(actor, now) as ledger:
        if rows.mail_taken(key):
            ledger.unchanged()
            return True
        asker = Asker(email=sender.strip()[:LONGEST_ADDRESS])
        begun(found.case, about, asker, _said(subject, text).text, terms, ledger, mail_key=key)
    return True


def _genuine(text: str, now: datetime) -> Genuine | None:
    """The notice that a text quotes, by the best code in it; never that of a drill."""
    for code in check_codes.inside(text):
        found = checks.looked_up(_written(code), now)
        if found is not None and not found.simulated:
            return found
    return None


def _written(code: Code) -> str:
    return code.notice if code.number is None else f"{code.notice}-{code.number}-{code.mark}"


def _said(subject: str, text: str) -> Words:
    return Words(text.strip()[:LONGEST] or NOTHING, "", subject.strip()[:200])
