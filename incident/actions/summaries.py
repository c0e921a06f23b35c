"""The closing summary of an incident as a file, and its deadlines as a calendar."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.actions import dossier, feeds
from incident.actions.ledger import transaction
from incident.domain.dossier import Company, Dossier
from incident.domain.errors import Invalid, Missing
from incident.exports import docx, json, misp, pdf, stix, summary, veris
from incident.exports.document import Attachment
from incident.exports.files import File
from incident.store import incidents


def export(
    ref: str,
    kind: str,
    *,
    company: Company,
    zone: ZoneInfo,
    privileged: bool = False,
    language: str = "en",
    actor: str,
    now: datetime,
) -> File:
    """The summary as it stands now, its digest in the record. Raises Invalid, Missing, Refused.

    People read it in `language`; what programs read is in English always.

    What is marked as privileged stays out unless `privileged` takes it along. The forms for databases of other
    organisations (stix, veris, misp) refuse drills.
    """
    if kind not in MAKERS:
        raise Invalid("kind", f"A summary can be had as {', '.join(MAKERS)}.")
    with transaction(actor, now) as ledger:
        made = File(ref, kind, MAKERS[kind](told(ref, company, zone, now, privileged=privileged), language))
        details = {"kind": kind, "sha256": made.sha256, "size": len(made.content), "privileged": privileged}
        ledger.write("summary.exported", ref, incident=ref, **details)
    return made


def deadlines(ref: str, *, zone: ZoneInfo, site: str, language: str = "en", now: datetime) -> bytes:
    """Every duty and step with a due time, as a calendar; each entry leads to its page. Raises Missing."""
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return feeds.of_incident(incident, zone=zone, site=site, language=language, now=now)


def told(ref: str, company: Company, zone: ZoneInfo, now: datetime, *, privileged: bool = False) -> Dossier:
    """What a summary says of the incident at this moment. Raises Missing."""
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    said = dossier.gathered(incident, company=company, zone=zone, language="en", now=now, privileged=privileged)
    return dossier.with_those_outside(said, incident.id)


def _pdf(about: Dossier, language: str) -> bytes:
    data = Attachment(
        f"{about.ref}.json", json.MIME, "The same summary for machines", json.json_bytes(summary.data(about))
    )
    return pdf.pdf(summary.document(about, language), [data])


MAKERS: Mapping[str, Callable[[Dossier, str], bytes]] = {
    "pdf": _pdf,
    "docx": lambda about, language: docx.docx_bytes(summary.document(about, language)),
    "json": lambda about, language: json.json_bytes(summary.data(about)),
    "stix": lambda about, language: json.json_bytes(stix.bundle(about)),
    "veris": lambda about, language: json.json_bytes(veris.record(about)),
    "misp": lambda about, language: json.json_bytes(misp.event(about)),
}
