"""Start a report to an authority, write it, file it, add its receipt, make files of it."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from incident.actions import assessment, obligations
from incident.actions.cases import TO_AUTHORITIES, Case, case, duty_for, form_of, hands_of
from incident.actions.ledger import Ledger, transaction
from incident.domain import filings
from incident.domain import incidents as incident_rules
from incident.domain import privilege as privilege_rules
from incident.domain import reports as rules
from incident.domain.dossier import Company
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.forms import Form
from incident.domain.privilege import Kind
from incident.domain.reports import State, Typed
from incident.domain.zones import known
from incident.exports import files
from incident.exports.report import Sheet
from incident.store import incidents, privilege
from incident.store import obligations as findings
from incident.store import reports as rows
from incident.store.db import db, new_ref
from incident.store.incidents import Incident
from incident.store.reports import Receipt, Report, ReportFile

LONGEST_AUTHORITY = 200
LONGEST_REFERENCE = 120
BEGINNINGS = ("occurred_from", "noticed_at", "detected_at", "discovered_at", "aware_at")


def start(
    ref: str,
    *,
    form: str,
    stage: str = "",
    authority: str = "",
    language: str = "",
    duty: str = "",
    zone: ZoneInfo,
    actor: str,
    now: datetime,
) -> str:
    """Begin a report from the last one filed, or from nothing; its reference. Raises Invalid, Refused, Missing."""
    wanted = form_of(form)
    named = " ".join(rules.plain(authority).split())
    to = incident_rules.line_of_text("authority", named or wanted.authority, LONGEST_AUTHORITY)
    spoken = language or wanted.languages[0]
    if spoken not in wanted.languages:
        raise Invalid("language", f"This form is written in {' or '.join(wanted.languages)}.")
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        rows.one_at_a_time(incident.id)
        before = rows.last_filed(incident.id, wanted.id, to)
        comes = _stage(wanted, incident.id, to, stage)
        report = Report(
            ref=new_ref("R"),
            incident_id=incident.id,
            form=wanted.id,
            form_digest=wanted.digest,
            stage=comes,
            authority=to,
            language=spoken,
            zone=wanted.zone or zone.key,
            state=State.DRAFT,
            duty=_duty(incident.id, wanted, comes, duty),
            previous=before.ref if before else None,
            hands=dict(before.hands) if before else {},
            seen={},
            made_by=actor,
            made_at=now,
            saved_by=actor,
            saved_at=now,
        )
        db.session.add(report)
        ledger.write("report.started", report.ref, incident=ref, form=wanted.id, stage=comes, duty=report.duty)
    return report.ref


def save(
    ref: str, report_ref: str, *, version: int, typed: Mapping[str, Typed], company: Company, actor: str, now: datetime
) -> int:
    """Keep what was written by hand; the draft's new version. Raises Invalid, Refused (also when it is out of date), Missing."""
    with transaction(actor, now) as ledger:
        at_hand = _draft(ref, report_ref, version, company, now)
        report, before = at_hand.report, hands_of(at_hand.report)
        derived = {answer.question.key: answer for answer in at_hand.answers({})}
        hands = rules.written(at_hand.form, derived, before, typed, by=actor, at=now)
        given = at_hand.answers(hands)
        seen = {answer.question.key: answer.text for answer in given}
        if hands == before and seen == report.seen:
            ledger.unchanged()
            return report.version
        report.hands = {key: hand.to_json() for key, hand in hands.items()}
        report.seen, report.missing = seen, len(rules.completeness(given).missing)
        report.saved_by, report.saved_at, report.version = actor, now, report.version + 1
        ledger.write(
            "report.saved", report.ref, incident=ref, digest=rules.digest(report.hands), missing=report.missing
        )
    return report.version


def file(
    ref: str,
    report_ref: str,
    *,
    version: int,
    filed_at: datetime,
    channel: str,
    reference: str = "",
    evidence: str = "",
    missing_accepted: bool = False,
    company: Company,
    actor: str,
    now: datetime,
) -> None:
    """Note that the report went to the authority: answers and files stay as they are from now on, and its duty is met.

    Raises Invalid, Refused, Missing.
    """
    if channel not in filings.CHANNELS:
        raise Invalid("channel", f"Say how it was filed: {', '.join(filings.CHANNELS)}.")
    with transaction(actor, now) as ledger:
        at_hand = _draft(ref, report_ref, version, company, now)
        report, incident = at_hand.report, at_hand.incident
        privilege_rules.demand_not_marked(privilege.items(privilege.current(incident.id), Kind.REPORT), report.ref)
        report.filed_at = filings.filed_at(filed_at, started_at=_begin(at_hand), now=now)
        given = at_hand.answers()
        filings.may_be_filed(at_hand.form, report.stage, given, late=at_hand.late, missing_accepted=missing_accepted)
        report.due_at, report.late = at_hand.due_at, at_hand.late
        report.answers = filings.frozen(at_hand.form, given, report.language)
        report.digest, report.missing = rules.digest(report.answers), len(rules.completeness(given).missing)
        report.filed_by, report.recorded_at, report.form_digest = actor, now, at_hand.form.digest
        report.state, report.version, report.channel = State.FILED, report.version + 1, channel
        _add_receipt(incident, report, reference, evidence, actor, now)
        sheet = at_hand.sheet(report.answers, report.digest, now, rules.plain(reference))
        ledger.write(
            "report.filed",
            report.ref,
            incident=ref,
            form=report.form,
            stage=report.stage,
            channel=channel,
            late=report.late,
            missing=report.missing,
            digest=report.digest,
            files=_keep_files(at_hand.form, report, sheet),
        )
        _meet(incident, report, reference, ledger, now)


def add_receipt(ref: str, report_ref: str, *, reference: str, evidence: str, actor: str, now: datetime) -> None:
    """Add what the authority answered later. Raises Invalid, Refused, Missing."""
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        report = _report(incident, report_ref)
        if report.state != State.FILED:
            raise Refused("Only a filed report has a receipt. File it first.")
        if not (reference.strip() or evidence.strip()):
            raise Invalid("reference", "Give the authority's reference, the evidence that holds the receipt, or both.")
        _add_receipt(incident, report, reference, evidence, actor, now)
        ledger.write("report.receipt_added", report.ref, incident=ref, evidence=evidence.strip() or None)


def discard(ref: str, report_ref: str, *, version: int, actor: str, now: datetime) -> None:
    """Put a draft away for good. Raises Refused, Missing."""
    with transaction(actor, now) as ledger:
        report = _report(_incident(ref), report_ref)
        _must_be_current_draft(report, version)
        report.state, report.version, report.saved_by, report.saved_at = State.DISCARDED, report.version + 1, actor, now
        ledger.write("report.discarded", report.ref, incident=ref)


def export(ref: str, report_ref: str, kind: str, *, company: Company, actor: str, now: datetime) -> files.File:
    """A file of the draft as it stands, its digest in the record; of a filed report the very file that was kept.

    Raises Invalid, Missing.
    """
    if kind not in files.KINDS:
        raise Invalid("kind", f"A report can be had as {', '.join(files.KINDS)}.")
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        report = _report(incident, report_ref)
        if report.state == State.FILED:
            ledger.unchanged()
            return kept(report, kind)
        at_hand = case(incident, report, company, now)
        made = files.made(kind, at_hand.form, at_hand.draft_sheet())
        ledger.write("report.exported", report.ref, incident=ref, kind=kind, sha256=made.sha256, size=len(made.content))
    return made


def kept(report: Report, kind: str) -> files.File:
    """The file of a filed report as it was made on filing. Raises Missing."""
    found = rows.file(report.id, kind)
    if found is None:
        raise Missing()
    return files.File(report.ref, kind, found.content)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name. Raises Invalid."""
    if name not in known():
        raise Invalid("time_zone", f"There is no time zone {name[:60]!r}; use a name such as Europe/Berlin.")
    return ZoneInfo(name)


def _stage(form: Form, incident_id: int, authority: str, wanted: str) -> str:
    known = rows.stages(incident_id, form.id, authority)
    if any(state == State.DRAFT for _, state in known):
        raise Refused(f"A draft to {authority} with this form is under way. Finish or discard it first.")
    may_come = filings.next_stages(form, [stage for stage, state in known if state == State.FILED])
    if not wanted and may_come:
        return may_come[0]
    if wanted not in may_come:
        named = ", ".join(may_come) or "none"
        raise Invalid("stage", f"This stage cannot come now. Possible: {named}.")
    return wanted


def _duty(incident_id: int, form: Form, stage: str, named: str) -> str | None:
    """The duty that filing will meet: the one a person named, or the one that fits the form."""
    if not named:
        return duty_for(form, stage, findings.telling(incident_id))
    found = findings.current(incident_id)
    if named not in found or found[named].to not in TO_AUTHORITIES:
        raise Invalid("duty", "This incident has no duty of that name that a report could meet.")
    return named


def _meet(incident: Incident, report: Report, reference: str, ledger: Ledger, now: datetime) -> None:
    """Mark the report's duty as met, with its time frozen; one that somebody settled already, or that is not owed, stays."""
    row = findings.current(incident.id).get(report.duty or "")
    if row is None or row.state not in findings.UNSETTLED or row.standing == "not_owed" or report.filed_at is None:
        return
    note = f"Report {report.ref}"
    obligations.settle_met(
        row,
        met_at=report.filed_at,
        reference=rules.plain(reference),
        note=note,
        ledger=ledger,
        incident=incident.ref,
        now=now,
    )
    if incident.state == incident_rules.State.OPEN:
        assessment.refresh(incident, ledger, now)


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return incident


def _report(incident: Incident, ref: str) -> Report:
    report = rows.by_ref(incident.id, ref, locked=True)
    if report is None:
        raise Missing()
    return report


def _draft(ref: str, report_ref: str, version: int, company: Company, now: datetime) -> Case:
    incident = _incident(ref)
    report = _report(incident, report_ref)
    _must_be_current_draft(report, version)
    return case(incident, report, company, now)


def _must_be_current_draft(report: Report, version: int) -> None:
    filings.editable(State(report.state))
    incident_rules.must_be_version(report.version, version)


def _begin(at_hand: Case) -> datetime:
    known = [value for key in BEGINNINGS if isinstance(value := at_hand.told.value(key), datetime)]
    return min([at_hand.incident.opened_at, *known])


def _add_receipt(incident: Incident, report: Report, reference: str, evidence: str, actor: str, now: datetime) -> None:
    reference, evidence = rules.plain(reference), evidence.strip()
    if len(reference) > LONGEST_REFERENCE:
        raise Invalid("reference", f"A reference has at most {LONGEST_REFERENCE} characters.")
    if evidence and incidents.piece(incident.id, evidence) is None:
        raise Invalid(
            "evidence", "This incident has no evidence of that reference. Bring the receipt as evidence first."
        )
    if reference or evidence:
        db.session.add(
            Receipt(report_id=report.id, reference=reference, evidence=evidence, recorded_by=actor, recorded_at=now)
        )


def _keep_files(form: Form, report: Report, sheet: Sheet) -> dict[str, str]:
    """Make and keep every kind of file; their digests by kind."""
    digests = {}
    for kind in files.KINDS:
        made = files.made(kind, form, sheet)
        digests[kind] = made.sha256
        db.session.add(
            ReportFile(report_id=report.id, kind=kind, sha256=made.sha256, size=len(made.content), content=made.content)
        )
    return digests
