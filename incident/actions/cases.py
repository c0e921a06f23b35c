"""One report with all that is known for it now: its form, its due time, its answers, and the sheet its files are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from incident.actions import dossier
from incident.domain import filings, forms
from incident.domain import reports as rules
from incident.domain.dossier import Company, Dossier
from incident.domain.errors import Invalid
from incident.domain.forms import Form
from incident.domain.incidents import Kind
from incident.domain.reports import Answer, Hand, State
from incident.exports.report import Sheet
from incident.store import law_editions, obligations
from incident.store import reports as rows
from incident.store.incidents import Incident
from incident.store.obligations import FindingRow
from incident.store.reports import Report

TO_AUTHORITIES = frozenset({"authority", "attorney_general", "police"})
GENERAL = "general"


@dataclass(frozen=True)
class Case:
    """One report and what is known. A filed one has its own due time; that of a draft follows its duty."""

    incident: Incident
    report: Report
    form: Form
    told: Dossier
    company: Company
    due_at: datetime | None
    before: Mapping[str, str] | None

    @property
    def late(self) -> bool:
        """Whether it was late, or would be if it went out now."""
        return filings.late(self.due_at, self.report.filed_at or self.told.made_at)

    def answers(self, hands: Mapping[str, Hand] | None = None) -> tuple[Answer, ...]:
        """The answers as of this moment, marked against the report before."""
        held = hands_of(self.report) if hands is None else hands
        given = rules.answers(
            self.form, self.report.stage, self.told, held, language=self.report.language, late=self.late
        )
        return filings.compared(given, self.before)

    def draft_sheet(self) -> Sheet:
        """The draft as it stands, for its files."""
        frozen = filings.frozen(self.form, self.answers(), self.report.language)
        return self.sheet(frozen, rules.digest(frozen), self.told.made_at)

    def sheet(self, frozen: Sequence[Mapping[str, Any]], digest: str, at: datetime, reference: str = "") -> Sheet:
        """These answers as a sheet."""
        report = self.report
        return Sheet(
            ref=report.ref,
            incident=self.incident.ref,
            drill=self.incident.kind == Kind.DRILL,
            stage=report.stage,
            authority=report.authority,
            language=report.language,
            state=report.state,
            author=self.company.name,
            at=at,
            zone=ZoneInfo(report.zone),
            answers=frozen,
            digest=digest,
            previous=report.previous or "",
            due_at=self.due_at,
            late=self.late,
            filed_at=report.filed_at,
            channel=report.channel or "",
            reference=reference,
        )


def case(incident: Incident, report: Report, company: Company, now: datetime) -> Case:
    """What is known now, told in the report's zone and language; of earlier reports, those to other authorities. Raises Invalid."""
    form = form_of(report.form)
    told = dossier.gathered(incident, company=company, zone=ZoneInfo(report.zone), language=report.language, now=now)
    others = tuple(one for one in told.reports if one.authority.lower() != report.authority.lower())
    dues = {row.duty: row.due_at for row in obligations.telling(incident.id) if not row.wave}
    due_at = due_of(report, dues)
    return Case(incident, report, form, replace(told, reports=others), company, due_at, _before(report))


def form_of(form_id: str) -> Form:
    """The form of this id. Raises Invalid."""
    try:
        return forms.library()[form_id]
    except KeyError:
        raise Invalid(
            "form", f"There is no form {form_id[:40]!r}. Choose one of {', '.join(forms.library())}."
        ) from None


def hands_of(report: Report) -> dict[str, Hand]:
    """The answers written by hand."""
    return {key: Hand(**raw) for key, raw in report.hands.items()}


def due_of(report: Report, dues: Mapping[str, datetime | None]) -> datetime | None:
    """When the report is due: by its duty as it stands now, or as it stood when the report was filed."""
    if report.state != State.DRAFT or report.duty is None:
        return report.due_at
    return dues.get(report.duty)


def duty_for(form: Form, stage: str, findings: Sequence[FindingRow]) -> str | None:
    """The duty that this stage of this form meets: the one due soonest of those that are owed, or may be."""
    fitting = [row for row in findings if _awaits(row) and _meets(form, stage, row)]
    soonest = sorted(
        fitting, key=lambda row: (row.standing == "open", row.due_at is None, row.due_at or row.made_at, row.duty)
    )
    return soonest[0].duty if soonest else None


@dataclass(frozen=True)
class Owed:
    """A duty to report that nobody has begun to meet, with the form and stage that would."""

    finding: FindingRow
    form: Form
    stage: str
    authority: str


def owed(incident_id: int) -> list[Owed]:
    """The duties to report to authorities for which no report was begun, soonest first."""
    begun = rows.duties_begun(incident_id)
    waiting = [
        row
        for row in obligations.telling(incident_id)
        if _awaits(row) and row.standing != "open" and row.duty not in begun
    ]
    found = [_owed(row) for row in waiting if row.to in TO_AUTHORITIES]
    return sorted(
        found, key=lambda one: (one.finding.due_at is None, one.finding.due_at or one.finding.made_at, one.finding.duty)
    )


def _owed(row: FindingRow) -> Owed:
    for form in forms.library().values():
        for stage in form.stages:
            if _meets(form, stage.key, row):
                return Owed(row, form, stage.key, form.authority)
    form = forms.library()[GENERAL]
    book = law_editions.of_incident(row.incident_id)
    return Owed(row, form, form.stages[0].key, book[row.law].authority if row.law in book else row.law)


def _meets(form: Form, stage: str, row: FindingRow) -> bool:
    if row.law not in form.laws or row.to != form.recipient:
        return False
    duty = law_editions.of_incident(row.incident_id).duty(row.duty)
    return duty is not None and duty.stage in form.stage(stage).meets


def _awaits(row: FindingRow) -> bool:
    return row.state in obligations.UNSETTLED and row.standing in {"owed", "advised", "open"}


def _before(report: Report) -> dict[str, str] | None:
    """What each question of the report before was answered with; None for a first report, and for one whose answers stand."""
    if report.previous is None or report.answers is not None:
        return None
    earlier = rows.by_ref(report.incident_id, report.previous)
    return {one["question"]: one["answer"] for one in (earlier.answers or [])} if earlier else None
