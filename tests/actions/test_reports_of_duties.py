"""What a report does for the duty it is owed by: its time, what meets it, what is still to begin."""

from datetime import UTC, datetime, timedelta

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from incident.actions import cases, intake, reports
from incident.actions.obligations import waive
from incident.domain.errors import Invalid
from incident.domain.reports import Typed
from incident.store import incidents, obligations
from incident.store.db import db
from incident.store.obligations import FindingRow
from tests.actions.filings import NOON, an_incident, begun, filed, found, saved, verbs

OWED = {
    "personal_data": True,
    "role": "controller",
    "risk_to_people": "risk",
    "residents": {"FR": 100},
    "establishments": ["FR"],
}


def finding(ref: str, duty: str) -> FindingRow:
    incident = incidents.by_ref(ref)
    assert incident is not None
    db.session.rollback()
    return obligations.current(incident.id)[duty]


def test_a_draft_is_due_when_its_duty_is_and_moves_with_it(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    report = found(ref, begun(ref))
    assert report.duty == "EU-GDPR/tell-authority"
    due = cases.due_of(report, obligations.dues(report.incident_id))
    assert due == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    intake.record_facts(
        ref, {"aware_at": "2026-03-06T08:00:00Z"}, source="log", confidence="high", actor="U-1", now=NOON
    )
    assert cases.due_of(report, obligations.dues(report.incident_id)) == due - timedelta(hours=1)


def test_filing_meets_the_duty_and_freezes_its_time(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    report = filed(ref, begun(ref), reference="CNIL-17")
    met = finding(ref, "EU-GDPR/tell-authority")
    assert (met.state, met.met_at, met.late_seconds, met.reference) == ("met", NOON, 0, "CNIL-17")
    assert (report.due_at, report.late) == (datetime(2026, 3, 9, 9, 0, tzinfo=UTC), False)
    assert [verb for verb in verbs() if verb in {"report.filed", "finding.met"}] == ["report.filed", "finding.met"]
    intake.record_facts(
        ref, {"aware_at": "2026-03-01T08:00:00Z"}, source="log", confidence="high", actor="U-1", now=NOON
    )
    assert found(ref, report.ref).due_at == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    assert finding(ref, "EU-GDPR/tell-authority").due_at == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def test_a_late_report_needs_its_reasons_and_says_in_its_files_that_it_is_late(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    report, late = begun(ref), NOON + timedelta(days=4)
    with pytest.raises(Invalid, match="reasons of the delay"):
        filed(ref, report, at=late)
    saved(ref, report, at=late, delay_reason=Typed("The logs came late."))
    done = filed(ref, report, at=late)
    assert done.late
    assert b'"late": true' in reports.kept(done, "json").content
    assert finding(ref, "EU-GDPR/tell-authority").late_seconds == 24 * 3600 + 3 * 3600


def test_the_next_stage_meets_no_duty_a_second_time(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    filed(ref, begun(ref))
    second = found(ref, begun(ref))
    assert (second.stage, second.duty) == ("supplementary", None)
    assert filed(ref, second.ref).late is False


def test_a_duty_that_a_person_settled_before_stays_as_they_settled_it(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    report = begun(ref)
    row = finding(ref, "EU-GDPR/tell-authority")
    waive(ref, row.ref, "Counsel decided otherwise.", actor="U-1", now=NOON)
    filed(ref, report)
    assert finding(ref, "EU-GDPR/tell-authority").state == "waived"


def test_a_report_may_be_tied_to_a_duty_by_name_if_it_is_one_to_an_authority(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    assert (
        found(ref, begun(ref, "general", authority="CNIL", duty="EU-GDPR/tell-authority")).duty
        == "EU-GDPR/tell-authority"
    )
    for wrong in ("EU-GDPR/tell-people", "XX/none"):
        with pytest.raises(Invalid, match="no duty of that name"):
            begun(ref, "general", authority=wrong, duty=wrong)


def test_what_is_owed_and_not_begun_is_listed_with_the_form_that_fits(app: APIFlask) -> None:
    ref = an_incident(
        **OWED | {"residents": {"FR": 100, "US-CA": 600}, "data_kinds": ["name", "ssn"], "encryption": "none"}
    )
    incident = incidents.by_ref(ref)
    assert incident is not None
    listed = {one.finding.duty: one.form.id for one in cases.owed(incident.id)}
    assert listed["EU-GDPR/tell-authority"] == "eu-gdpr-33"
    begun(ref)
    assert "EU-GDPR/tell-authority" not in {one.finding.duty for one in cases.owed(incident.id)}


def test_a_report_may_still_be_filed_once_the_incident_is_closed(app: APIFlask) -> None:
    ref = an_incident(**OWED)
    report = begun(ref)
    db.session.execute(text("UPDATE incident SET state = 'closed'"))
    db.session.commit()
    assert filed(ref, report).state == "filed"
    assert finding(ref, "EU-GDPR/tell-authority").state == "met"
