"""Gathers what documents say about one incident, from every room, in a few queries. Reads only; leaves no line."""

from datetime import datetime, tzinfo

from incident.domain.dossier import Company, Dossier, EvidenceLine, FactNow, ReportLine
from incident.domain.facts import parsed
from incident.domain.forms import library
from incident.store import incidents, reports
from incident.store.incidents import Incident


def gathered(incident: Incident, *, company: Company, zone: tzinfo, language: str, now: datetime) -> Dossier:
    """The incident as it stands at this moment, its times to be shown in `zone`."""
    return Dossier(
        ref=incident.ref,
        title=incident.title,
        kind=incident.kind,
        category=incident.category,
        state=incident.state,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        made_at=now,
        company=company,
        zone=zone,
        facts=facts_of(incident.id),
        evidence=_evidence(incident.id),
        reports=_reports(incident.id, language),
    )


def facts_of(incident_id: int) -> dict[str, FactNow]:
    """The current value of every fact, as rules take it."""
    rows = incidents.current_facts(incident_id)
    return {
        key: FactNow(parsed(key, row.value), row.recorded_at, row.source, row.confidence) for key, row in rows.items()
    }


def _evidence(incident_id: int) -> tuple[EvidenceLine, ...]:
    rows = incidents.evidence(incident_id)
    return tuple(EvidenceLine(row.ref, row.description, row.sha256, row.size, row.added_at) for row in reversed(rows))


def _reports(incident_id: int, language: str) -> tuple[ReportLine, ...]:
    rows = reports.filed(incident_id)
    receipts = reports.receipts([row.id for row in rows])
    return tuple(
        ReportLine(
            ref=row.ref,
            title=form.words(form.name, language),
            stage=form.words(form.stage(row.stage).label, language),
            authority=row.authority,
            filed_at=row.filed_at,
            reference=next((one.reference for one in reversed(receipts.get(row.id, ())) if one.reference), ""),
        )
        for row in rows
        if row.filed_at is not None and (form := library().get(row.form)) is not None
    )
