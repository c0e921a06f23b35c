"""Start a report to an authority, write it, file it, add its receipt, make files of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from incident.actions import dossier
from incident.actions.ledger import transaction
from incident.domain import forms
from incident.domain import incidents as incident_rules
from incident.domain import reports as rules
from incident.domain.dossier import Company, Dossier
from incident.domain.errors import Invalid, Missing, Refused
from incident.domain.forms import Form
from incident.domain.incidents import Kind
from incident.domain.reports import Answer, Hand, State, Typed
from incident.exports import files
from incident.exports.report import Sheet
from incident.store import incidents
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
    finding: str = "",
    zone: ZoneInfo,
    actor: str,
    now: datetime,
) -> str:
    """Begin a report from the last one filed, or from nothing; its reference. Raises Invalid, Refused, Missing."""
    wanted = form_of(form)
    to = incident_rules.line_of_text("authority", authority or wanted.authority, LONGEST_AUTHORITY)
    spoken = language or wanted.languages[0]
    if spoken not in wanted.languages:
        raise Invalid("language", f"This form is written in {' or '.join(wanted.languages)}.")
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        before = rows.last_filed(incident.id, wanted.id, to)
        report = Report(
            ref=new_ref("R"),
            incident_id=incident.id,
            form=wanted.id,
            form_digest=wanted.digest,
            stage=_stage(wanted, incident.id, to, stage),
            authority=to,
            language=spoken,
            zone=wanted.zone or zone.key,
            state=State.DRAFT,
            previous=before.ref if before else None,
            hands=dict(before.hands) if before else {},
            seen={},
            made_by=actor,
            made_at=now,
            saved_by=actor,
            saved_at=now,
        )
        db.session.add(report)
        ledger.write("report.started", report.ref, incident=ref, form=wanted.id, stage=report.stage)
    return report.ref


def save(
    ref: str, report_ref: str, *, version: int, typed: Mapping[str, Typed], company: Company, actor: str, now: datetime
) -> int:
    """Keep what was written by hand; the draft's new version. Raises Invalid, Refused (also when it is out of date), Missing."""
    with transaction(actor, now) as ledger:
        incident, report, form = _draft(ref, report_ref, version)
        told = case(incident, report, company, now)
        before = hands_of(report)
        derived = {answer.question.key: answer for answer in _answers(form, report, told, {})}
        hands = rules.written(form, derived, before, typed, by=actor, at=now)
        given = _answers(form, report, told, hands)
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
    """Note that the report went to the authority: its answers and files stay as they are from now on. Raises Invalid, Refused, Missing."""
    if channel not in rules.CHANNELS:
        raise Invalid("channel", f"Say how it was filed: {', '.join(rules.CHANNELS)}.")
    with transaction(actor, now) as ledger:
        incident, report, form = _draft(ref, report_ref, version)
        told = case(incident, report, company, now)
        report.filed_at = rules.filed_at(filed_at, started_at=_begin(incident, told), now=now)
        report.late = rules.late(report.due_at, report.filed_at)
        given = answers_of(form, report, told)
        rules.may_be_filed(form, report.stage, given, late=report.late, missing_accepted=missing_accepted)
        report.answers = rules.frozen(form, given, report.language)
        report.digest, report.missing = rules.digest(report.answers), len(rules.completeness(given).missing)
        report.state, report.version, report.channel = State.FILED, report.version + 1, channel
        report.filed_by, report.recorded_at, report.form_digest = actor, now, form.digest
        _add_receipt(incident, report, reference, evidence, actor, now)
        digests = _keep_files(form, report, sheet(report, incident, company, reference))
        ledger.write(
            "report.filed",
            report.ref,
            incident=ref,
            form=form.id,
            stage=report.stage,
            channel=channel,
            late=report.late,
            missing=report.missing,
            digest=report.digest,
            files=digests,
        )


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
        _, report, _ = _draft(ref, report_ref, version)
        report.state, report.version, report.saved_by, report.saved_at = State.DISCARDED, report.version + 1, actor, now
        ledger.write("report.discarded", report.ref, incident=ref)


def export(ref: str, report_ref: str, kind: str, *, company: Company, actor: str, now: datetime) -> files.File:
    """A file of the draft as it stands, its digest in the record; of a filed report the very file that was kept. Raises Invalid, Missing."""
    if kind not in files.KINDS:
        raise Invalid("kind", f"A report can be had as {', '.join(files.KINDS)}.")
    with transaction(actor, now) as ledger:
        incident = _incident(ref)
        report = _report(incident, report_ref)
        if report.state == State.FILED:
            ledger.unchanged()
            return kept(report, kind)
        form = form_of(report.form)
        made = files.made(kind, form, draft_sheet(form, report, incident, company, now))
        ledger.write("report.exported", report.ref, incident=ref, kind=kind, sha256=made.sha256, size=len(made.content))
    return made


def kept(report: Report, kind: str) -> files.File:
    """The file of a filed report as it was made on filing. Raises Missing."""
    found = rows.file(report.id, kind)
    if found is None:
        raise Missing()
    return files.File(report.ref, kind, found.content)


# ---------------------------------------------------------------- reading


def form_of(form_id: str) -> Form:
    """The form of this id. Raises Invalid."""
    try:
        return forms.library()[form_id]
    except KeyError:
        raise Invalid(
            "form", f"There is no form {form_id[:40]!r}. Choose one of {', '.join(forms.library())}."
        ) from None


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name. Raises Invalid."""
    if name not in available_timezones():
        raise Invalid("time_zone", f"There is no time zone {name[:60]!r}; use a name such as Europe/Berlin.")
    return ZoneInfo(name)


def case(incident: Incident, report: Report, company: Company, now: datetime) -> Dossier:
    """What is known now, told in the report's zone and language; of earlier reports, those to other authorities."""
    told = dossier.gathered(incident, company=company, zone=ZoneInfo(report.zone), language=report.language, now=now)
    others = tuple(one for one in told.reports if one.authority.lower() != report.authority.lower())
    return replace(told, reports=others)


def hands_of(report: Report) -> dict[str, Hand]:
    """The answers written by hand."""
    return {key: Hand(**raw) for key, raw in report.hands.items()}


def answers_of(form: Form, report: Report, told: Dossier) -> tuple[Answer, ...]:
    """The draft's answers as of the dossier's moment, marked against the report before."""
    return rules.compared(_answers(form, report, told, hands_of(report)), _before(report))


def draft_sheet(form: Form, report: Report, incident: Incident, company: Company, now: datetime) -> Sheet:
    """The draft as it stands, for its files."""
    given = answers_of(form, report, case(incident, report, company, now))
    frozen = rules.frozen(form, given, report.language)
    return _sheet(report, incident, company, "", now, frozen, rules.digest(frozen))


def sheet(report: Report, incident: Incident, company: Company, reference: str) -> Sheet:
    """A filed report, for its files."""
    assert report.answers is not None
    assert report.recorded_at is not None
    return _sheet(report, incident, company, reference, report.recorded_at, report.answers, report.digest or "")


def is_late(report: Report, now: datetime) -> bool:
    """Whether the draft would be late if it went out now."""
    return rules.late(report.due_at, report.filed_at or now)


def _sheet(
    report: Report,
    incident: Incident,
    company: Company,
    reference: str,
    at: datetime,
    answers: list[dict[str, object]],
    digest: str,
) -> Sheet:
    return Sheet(
        ref=report.ref,
        incident=incident.ref,
        drill=incident.kind == Kind.DRILL,
        stage=report.stage,
        authority=report.authority,
        language=report.language,
        state=report.state,
        author=company.name,
        at=at,
        zone=ZoneInfo(report.zone),
        answers=answers,
        digest=digest,
        previous=report.previous or "",
        due_at=report.due_at,
        late=rules.late(report.due_at, report.filed_at or at),
        filed_at=report.filed_at,
        channel=report.channel or "",
        reference=reference.strip(),
    )


def _answers(form: Form, report: Report, told: Dossier, hands: Mapping[str, Hand]) -> tuple[Answer, ...]:
    return rules.answers(form, report.stage, told, hands, language=report.language, late=is_late(report, told.made_at))


def _before(report: Report) -> dict[str, str] | None:
    """What each question of the report before was answered with; None for a first report."""
    if report.previous is None:
        return None
    earlier = rows.by_ref(report.incident_id, report.previous)
    return {one["question"]: one["answer"] for one in (earlier.answers or [])} if earlier else None


# ---------------------------------------------------------------- writing


def _stage(form: Form, incident_id: int, authority: str, wanted: str) -> str:
    known = rows.stages(incident_id, form.id, authority)
    if any(state == State.DRAFT for _, state in known):
        raise Refused(f"A draft to {authority} with this form is under way. Finish or discard it first.")
    may_come = rules.next_stages(form, [stage for stage, state in known if state == State.FILED])
    if not wanted and may_come:
        return may_come[0]
    if wanted not in may_come:
        named = ", ".join(may_come) or "none"
        raise Invalid("stage", f"This stage cannot come now. Possible: {named}.")
    return wanted


def _incident(ref: str) -> Incident:
    incident = incidents.by_ref(ref)
    if incident is None:
        raise Missing()
    return incident


def _report(incident: Incident, ref: str) -> Report:
    report = rows.by_ref(incident.id, ref)
    if report is None:
        raise Missing()
    return report


def _draft(ref: str, report_ref: str, version: int) -> tuple[Incident, Report, Form]:
    incident = _incident(ref)
    report = _report(incident, report_ref)
    rules.editable(State(report.state))
    incident_rules.must_be_version(report.version, version)
    return incident, report, form_of(report.form)


def _begin(incident: Incident, told: Dossier) -> datetime:
    known = [value for key in BEGINNINGS if isinstance(value := told.value(key), datetime)]
    return min([incident.opened_at, *known])


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


def _keep_files(form: Form, report: Report, filed: Sheet) -> dict[str, str]:
    """Make and keep every kind of file; their digests by kind."""
    digests = {}
    for kind in files.KINDS:
        made = files.made(kind, form, filed)
        digests[kind] = made.sha256
        db.session.add(
            ReportFile(report_id=report.id, kind=kind, sha256=made.sha256, size=len(made.content), content=made.content)
        )
    return digests
