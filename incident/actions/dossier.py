"""Gathers what documents say about one incident, from every room, in a few queries. Reads only; leaves no line."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from incident.actions import particulars
from incident.domain import enquiries as enquiry_rules
from incident.domain import lawbook
from incident.domain.dossier import (
    Company,
    Dossier,
    DutyLine,
    EvidenceLine,
    FactNow,
    GradeLine,
    NoticeLine,
    RemedyLine,
    ReportLine,
    ReviewLine,
    Seal,
    StepLine,
)
from incident.domain.facts import parsed
from incident.domain.forms import library
from incident.domain.lawbook import Lawbook
from incident.domain.privilege import Kind
from incident.settings import Settings
from incident.store import (
    dispatches,
    dossiers,
    enquiries,
    incidents,
    law_editions,
    obligations,
    people,
    plans,
    privilege,
    remedies,
    reports,
)
from incident.store.checkpoints import Checkpoint
from incident.store.closings import Review
from incident.store.dispatches import Dispatch
from incident.store.dossiers import Papers
from incident.store.grades import Grade
from incident.store.incidents import Evidence, Incident
from incident.store.notices import Notice
from incident.store.obligations import FindingRow
from incident.store.plans import Step

COUNTED = frozenset({"active", "erased"})
REVIEW = {
    "went_well": "What went well",
    "went_badly": "What did not go well",
    "root_cause": "Root cause",
    "lessons": "Lessons",
    "measures": "What will be done",
}


def gathered(
    incident: Incident, *, company: Company, zone: tzinfo, language: str, now: datetime, privileged: bool = False
) -> Dossier:
    """The incident as it stands at this moment, its times to be shown in `zone`; marked items only if `privileged`."""
    papers = dossiers.papers(incident.id)
    withheld = {kind: privilege.items(() if privileged else papers.marked, kind) for kind in Kind}
    counted = _people(incident.id)
    reviewed = None if withheld[Kind.REVIEW] else papers.review
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
        facts={key: fact for key, fact in facts_of(incident.id).items() if key not in withheld[Kind.FACT]},
        people_total=sum(counted.values()),
        people_by_place={place: number for place, number in counted.items() if place},
        grades=_grades(papers.grades, withheld[Kind.FACT]),
        steps=_steps(papers.steps, withheld[Kind.FACT]),
        duties=_duties(incident.id, withheld[Kind.FACT]),
        notices=_notices(papers),
        evidence=tuple(line for line in _evidence(papers.evidence) if line.ref not in withheld[Kind.EVIDENCE]),
        reports=_reports(incident.id, language),
        review=_review(reviewed),
        factors=tuple(reviewed.factors) if reviewed else (),
        seal=_seal(papers.checkpoint),
    )


def with_those_outside(told: Dossier, incident_id: int) -> Dossier:
    """The same with what was offered to people and what they asked, which a report to an authority has no use for."""
    return replace(told, remedies=_remedies(incident_id), enquiries=_enquiries(incident_id, told.made_at))


def company(settings: Settings) -> Company:
    """What the settings, and the page where they say nothing, say of the organisation that reports."""
    settings = particulars.known(settings)
    return Company(
        settings.company_name,
        settings.contact_name,
        settings.contact_email,
        settings.contact_phone,
        settings.contact_address,
    )


def facts_of(incident_id: int) -> dict[str, FactNow]:
    """The current value of every fact, as rules take it."""
    rows = incidents.current_facts(incident_id)
    return {
        key: FactNow(parsed(key, row.value), row.recorded_at, row.source, row.confidence) for key, row in rows.items()
    }


def _people(incident_id: int) -> dict[str, int]:
    """How many people of the registry live where; under "" those of whom nobody knows."""
    counted: dict[str, int] = {}
    for tally in people.tallies(incident_id):
        if tally.state in COUNTED:
            counted[tally.place] = counted.get(tally.place, 0) + tally.n
    return dict(sorted(counted.items()))


def _grades(found: Mapping[str, Grade], marked: Collection[str]) -> tuple[GradeLine, ...]:
    return tuple(
        GradeLine(
            row.scale,
            row.level,
            "" if row.score is None else f"{row.score:g}",
            () if marked else tuple(row.reasons),  # a reason may quote a fact that is privileged
            row.basis == "chosen",
        )
        for _, row in sorted(found.items())
    )


def _steps(rows: Sequence[Step], marked: Collection[str]) -> tuple[StepLine, ...]:
    return tuple(
        StepLine(
            row.title,
            row.phase,
            row.state,
            row.finished_at if row.state == "done" else None,
            row.mandatory,
            ref=row.ref,
            due_at=None if row.due_from in marked else row.due_at,
            rule="" if row.due_from in marked else row.due_words,
        )
        for row in rows
        if row.need == "yes" or row.state not in plans.UNDONE
    )


def _duties(incident_id: int, marked: Collection[str]) -> tuple[DutyLine, ...]:
    """What is owed, asked for, open or settled; soonest first. What is not owed is left out."""
    rows = sorted(
        obligations.telling(incident_id), key=lambda row: (row.due_at is None, row.due_at or row.made_at, row.duty)
    )
    book = law_editions.of_incident(incident_id)
    return tuple(
        replace(_duty(row, book), rule="", due_at=None, late_seconds=0) if row.anchor in marked else _duty(row, book)
        for row in rows
    )


def _duty(row: FindingRow, book: Lawbook) -> DutyLine:
    duty = book.duty(row.duty)
    return DutyLine(
        ref=row.duty,
        title=row.title,
        law=book[row.law].short if row.law in book else row.law,
        recipient=lawbook.RECIPIENTS.get(row.to, row.to),
        cite=duty.cite.place if duty else "",
        state=row.standing if row.state in obligations.UNSETTLED else row.state,
        rule=row.clock_words,
        due_at=row.due_at,
        met_at=row.met_at,
        late_seconds=row.late_seconds or 0,
        reference=row.reference,
    )


def _notices(papers: Papers) -> tuple[NoticeLine, ...]:
    sent = {row.notice_id: row for row in reversed(papers.dispatches)}
    return tuple(_notice(row, sent.get(row.id)) for row in reversed(papers.notices))


def _notice(row: Notice, sent: Dispatch | None) -> NoticeLine:
    plain = NoticeLine(row.ref, row.title, row.stage, channels=tuple(row.channels), languages=tuple(row.languages))
    if sent is None:
        return plain
    counts = {
        state.value: getattr(sent, column) for state, column in dispatches.COLUMN.items() if getattr(sent, column)
    }
    return replace(
        plain,
        people=sent.audience,
        reached=sent.accepted + sent.delivered + sent.confirmed,
        simulated=sent.simulated_count,
        first_sent_at=sent.started_at,
        states=counts,
    )


def _remedies(incident_id: int) -> tuple[RemedyLine, ...]:
    return tuple(
        RemedyLine(
            row.ref,
            row.name,
            row.provider,
            row.months or 0,
            row.until.isoformat() if row.until else "",
            row.given,
            row.redeemed,
        )
        for row in remedies.of_incident(incident_id)
    )


def _enquiries(incident_id: int, now: datetime) -> enquiry_rules.Figures | None:
    """How what people asked stands; None where nobody asked anything."""
    found = enquiry_rules.figures(enquiries.told(incident_id), now)
    return found if found.all else None


def _review(row: Review | None) -> tuple[ReviewLine, ...]:
    return tuple(ReviewLine(label, getattr(row, name)) for name, label in REVIEW.items()) if row else ()


def _seal(row: Checkpoint | None) -> Seal | None:
    """The latest checkpoint: size and root as its signed note says them."""
    if row is None:
        return None
    _, size, root, *_ = row.note.split("\n")
    return Seal(int(size), root, datetime.fromisoformat(row.at))


def _evidence(rows: Sequence[Evidence]) -> tuple[EvidenceLine, ...]:
    return tuple(EvidenceLine(row.ref, row.description, row.sha256, row.size, row.added_at) for row in reversed(rows))


def _reports(incident_id: int, language: str) -> tuple[ReportLine, ...]:
    return tuple(
        ReportLine(
            ref=row.ref,
            title=form.words(form.name, language),
            stage=form.words(form.stage(row.stage).label, language),
            authority=row.authority,
            filed_at=row.filed_at,
            reference=next((one.reference for one in reversed(receipts) if one.reference), ""),
        )
        for row, receipts in reports.with_receipts(incident_id).items()
        if row.filed_at is not None and (form := library().get(row.form)) is not None
    )
