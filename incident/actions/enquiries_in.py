"""Mail that comes in with the reference of an enquiry in its subject joins that enquiry, once."""

from datetime import datetime

from incident.actions import enquiries
from incident.actions.enquiring import Words
from incident.actions.ledger import transaction
from incident.domain import enquiries as rules
from incident.store import credentials, incidents, sealed
from incident.store import enquiries as rows

LONGEST = rules.MOST_LETTERS


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
        said = Words(text.strip()[:LONGEST] or "(nothing)", "", subject.strip()[:200])
        enquiries.take_mail(row, said, sender.strip()[:254], key, ledger)
        ledger.write("enquiry.written_again", row.ref, incident=case.ref)
    return True
