"""The closing summary of an incident as a file, and its deadlines as a calendar."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.actions import dossier
from incident.actions.ledger import transaction
from incident.domain.dossier import Company, Dossier
from incident.domain.errors import Invalid, Missing
from incident.exports import docx, json, pdf, summary
from incident.exports.document import Attachment
from incident.exports.files import File
from incident.exports.ics import Deadline, ics_bytes
from incident.store import incidents

DONE = frozenset({"met", "waived", "done", "skipped"})


def export(ref: str, kind: str, *, company: Company, zone: ZoneInfo, actor: str, now: datetime) -> File:
    """The summary as it stands now, its digest in the record. Raises Invalid, Missing."""
    if kind not in MAKERS:
        raise Invalid("kind", f"A summary can be had as {', '.join(MAKERS)}.")
    with transaction(actor, now) as ledger:
        told = _told(ref, company, zone, now)
        made = File(ref, kind, MAKERS[kind](told))
        ledger.write("summary.exported", ref, incident=ref, kind=kind, sha256=made.sha256, size=len(made.content))
    return made


def deadlines(ref: str, *, company: Company, zone: ZoneInfo, address: str, now: datetime) -> bytes:
    """Every duty and step with a due time, as a calendar; each entry leads to `address`. Raises Missing."""
    told = _told(ref, company, zone, now)
    return ics_bytes(f"{told.ref}: deadlines", _deadlines(told, address), now)


def _deadlines(told: Dossier, address: str) -> Iterator[Deadline]:
    for duty in told.duties:
        if duty.due_at:
            title = f"{told.ref}: {duty.title} ({duty.law})" + (" – if owed" if duty.state == "open" else "")
            yield Deadline(f"{told.ref}/{duty.ref}", title, duty.due_at, duty.rule, address, duty.state in DONE)
    for step in told.steps:
        if step.due_at:
            yield Deadline(step.ref, f"{told.ref}: {step.title}", step.due_at, step.rule, address, step.state in DONE)


def _told(ref: str, company: Company, zone: ZoneInfo, now: datetime) -> Dossier:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return dossier.gathered(incident, company=company, zone=zone, language="en", now=now)


def _pdf(told: Dossier) -> bytes:
    data = Attachment(
        f"{told.ref}.json", json.MIME, "The same summary for machines", json.json_bytes(summary.data(told))
    )
    return pdf.pdf(summary.document(told), [data])


MAKERS: Mapping[str, Callable[[Dossier], bytes]] = {
    "pdf": _pdf,
    "docx": lambda told: docx.docx_bytes(summary.document(told)),
    "json": lambda told: json.json_bytes(summary.data(told)),
}
